// SPDX-License-Identifier: Apache-2.0
#include "cli/open_model.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/isa.h"
#include "text/preferences.h"
#include "train/lora_combine.h"

namespace hearth {

std::unique_ptr<LoraAdapter> open_adapter(const LanguageModel& model, const std::string& folder) {
  if (folder.empty()) return nullptr;
  if (folder.find(',') == std::string::npos || exists(folder))
    return std::make_unique<LoraAdapter>(LoraAdapter::load(model, folder));
  std::vector<LoraAdapter> all;
  for (size_t begin = 0; begin <= folder.size();) {
    const size_t end = std::min(folder.find(',', begin), folder.size());
    all.push_back(LoraAdapter::load(model, folder.substr(begin, end - begin)).for_whole_base());
    begin = end + 1;
  }
  std::vector<WeightedAdapter> parts;
  for (const LoraAdapter& adapter : all) parts.push_back({&adapter, 1});
  return std::make_unique<LoraAdapter>(combine_adapters(parts, {.kind = "cat"}));
}

// The folder, or the nearest one above it that exists.
static std::string existing_folder(std::string path) {
  if (path.empty()) return temporary_folder();
  while (!is_folder(path) && parent_folder(path) != path) path = parent_folder(path);
  return path;
}

static void check_context(const char* flag, int64_t tokens, int64_t context) {
  HEARTH_CHECK(tokens <= context, value, flag, " ", tokens, " is longer than the model's context of ", context,
               " tokens; make it at most ", context);
}

TokenBlocks open_data(const LanguageModel& model, const DataSource& source) {
  const int64_t context = model.spec().max_positions;
  const std::string folder = existing_folder(source.output);
  HEARTH_CHECK(!source.pairs || holds_examples(source.file), value, "'", source.file,
               "' is a text; pairs of answers come in a .jsonl or .json file");
  if (!holds_examples(source.file)) {
    check_context("--block-size", source.block_size, context);
    return make_blocks(model.tokenizer(), source.file,
                       source.blocks == "textdataset" ? Blocks::textdataset : Blocks::stream, source.block_size,
                       folder);
  }
  ExampleOptions options = source.examples;
  options.folder = folder;
  if (options.max_length == 0) options.max_length = std::min<int64_t>(1024, context);
  check_context("--max-length", options.max_length, context);
  if (source.pairs) return read_preferences(model.tokenizer(), model.path(), source.file, options);
  return read_examples(model.tokenizer(), model.path(), source.file, options);
}

DType arithmetic_dtype(const LanguageModel& model, const std::string& name) {
  if (name == "auto")
    return model.stored_dtype() == DType::bf16 && isa() >= Isa::avx512_bf16 ? DType::bf16 : DType::f32;
  DType dtype = DType::f32;
  parse_dtype(name, &dtype);
  return dtype;
}

}  // namespace hearth
