// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "train/optimizers/optimizer.h"

namespace hearth {

// About U V^T of g = U S V^T: the singular values come near 1 by a polynomial of odd powers, done `steps` times.
// Source: Jordan 2024, kellerjordan.github.io/posts/muon. Differs: in the training step's dtype, torch always in bf16.
static Value orthogonalized(const Value& g, int64_t steps, DType dtype) {
  constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315, kEps = 1e-7;
  const bool tall = g.dim(0) > g.dim(1);
  Value x = tall ? transpose(g, {1, 0}) : g;  // [M,K], M <= K: the smaller Gram matrix
  x = x / maximum(sqrt(reduce_sum(x * x, {0, 1})), constant(*g.graph, kEps));
  for (int64_t i = 0; i < steps; ++i) {
    const Value y = convert(x, dtype);
    const Value gram = matmul(y, y, {.transpose_b = true});        // [M,M]
    const Value polynomial = gram * kB + matmul(gram, gram) * kC;  // [M,M]
    x = x * kA + convert(matmul(polynomial, y), DType::f32);       // [M,K]
  }
  return tall ? transpose(x, {1, 0}) : x;
}

// Steps of the same size for matrices of any form.
static double rate_factor(const OptimizerOptions& o, const Dims& dims) {
  const double rows = double(dims[0]), columns = double(std::max<int64_t>(1, dims[1]));
  if (o.adjust_lr == "match_rms_adamw") return 0.2 * std::sqrt(std::max(rows, columns));
  return std::sqrt(std::max(1.0, rows / columns));
}

//   m' = momentum m + (1 - momentum) g,  p' = p (1 - lr wd) - lr f O(m')   [nesterov: O((1-momentum) g + momentum m')]
Update muon_update(const UpdateArgs& args) {
  const OptimizerOptions& o = args.options;
  const Value m = args.states[0] * o.momentum + args.gradient * (1 - o.momentum);
  const Value direction = o.nesterov ? args.gradient * (1 - o.momentum) + m * o.momentum : m;
  const Value step = orthogonalized(direction, o.ns_steps, o.ns_dtype);
  return {decayed(args) - (args.rate * rate_factor(o, args.tensor.dims)) * step, {m}};
}

}  // namespace hearth
