// SPDX-License-Identifier: Apache-2.0
#include "cli/combine.h"

#include <charconv>
#include <iostream>
#include <memory>

#include "base/file.h"
#include "cli/text_format.h"
#include "io/nearest.h"

namespace hearth {

// "DIR=0.7", or "DIR": weight 1. The folder may have "=" in its name.
static std::pair<std::string, double> read_weighted(const std::string& word) {
  const size_t equals = word.rfind('=');
  if (equals == std::string::npos) return {word, 1.0};
  double weight = 0;
  const char *begin = word.data() + equals + 1, *end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(begin, end, weight);
  if (error != std::errc() || stop != end || equals == 0)
    throw UsageError(cat("--adapter: '", printable(word), "' is not like rhymes=0.7"));
  return {word.substr(0, equals), weight};
}

int run_combine(const CombineFlags& flags, const CommonFlags& common) {
  std::vector<std::unique_ptr<LoraAdapter>> read;
  std::vector<WeightedAdapter> adapters;
  for (const std::string& word : flags.adapter) {
    const auto [folder, weight] = read_weighted(word);
    HEARTH_CHECK(!exists(flags.output) || !same_file(folder, flags.output), value, "--output '", flags.output,
                 "' is a folder that is read; choose another");
    read.push_back(std::make_unique<LoraAdapter>(LoraAdapter::read(folder)));
    adapters.push_back({read.back().get(), weight});
  }
  const LoraAdapter made = combine_adapters(adapters, {.kind = flags.combination,
                                                       .svd_rank = flags.svd_rank,
                                                       .density = flags.density,
                                                       .sign_by_number = flags.majority == "frequency",
                                                       .seed = flags.seed});
  made.save(flags.output);
  if (common.json) {
    print_json({{"output", flags.output}, {"layers", made.modules().size()}, {"rank", made.config().rank}});
  } else if (!common.quiet) {
    std::cout << "combined " << adapters.size() << " adapters into " << flags.output << ": " << made.modules().size()
              << " layers of rank " << made.config().rank << "\n";
  }
  return 0;
}

}  // namespace hearth
