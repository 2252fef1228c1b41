// SPDX-License-Identifier: Apache-2.0
#pragma once
// The copies of lhs and rhs that the kernels of a convolution read.

#include "ops/convolution/conv_run.h"

namespace hearth {

void copy_units(const ConvJob& job, const ConvCopy& copy);

// Copies weights to [terms][panel width], one panel at a time: rows in the order of memory, so that neighbours are read
// together.
class RhsCopy {
 public:
  explicit RhsCopy(const ConvJob& job);

  // Rows [first, end) in the order of memory; all of them, unless in_order(). Term 0 goes to `to`.
  void run(int64_t part, int64_t panel, int64_t first, int64_t end, char* to) const;
  bool in_order() const { return in_order_; }  // the i-th row is term i

 private:
  struct Rows {
    std::vector<int64_t> from, to;
  };
  struct Place {
    int64_t from, tap;
  };
  std::vector<Place> places() const;
  void add(const Place& place, int64_t unit);

  const ConvJob& job_;
  const ConvPlan& p_;
  Rows rows_, last_;  // last_: units that are no whole pairs
  bool in_order_ = false;
};

// Sets lhs_units and, unless tasks copy their weights themselves, weights.
void copy_operands(ConvJob& job, const RhsCopy& rhs, bool weights_too);

}  // namespace hearth
