// SPDX-License-Identifier: Apache-2.0
#include "cli/merge.h"

#include <iostream>

#include "base/file.h"
#include "cli/progress_format.h"
#include "cli/text_format.h"
#include "train/lora.h"

namespace hearth {

int run_merge(const MergeFlags& flags, const CommonFlags& common) {
  for (const std::string& source : {flags.model, flags.adapter})
    HEARTH_CHECK(!exists(flags.output) || !same_file(source, flags.output), value, "--output '", flags.output,
                 "' is the folder that is read; choose another");
  const LanguageModel model = LanguageModel::load(flags.model);
  const LoraAdapter adapter = LoraAdapter::load(model, flags.adapter);
  merge_adapter(model, adapter, flags.output);
  const LanguageModel merged = LanguageModel::load(flags.output);
  if (common.json) {
    print_json({{"output", flags.output},
                {"merged_layers", adapter.modules().size()},
                {"parameters", merged.parameters()},
                {"bytes", merged.folder().total_bytes()}});
  } else if (!common.quiet) {
    std::cout << "merged " << adapter.modules().size() << " layers into " << flags.output << " ("
              << format_bytes(merged.folder().total_bytes()) << ")\n"
              << "next: "
              << shell_words({"hearth", "generate", "--model", flags.output, "--prompt", "Once upon a time"}) << "\n";
  }
  return 0;
}

}  // namespace hearth
