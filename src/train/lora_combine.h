// SPDX-License-Identifier: Apache-2.0
#pragma once
// One adapter made of several. Source: peft 0.21, LoraModel.add_weighted_adapter and merge_utils.

#include <string>
#include <vector>

#include "train/lora.h"

namespace hearth {

// How the updates s BA of adapters with weights w become one:
// "cat"     all matrices side by side, the rank is the sum of the ranks: exactly sum w s BA.
// "svd"     the best approximation of that sum of a given rank.
// "linear"  A = sum sign(w s) sqrt|w s| A_i and B = sum sqrt|w s| B_i, of equal ranks: a rough approximation, as the
//           products of one adapter's A with another's B come along. The four below make A and B in the same way, each
//           number of them by another rule, and with "_svd" behind the name the whole sum, which is then approximated:
// "ties"            only the `density` numbers of each that are largest by size, of these those of the majority's sign,
//                   their mean. Source: Yadav et al. 2023, arXiv:2306.01708.
// "dare_linear"     each number with probability `density`, then divided by it. Source: Yu et al. 2023,
//                   arXiv:2311.03099.
// "dare_ties"       the same numbers, and the mean of those of the majority's sign.
// "magnitude_prune" only the `density` numbers of each that are largest by size.
struct CombineOptions {
  std::string kind = "svd";
  int64_t svd_rank = 0;         // 0: the largest of the adapters
  double density = 1;           // above 0, at most 1
  bool sign_by_number = false;  // the majority's sign: of the sum of the numbers, or of how many have it
  uint64_t seed = 0;            // of dare's numbers
};
struct WeightedAdapter {
  const LoraAdapter* adapter;
  double weight = 1;
};

// The scale of every layer is 1: alpha equals the rank. A layer that some of the adapters lack is made of the others.
// Throws Error{value} for ranks that do not fit, for sizes that differ, and for adapters with more than A and B, naming
// layers and numbers.
LoraAdapter combine_adapters(const std::vector<WeightedAdapter>& adapters, const CombineOptions& options);

std::vector<std::string> combination_kinds();

}  // namespace hearth
