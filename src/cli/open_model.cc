// SPDX-License-Identifier: Apache-2.0
#include "cli/open_model.h"

#include "base/error.h"
#include "base/isa.h"

namespace hearth {

std::unique_ptr<LoraAdapter> open_adapter(const LanguageModel& model, const std::string& folder) {
  if (folder.empty()) return nullptr;
  return std::make_unique<LoraAdapter>(LoraAdapter::load(model, folder));
}

TokenBlocks open_blocks(const LanguageModel& model, const std::string& text_file, const std::string& form,
                        int64_t block_size) {
  const int64_t context = model.spec().max_positions;
  HEARTH_CHECK(block_size <= context, value, "--block-size ", block_size, " is longer than the model's context of ",
               context, " tokens; make it at most ", context);
  return make_blocks(model.tokenizer(), text_file, form == "textdataset" ? Blocks::textdataset : Blocks::stream,
                     block_size);
}

DType arithmetic_dtype(const LanguageModel& model, const std::string& name) {
  if (name == "auto")
    return model.stored_dtype() == DType::bf16 && isa() >= Isa::avx512_bf16 ? DType::bf16 : DType::f32;
  return name == "bf16" ? DType::bf16 : DType::f32;
}

}  // namespace hearth
