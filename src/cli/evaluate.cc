// SPDX-License-Identifier: Apache-2.0
#include "cli/evaluate.h"

#include <chrono>
#include <iostream>

#include "cli/open_model.h"
#include "cli/progress_format.h"
#include "cli/text_format.h"
#include "train/metrics/memory.h"
#include "train/trainer.h"

namespace hearth {

int run_evaluate(const EvaluateFlags& flags, const CommonFlags& common) {
  const LanguageModel model = LanguageModel::load(flags.model);
  const std::unique_ptr<LoraAdapter> adapter = open_adapter(model, flags.adapter);
  const TokenBlocks blocks = open_data(
      model,
      {.file = flags.data, .blocks = flags.blocks, .block_size = flags.block_size, .examples = {.max_length = 0}});
  const auto begin = std::chrono::steady_clock::now();
  const EvalReport report =
      evaluate(model, adapter.get(), blocks, arithmetic_dtype(model, flags.dtype), flags.batch_size);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (common.json) {
    print_json({{"loss", report.loss},
                {"perplexity", report.perplexity()},
                {"tokens", report.tokens},
                {"blocks", blocks.count()},
                {"dropped_tokens", blocks.dropped_tokens},
                {"seconds", seconds},
                {"tokens_per_second", double(report.tokens) / seconds},
                {"memory_bytes", peak_resident_bytes()}});
    return 0;
  }
  std::cout << text_rows({{"loss", format_loss(report.loss)},
                          {"perplexity", cat(report.perplexity())},
                          {"tokens", format_count(report.tokens)}});
  if (!common.quiet && blocks.dropped_tokens > 0)
    std::cerr << "the last " << blocks.dropped_tokens << " tokens fill no block and were left out\n";
  return 0;
}

}  // namespace hearth
