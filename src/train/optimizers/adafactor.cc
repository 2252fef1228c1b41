// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "train/optimizers/optimizer.h"

namespace hearth {
namespace {

bool is_factored(const TrainedTensor& tensor) { return tensor.dims.size() >= 2; }

// Mean over axes, which stay with size 1.
Value mean(const Value& x, const Dims& axes) {
  Dims kept = x.dims();
  int64_t count = 1;
  for (const int64_t axis : axes) count *= std::exchange(kept[size_t(axis)], 1);
  return reshape(reduce_sum(x, axes), kept) * (1.0 / double(std::max<int64_t>(1, count)));
}

Value root_mean_square(const Value& x) {
  Dims axes(size_t(x.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return sqrt(reshape(mean(x * x, axes), {}));
}

}  // namespace

// Of a matrix [R,C] the second moment is the product of a column and a row: R + C numbers instead of R C.
std::vector<StateSpec> adafactor_states(const OptimizerOptions& o, const TrainedTensor& tensor) {
  std::vector<StateSpec> states;
  if (is_factored(tensor)) {
    Dims row = tensor.dims, column = tensor.dims;
    row[row.size() - 1] = 1;
    column[column.size() - 2] = 1;
    states = {{"row", {DType::f32, row}}, {"column", {DType::f32, column}}};
  } else {
    states = {{"v", {DType::f32, tensor.dims}}};
  }
  if (o.first_moment > 0) states.push_back({"m", {DType::f32, tensor.dims}});
  return states;
}

//   V = beta V + (1-beta) (g^2 + eps1), of a matrix by its row means r and column means c: V = r c / mean(r)
//   u = g / sqrt(V),  u' = u / max(1, rms(u) / clip) lr,  m' = beta1 m + (1-beta1) u',  p' = p (1 - lr wd) - m'
// with beta = 1 - t^decay_rate; scale_parameter: lr is that times max(eps2, rms(p)).
Update adafactor_update(const UpdateArgs& args) {
  const OptimizerOptions& o = args.options;
  const Value &p = args.parameter, &g = args.gradient, &part = args.first;
  const Value square = g * g + o.square_eps;
  const auto moment = [&](const Value& before, const Value& now) { return before * (1.0 - part) + now * part; };
  Update next;
  Value u;
  if (is_factored(args.tensor)) {
    const int64_t last = p.rank() - 1;
    const Value row = moment(args.states[0], mean(square, {last})),
                column = moment(args.states[1], mean(square, {last - 1}));
    next.states = {row, column};
    u = g * rsqrt(row / mean(row, {last - 1})) * rsqrt(column);
  } else {
    next.states = {moment(args.states[0], square)};
    u = g * rsqrt(next.states[0]);
  }
  Value rate = args.rate;
  if (o.scale_parameter) rate = rate * maximum(root_mean_square(p), constant(*p.graph, o.scale_eps));
  u = u * (rate / maximum(root_mean_square(u) * (1 / o.clip_threshold), constant(*p.graph, 1)));
  if (o.first_moment > 0) {
    u = args.states.back() * o.first_moment + u * (1 - o.first_moment);
    next.states.push_back(u);
  }
  next.parameter = (args.decay() == 0 ? p : p * (1.0 - rate * args.decay())) - u;
  return next;
}

}  // namespace hearth
