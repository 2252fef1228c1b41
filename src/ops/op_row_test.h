// SPDX-License-Identifier: Apache-2.0
#pragma once
// One case of one row of operation tests, for the files that check it (op_test.cc, op_transforms_test.cc).

#include "compiler/compile.h"
#include "ops/op_test.h"

namespace hearth {

struct Row {
  const OpTest& test;
  const OpCase& one;
  std::string name() const { return test.op + "/" + one.name; }

  DType dtype_of(size_t i, DType dtype) const { return one.in[i].dtype.value_or(dtype); }
  bool differentiable(size_t i) const { return !one.in[i].dtype; }

  // Values that the dtype can hold. Of another example: other values, but of those that the case lists.
  std::vector<Reals> inputs(DType row_dtype, uint64_t example = 0) const;
};

double difference(double got, double wanted);  // 0 for two NaN, infinity for one
inline const CompileOptions kReferenceOnly = {.devices = {"reference"}};

// The row's operation under transforms, in f64 (or the row's first dtype, when it is no float) by the reference
// kernels: a batch of three examples against one after the other, with every input batched, the first only and all but
// the first; and, when `with_tangents`, forward derivatives against reverse ones: <u, J t> = <J^T u, t>. Large cases
// are left out.
void check_transforms(const Row& row, bool with_tangents);

}  // namespace hearth
