// SPDX-License-Identifier: Apache-2.0
#include "cli/generate.h"

#include <iostream>

#include "cli/open_model.h"
#include "cli/progress_format.h"
#include "cli/text_format.h"
#include "train/metrics/memory.h"

namespace hearth {

static Json result_json(const Generation& result) {
  return {{"text", result.text},
          {"token_ids", result.ids},
          {"tokens", result.ids.size()},
          {"prompt_tokens", result.prompt_tokens},
          {"stopped", stop_reason_name(result.reason)},
          {"prefill_seconds", result.prefill_seconds},
          {"prefill_tokens_per_second", result.prefill_tokens_per_second()},
          {"decode_seconds", result.decode_seconds},
          {"decode_tokens_per_second", result.decode_tokens_per_second()},
          {"memory_bytes", peak_resident_bytes()}};
}

static std::string speed_remark(const Generation& result) {
  std::string text = cat("prompt ", format_count(result.prompt_tokens), " tokens, ",
                         format_short(result.prefill_tokens_per_second()), " tok/s; ", result.ids.size(), " new");
  if (result.decode_tokens_per_second() > 0)
    text += cat(", ", format_short(result.decode_tokens_per_second()), " tok/s");
  return text + (result.stopped() ? "; the model ended the text" : "");
}

int run_generate(const GenerateFlags& flags, const CommonFlags& common) {
  const LanguageModel model = LanguageModel::load(flags.model);
  const std::unique_ptr<LoraAdapter> adapter = open_adapter(model, flags.adapter);
  Generator generator(model, adapter.get(), arithmetic_dtype(model, flags.dtype));
  const auto print = [&](const std::string& piece) {
    if (!common.json) std::cout << piece << std::flush;
    return std::cout.good();
  };
  const Generation result = generator.generate(flags.prompt, flags.options, print);
  if (common.json) {
    print_json(result_json(result));
    return 0;
  }
  std::cout << "\n" << std::flush;
  if (!common.quiet) std::cerr << speed_remark(result) << "\n";
  return 0;
}

}  // namespace hearth
