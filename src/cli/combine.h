// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth combine: makes one adapter of several.

#include "cli/flags_command.h"
#include "train/lora_combine.h"

namespace hearth {

struct CombineFlags {
  std::vector<std::string> adapter;
  std::string output, combination = "svd", majority = "total";
  int64_t svd_rank = 0;
  double density = 1;
  uint64_t seed = 0;

  template <class Visit>
  void visit(Visit&& flag) {
    flag("adapter", adapter, "PEFT folders and their weights, with commas between: rhymes=0.7,rules=0.3",
         {.needed = true, .value_name = "DIR=X"});
    flag("output", output, "new PEFT folder", {.needed = true, .path = PathKind::folder});
    flag(
        "combination", combination,
        "how: cat is exact, svd the best of its rank; linear and the rest work on the matrices, *_svd on their product",
        {.allowed = combination_kinds()});
    flag("svd-rank", svd_rank, "rank of svd and *_svd",
         {.minimum = 0, .maximum = 65536, .default_text = "the largest"});
    flag("density", density, "share of the numbers that ties, dare and magnitude_prune keep",
         {.maximum = 1, .above = 0});
    flag("majority", majority, "sign that ties go by: of the sum of the numbers, or of most of them",
         {.allowed = {"total", "frequency"}});
    flag("seed", seed, "of the numbers that dare drops");
  }
};

int run_combine(const CombineFlags& flags, const CommonFlags& common);

}  // namespace hearth
