// SPDX-License-Identifier: Apache-2.0
#include "cli/merge.h"

#include <iostream>
#include <set>

#include "base/file.h"
#include "cli/progress_format.h"
#include "cli/text_format.h"
#include "train/lora.h"

namespace hearth {

int run_merge(const MergeFlags& flags, const CommonFlags& common) {
  std::vector<std::string> sources = flags.adapter;
  sources.push_back(flags.model);
  for (const std::string& source : sources)
    HEARTH_CHECK(!exists(flags.output) || !same_file(source, flags.output), value, "--output '", flags.output,
                 "' is the folder that is read; choose another");
  const LanguageModel model = LanguageModel::load(flags.model);
  std::vector<LoraAdapter> adapters;
  std::set<std::string> layers;
  for (const std::string& folder : flags.adapter) {
    adapters.push_back(LoraAdapter::load(model, folder));
    for (const auto& [name, matrices] : adapters.back().modules()) layers.insert(name);
  }
  std::vector<const LoraAdapter*> all;
  for (const LoraAdapter& adapter : adapters) all.push_back(&adapter);
  merge_adapters(model, all, flags.output);
  const LanguageModel merged = LanguageModel::load(flags.output);
  if (common.json) {
    print_json({{"output", flags.output},
                {"merged_layers", layers.size()},
                {"parameters", merged.parameters()},
                {"bytes", merged.folder().total_bytes()}});
  } else if (!common.quiet) {
    std::cout << "merged " << layers.size() << " layers into " << flags.output << " ("
              << format_bytes(merged.folder().total_bytes()) << ")\n"
              << "next: "
              << shell_words({"hearth", "generate", "--model", flags.output, "--prompt", "Once upon a time"}) << "\n";
  }
  return 0;
}

}  // namespace hearth
