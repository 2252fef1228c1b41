// SPDX-License-Identifier: Apache-2.0
// hearth_adapters MODEL OUT.safetensors: what tests/interop/lora_several_test.py compares with the real PEFT. Reads
// JSON, a list of calls in order: {"add": NAME, "folder": DIR}, {"swap": NAME, "folder": DIR}, or {"logits": NAME OF
// THE TENSOR, "texts": [[ids]], "active": [[[NAME, WEIGHT]]]}, whose result [B,V] is written. Prints how often it
// compiled.
#include <iostream>
#include <iterator>

#include "base/error.h"
#include "generate/adapted_model.h"
#include "io/json.h"

using namespace hearth;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: hearth_adapters MODEL OUT.safetensors\n";
    return 2;
  }
  try {
    const LanguageModel model = LanguageModel::load(argv[1]);
    AdapterSet adapters;
    std::unique_ptr<AdaptedModel> adapted;
    std::map<std::string, std::pair<Dims, std::vector<float>>> results;
    const Json calls = Json::parse(std::string(std::istreambuf_iterator<char>(std::cin), {}));
    for (const Json& call : calls) {
      if (call.contains("add")) {
        adapters.add(call["add"], LoraAdapter::load(model, call["folder"]));
      } else if (call.contains("swap")) {
        adapters.swap(call["swap"], LoraAdapter::load(model, call["folder"]));
      } else {
        if (!adapted) adapted = std::make_unique<AdaptedModel>(model, adapters);
        const auto logits = adapted->logits(call["texts"].get<std::vector<std::vector<int32_t>>>(),
                                            call["active"].get<std::vector<ActiveAdapters>>());
        auto& [dims, values] = results[call["logits"]];
        dims = {int64_t(logits.size()), model.spec().vocab};
        for (const std::vector<float>& row : logits) values.insert(values.end(), row.begin(), row.end());
      }
    }
    std::vector<TensorRef> tensors;
    for (const auto& [name, result] : results)
      tensors.push_back(
          {name, {DType::f32, result.first}, reinterpret_cast<const std::byte*>(result.second.data()), nullptr});
    write_safetensors(argv[2], tensors);
    std::cout << adapted->compiled() << "\n";
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
