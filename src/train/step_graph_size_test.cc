// SPDX-License-Identifier: Apache-2.0
// The training step of a model with as many layers as those of some billion parameters compiles in seconds.
#include <gtest/gtest.h>

#include <cstring>
#include <ctime>

#include "base/file_test_folder.h"
#include "compiler/compile.h"
#include "io/json.h"
#include "io/save_model_folder.h"
#include "models/families.h"
#include "train/step_graph.h"

namespace hearth {
namespace {

constexpr int64_t kLayers = 26;

// The prose model, its layers over and over.
LanguageModel deep_model(const std::string& folder) {
  const std::string source = source_file("assets/prose-14m"), prefix = "model.layers.";
  const LanguageModel small = LanguageModel::load(source);
  Json config = small.folder().config();
  config["num_hidden_layers"] = kLayers;
  std::vector<NewTensor> tensors;
  std::map<std::string, std::string> source_of;
  for (const WeightSpec& weight : weights_of(read_model_spec(JsonView(config, "config.json")))) {
    std::string name = weight.name;
    if (name.rfind(prefix, 0) == 0) {
      const size_t end = name.find('.', prefix.size());
      const int64_t layer = std::stoll(name.substr(prefix.size(), end - prefix.size()));
      name = prefix + std::to_string(layer % int64_t(small.spec().layers.size())) + name.substr(end);
    }
    source_of[weight.name] = name;
    tensors.push_back({weight.name, small.folder().tensor(name).type});
  }
  const auto bytes = [&](const NewTensor& tensor, int64_t begin, std::span<std::byte> room) {
    return small.folder().tensor(source_of.at(tensor.name)).span().subspan(size_t(begin), room.size());
  };
  save_model_folder(folder, config, tensors, bytes, {.source_folder = source});
  return LanguageModel::load(folder);
}

TEST(Size, training_step_of_26_layers) {
  const TestFolder folder;
  const LanguageModel model = deep_model(folder / "deep");
  LoraConfig config;
  config.rank = 8;
  const LoraAdapter adapter = LoraAdapter::create(model, config, 0);
  for (const bool checkpointing : {false, true}) {
    const std::clock_t start = std::clock();  // of this process: the machine may be busy
    const auto graph =
        step_graph(model, adapter, {.dtype = DType::bf16, .checkpointing = checkpointing}, StepPart::whole);
    const std::clock_t written = std::clock();
    const Plan plan = compile(*graph);
    const auto seconds = [](std::clock_t ticks) { return double(ticks) / CLOCKS_PER_SEC; };
    std::printf("training step of %d layers%s: %d nodes written in %.2f s, compiled in %.2f s\n", int(kLayers),
                checkpointing ? ", checkpointing" : "", int(graph->size()), seconds(written - start),
                seconds(std::clock() - written));
    EXPECT_LT(seconds(std::clock() - start), 3);
  }
}

}  // namespace
}  // namespace hearth
