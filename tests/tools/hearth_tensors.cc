// SPDX-License-Identifier: Apache-2.0
// For tests/interop: what Hearth reads from files of tensors.
//   hearth_tensors
// Each line of stdin is {"in": "a.bin", "out": "b.safetensors"}: all tensors of the first are written to the second.
// Each line of stdout is {"names": [...], "in_place": n} (names in the order of the file, and how many tensors are not
// copied), or {"error": "...", "kind": "..."}.

#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "io/safetensors.h"

namespace hearth {

static nlohmann::json answer(const nlohmann::json& line) {
  const auto file = TensorFile::open(line.at("in").get<std::string>());
  std::vector<TensorRef> tensors;
  int64_t in_place = 0;
  for (const std::string& name : file->names()) {
    tensors.push_back(*file->find(name));
    const std::byte* data = tensors.back().data;
    in_place += data >= file->file().data() && data < file->file().data() + file->file().size();
  }
  write_safetensors(line.at("out").get<std::string>(), tensors);
  return {{"names", file->names()}, {"in_place", in_place}};
}

}  // namespace hearth

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    nlohmann::json said;
    try {
      said = hearth::answer(nlohmann::json::parse(line));
    } catch (const hearth::Error& error) {
      said = {{"error", error.what()}, {"kind", hearth::kind_name(error.kind())}};
    }
    std::cout << said.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  }
}
