// SPDX-License-Identifier: Apache-2.0
// Rows of array_bench over 2048 x 2048 numbers: chains, norms, losses, reductions, orders; optimizer and FFT.
#include <cmath>

#include "bench/array_bench.h"
#include "ops/adamw/adamw.h"
#include "ops/arg_reduce/arg_reduce.h"
#include "ops/cumulative/cumulative.h"
#include "ops/elementwise/elementwise.h"
#include "ops/fft/fft.h"
#include "ops/gather/gather.h"
#include "ops/reduce/reduce.h"
#include "ops/rms_norm/rms_norm.h"
#include "ops/shape/shape.h"
#include "ops/softmax/softmax.h"
#include "ops/sort/sort.h"
#include "ops/special/special.h"

namespace hearth::bench {
namespace {

constexpr int64_t n = 2048;

Value column(const Value& x) { return reshape(x, {x.dim(0), 1}); }
Value mean_last(const Value& x) { return column(reduce_sum(x, {1}) / double(x.dim(1))); }
Value sum_all(const Value& x) { return reduce_sum(x, {0, 1}); }
Value spread(const Value& x, const Value& like) { return broadcast_to(x, like.dims()); }

Value gelu(const Value& x) { return x * 0.5 * (erf(x * std::sqrt(0.5)) + 1.0); }
Value tanh_gelu(const Value& x) {
  return x * 0.5 * (tanh((x + x * x * x * 0.044715) * std::sqrt(2 / 3.14159265358979)) + 1.0);
}

Value layer_norm(const Value& x, const Value& weight, const Value& bias) {
  const Value centred = x - spread(mean_last(x), x);
  const Value scale = rsqrt(mean_last(centred * centred) + 1e-5);
  return centred * spread(scale, x) * spread(weight, x) + spread(bias, x);
}

// Mean of -log softmax(x)[label].
Value cross_entropy(const Value& x, const Value& labels) {
  const Value shifted = x - spread(column(reduce_max(x, {1})), x);
  const Value log_sums = log(reduce_sum(exp(shifted), {1}));
  const Value chosen = reshape(take_along_axis(shifted, column(labels), 1), {x.dim(0)});
  return reduce_sum(log_sums - chosen, {0}) / double(x.dim(0));
}

// The parameter and its two averages go on from call to call, in place.
Call adamw_row() {
  const ValueFunction step = [](Graph&, const Values& in) -> Values {
    const AdamWState next = adamw({in[0], in[1], in[2]}, in[3], in[4], in[5], in[6], {.weight_decay = 0.01});
    return {next.parameter, next.m, next.v};
  };
  const auto f = jit(on_values(step), {.donate = {0, 1, 2}});
  const Dims dims = {4 << 20};
  auto state = std::make_shared<Arrays>(Arrays{uniform(dims), uniform(dims) * 0.0f, uniform(dims) * 0.0f});
  eval(*state);
  const Arrays rest = {uniform(dims), array<float>({1e-4f}, {}), array<float>({0.1f}, {}), array<float>({0.001f}, {})};
  return [f, state, rest] {
    Arrays in = *state;
    in.insert(in.end(), rest.begin(), rest.end());
    state->clear();
    *state = f(in);
  };
}

template <class F>
std::function<Call(const Parts&)> on_square(F f) {
  return [f](const Parts&) {
    return jitted([f](Graph&, const Values& in) { return Values{f(in[0])}; }, {uniform({n, n})});
  };
}

// Three squares and two rows.
template <class F>
std::function<Call(const Parts&)> on_squares(F f) {
  return [f](const Parts&) {
    return jitted([f](Graph&, const Values& in) { return Values{f(in)}; },
                  {uniform({n, n}), uniform({n, n}) + 0.5f, uniform({n, n}) - 0.5f, uniform({n}), uniform({n})});
  };
}

Call rms_norm_gradients() {
  return jitted_gradients(
      [](Graph&, const Values& in) { return Values{sum_all(rms_norm(in[0], in[1], 1e-5) * in[2])}; },
      {uniform({n, n}), uniform({n}), uniform({n, n})}, 2);
}

Call cross_entropy_gradients() {
  return jitted_gradients([](Graph&, const Values& in) { return Values{cross_entropy(in[0], in[1])}; },
                          {uniform({n, 32000}), integers({n}, 32000)}, 1);
}

}  // namespace

Rows element_rows() {
  Rows rows;
  rows["gelu"] = on_squares([](const Values& in) { return gelu(in[0] + spread(in[3], in[0])); });
  rows["tanh_gelu"] = on_square([](const Value& x) { return tanh_gelu(x); });
  rows["silu_mul"] = on_squares([](const Values& in) { return silu(in[0]) * in[1]; });
  rows["chain5"] = on_squares([](const Values& in) { return tanh(in[0] * 2.0 + in[1]) * in[2] - in[0]; });
  rows["softmax"] = on_square([](const Value& x) { return softmax(x); });
  rows["layer_norm"] = on_squares([](const Values& in) { return layer_norm(in[0], in[3], in[4]); });
  rows["rms_norm"] = on_squares([](const Values& in) { return rms_norm(in[0], in[3], 1e-5); });
  rows["rms_norm_grad"] = [](const Parts&) { return rms_norm_gradients(); };
  rows["cross_entropy_grad"] = [](const Parts&) { return cross_entropy_gradients(); };
  rows["adamw"] = [](const Parts&) { return adamw_row(); };
  rows["sum_all"] = on_square([](const Value& x) { return sum_all(x); });
  rows["sum_last"] = on_square([](const Value& x) { return reduce_sum(x, {1}); });
  rows["sum_first"] = on_square([](const Value& x) { return reduce_sum(x, {0}); });
  rows["max_last"] = on_square([](const Value& x) { return reduce_max(x, {1}); });
  rows["cumsum_last"] = on_square([](const Value& x) { return cumsum(x, 1); });
  rows["cumsum_first"] = on_square([](const Value& x) { return cumsum(x, 0); });
  rows["sort"] = on_square([](const Value& x) { return sort(x); });
  rows["argmax"] = on_square([](const Value& x) { return argmax(x, 1); });
  rows["transpose"] = on_square([](const Value& x) { return transpose(x, {1, 0}); });
  rows["gather_rows"] = [](const Parts&) {
    return jitted([](Graph&, const Values& in) { return Values{take(in[0], in[1], 0)}; },
                  {uniform({32000, n}), integers({n}, 32000)});
  };
  rows["fft"] = [](const Parts&) {
    return jitted([](Graph&, const Values& in) { return Values{fft(in[0])}; },
                  {uniform({256, 4096}).astype(DType::complex64).eval()});
  };
  rows["jit_call"] = [](const Parts&) {
    return jitted([](Graph&, const Values& in) { return Values{in[0] * 2.0 + 1.0}; }, {uniform({4})});
  };
  rows["eager_add"] = [](const Parts&) -> Call { return [x = uniform({4})] { (x + 1).eval(); }; };
  return rows;
}

}  // namespace hearth::bench
