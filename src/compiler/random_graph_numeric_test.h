// SPDX-License-Identifier: Apache-2.0
#pragma once
// Steps of random graphs that compute: special functions, convolution, complex numbers, Fourier transforms, matrices.

#include "compiler/random_graph_order_test.h"
#include "ops/complex/complex.h"
#include "ops/convolution/convolution.h"
#include "ops/fft/fft.h"
#include "ops/linalg/linalg.h"
#include "ops/linalg/linalg_functions.h"
#include "ops/matmul/matmul.h"
#include "ops/norms/norms.h"
#include "ops/softmax/softmax.h"
#include "ops/special/special.h"

namespace hearth {

class NumericSteps : public OrderSteps {
 protected:
  using OrderSteps::OrderSteps;

  void special() {
    const Tracked x = as_float(pick(), any_float());
    const double eps = 8 * (epsilon(x.value.dtype()) + epsilon(DType::f32));
    const Tracked unit = within(x, 0.75), few = within(x, 3), p = positive(few);
    const auto from = [&](const Value& y, const Tracked& in, double bound, double slope) {
      add(y, bound, 1, slope * in.error + eps * (1 + bound));
    };
    switch (choose(26)) {
      case 0: return from(erf(x.value), x, 1, 1.2);
      case 1: return from(erfc(x.value), x, 2, 1.2);
      case 2: return from(erf_inv(unit.value), unit, 1, 2);
      case 3: return from(lgamma(p.value), p, 15, 3);
      case 4: return from(digamma(p.value), p, 3, 2);
      case 5: return from(sinc(few.value), few, 1, 2);
      case 6: return from(logaddexp(x.value, few.value), x, x.bound + 3, 2);
      case 7: return from(hypot(p.value, few.value), p, p.bound + 3, 2);
      case 8: return from(asin(unit.value), unit, 1, 2);
      case 9: return from(acos(unit.value), unit, 3, 2);
      case 10: return from(atan(x.value), x, 2, 1);
      case 11: return from(sinh(few.value), few, 11, 11);
      case 12: return from(cosh(few.value), few, 11, 11);
      case 13: return from(asinh(x.value), x, 1 + std::log1p(x.bound), 1);
      case 14: return from(acosh(p.value + 0.5), p, 4, 1);
      case 15: return from(atanh(unit.value), unit, 1, 3);
      case 16: return from(log2(p.value), p, 4, 1.5);
      case 17: return from(exp2(few.value), few, 8, 6);
      case 18: return from(square(few.value), few, 9, 6);
      case 19: return from(reciprocal(p.value), p, 1, 1);
      case 20: return from(expm1(few.value), few, 20, 21);
      case 21: return from(log1p(p.value), p, 3, 1);
      case 22: return from(cbrt(p.value), p, 3, 1);
      case 23: return from(power(p.value, unit.value), p, 6, 3);
      case 24: return from(tan(unit.value), unit, 1, 2);
      default: return from(atan2(few.value, p.value), few, 2, 2);
    }
  }

  void whole_number_functions() {
    const Tracked x = pick(), picked = pick();
    const DType t = x.value.dtype();
    const Tracked y = compatible(like(picked, t), x.value.dims());
    if (t == DType::boolean || !x.exact() || !y.value.valid() || !y.exact() || !(x.unit >= 1 && y.unit >= 1)) return;
    if (is_float(t) && x.bound > 1000) return;
    const double bound = is_float(t) ? 1000 : exact_limit(t);
    const Value divisor = is_float(t) ? unary("abs", y.value) + 1.0 : y.value;
    switch (choose(is_float(t) ? 9u : 7u)) {
      case 0: return add(remainder(x.value, divisor), bound, 1, 0);
      case 1: return add(mod(x.value, divisor), bound, 1, 0);
      case 2: return add(fmod(x.value, divisor), bound, 1, 0);
      case 3: return is_float(t) ? void() : add(floor_divide(x.value, divisor), bound, 1, 0);
      case 4: return add(clamp(scalar_like(x.value, 0), x.value, scalar_like(x.value, 2)), 2, 1, 0);
      case 5: return is_float(t) ? void() : add(unary("popcnt", x.value), 64, 1, 0);
      case 6: return is_float(t) ? void() : add(unary("count_leading_zeros", x.value), 64, 1, 0);
      case 7: return add(round_nearest_even(x.value * 0.5), bound, 1, 0);
      default: return add(round_nearest_afz(x.value * 0.5), bound, 1, 0);
    }
  }

  void normalised_by_more() {
    const Tracked x = as_float(pick(), any_float());
    if (x.value.rank() == 0 || x.value.type().elements() == 0 || x.bound > 30) return;
    const DType t = x.value.dtype();
    const double eps = epsilon(t) + 4 * epsilon(DType::f32), n = double(x.value.dim(-1));
    switch (choose(3)) {
      case 0: return add(log_softmax(x.value), 2 * x.bound + std::log(n), 1, 2 * x.error + 8 * eps * (1 + x.bound));
      case 1: return add(logsumexp(x.value), x.bound + std::log(n), 1, x.error + 8 * eps * (1 + x.bound));
      default: {  // far from constant rows, which have no place to be moved to
        const Dims dims = {1 + choose(3), 4 + choose(5)};
        const Value slope = iota(graph_, t, dims, 1);
        const Tracked in = small(t, dims), w = small(t, {dims[1]}), b = small(t, {dims[1]});
        const double error = 8 * (in.error + w.error + b.error + 8 * eps);
        return add(layer_norm(in.value + slope, w.value, b.value), 4, 1, error);
      }
    }
  }

  void convolved() {
    const Tracked picked = pick();
    const DType t =
        is_float(picked.value.dtype()) || picked.value.dtype() == DType::i32 ? picked.value.dtype() : any_float();
    const int64_t B = 1 + choose(2), C = 1 + choose(2), F = 1 + choose(3), G = 1 + choose(2);
    Dims lhs = {B, C * G, 2 + choose(4)}, rhs = {F * G, C, 1 + choose(2)};
    const bool plane = coin();
    if (plane) lhs.push_back(1 + choose(4)), rhs.push_back(1);
    ConvolutionOptions o{.feature_groups = G};
    for (size_t i = 2; i < lhs.size(); ++i) {
      o.strides.push_back(1 + choose(2));
      o.low.push_back(int64_t(choose(3)));
      o.high.push_back(int64_t(choose(3)) - (o.low.back() > 0));
      o.lhs_dilation.push_back(1 + (choose(4) == 0));
      o.rhs_dilation.push_back(1 + (choose(4) == 0));
      o.reversal.push_back(choose(4) == 0);
    }
    if (choose(3) == 0) {  // channels last
      o.axes = plane ? convolution_axes("NHWC", "HWIO", "NHWC") : convolution_axes("NWC", "WIO", "NWC");
      std::rotate(lhs.begin() + 1, lhs.begin() + 2, lhs.end());
      std::rotate(rhs.begin(), rhs.begin() + 2, rhs.end());
      std::swap(rhs[rhs.size() - 2], rhs[rhs.size() - 1]);
    }
    const Tracked x = fitted(like(picked, t), lhs), w = fitted(like(pick(), t), rhs);
    if (!x.value.valid() || !w.value.valid()) return;
    const double terms = double(2 * C);
    add(conv_general_dilated(x.value, w.value, o), terms * x.bound * w.bound, x.unit * w.unit,
        terms * (x.error * w.bound + w.error * x.bound + x.error * w.error), terms * x.bound * w.bound);
  }

  // Real numbers to complex ones, some steps there, and back.
  void through_complex() {
    const DType t = any_wide_float();
    const Dims dims = with_an_axis(any_dims());
    const Tracked re = small(t, dims), im = small(t, dims);
    Tracked z = {complex(re.value, im.value), 1.5, 1, re.error + im.error + epsilon(t)};
    for (uint32_t steps = choose(4); steps > 0; --steps) complex_step(z, t);
    if (z.value.dtype() == t) return same_real(z.value, z);
    switch (choose(4)) {
      case 0: return same_real(real(z.value), z);
      case 1: return same_real(imag(z.value), z);
      case 2:
        return add(abs(z.value + constant(graph_, {0, 2 * z.bound + 1}, z.value.dtype())), 3 * z.bound + 1, 1,
                   z.error + 4 * epsilon(t) * (3 * z.bound + 1));
      default: return same_real(real(z.value * conj(z.value)), {{}, z.bound * z.bound, 1, 3 * z.error * z.bound});
    }
  }

  void fourier_of_real() {
    const DType t = any_wide_float();
    const Dims dims = with_an_axis(any_dims());
    const Tracked x = small(t, dims);
    const int64_t axis = choose(uint32_t(dims.size())), n = dims[size_t(axis)];
    const Value half = rfft(x.value, {.axis = axis});
    const double error = double(n) * (x.error + 4 * epsilon(t));
    if (coin()) return same_real(irfft(half * half, {.n = n, .axis = axis}), {{}, double(n), 1, 3 * double(n) * error});
    same_real(coin() ? real(half) : imag(half), {{}, double(n), 1, error});
  }

  // Matrices far from singular, their eigenvalues and singular values far from each other; of what is not unique (signs
  // of vectors) only what does not depend on it.
  void factored() {
    const DType t = any_wide_float();
    const int64_t n = 1 + choose(4), k = 1 + choose(3);
    const bool stacked = choose(3) == 0;
    const auto sized = [&](Dims d) {
      if (stacked) d.insert(d.begin(), 2);
      return d;
    };
    const Tracked noise = within(small(t, sized({n, n})), 0.25), b = small(t, sized({n, k}));
    std::vector<double> steps(size_t(n * n), 0);
    for (int64_t i = 0; i < n; ++i) steps[size_t(i * n + i)] = 2 + 2 * double(i);
    const Value a = noise.value + constant_list(graph_, steps, t, {n, n});
    const Value symmetric = noise.value + swapped(noise.value) + constant_list(graph_, steps, t, {n, n});
    const double most = 2 * double(n) + 1, eps = 64 * epsilon(t), error = 16 * (noise.error + b.error) + eps * most;
    const auto found = [&](const Value& y, double bound) { add(y, bound, 1, error * std::max(1.0, bound)); };
    switch (choose(9)) {
      case 0: return found(cholesky(symmetric, coin()), most);
      case 1: {
        TriangularOptions options{
            .left_side = coin(), .lower = coin(), .transpose_a = coin() ? "TRANSPOSE" : "NO_TRANSPOSE"};
        return found(triangular_solve(a, options.left_side ? b.value : swapped(b.value), options), 2);
      }
      case 2: return found(solve(a, b.value), 2);
      case 3: return found(lu(a).lu, most);
      case 4: {
        const Qr f = qr(a);
        return coin() ? found(product(f.q, f.r), most) : found(product(swapped(f.r), f.r), most * most);
      }
      case 5: {
        const Eigh f = eigh(symmetric, coin());
        if (coin()) return found(f.values, most);
        const Value scaled_columns = f.vectors * exp(reshape(f.values * -0.5, with_one_before_last(f.values.dims())));
        return found(product(scaled_columns, swapped(f.vectors)), 4);
      }
      case 6: {
        const Svd f = svd(a, false);
        if (coin()) return found(f.s, most);
        return found(product(f.u * reshape(sqrt(f.s), with_one_before_last(f.s.dims())), f.vh), most);
      }
      case 7: return found(inv(a), 2);
      default: return found(slogdet(a).log_abs, 8);
    }
  }

 private:
  // x scaled so that its bound is at most this.
  Tracked within(const Tracked& x, double most) {
    if (x.bound <= most) return x;
    const double scale = std::exp2(std::floor(std::log2(most / x.bound)));
    return {x.value * scale, x.bound * scale, x.unit * scale, x.error * scale};
  }

  void same_real(const Value& v, const Tracked& z) { add(v, z.bound, 1, z.error + 2 * epsilon(v.dtype()) * z.bound); }

  static Dims with_one_before_last(Dims dims) {
    dims.insert(dims.end() - 1, 1);
    return dims;
  }
  static Value swapped(const Value& x) {
    Dims order(size_t(x.rank()));
    for (size_t i = 0; i < order.size(); ++i) order[i] = int64_t(i);
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    return transpose(x, order);
  }
  static Value product(const Value& a, const Value& b) {
    const int64_t last = a.rank() - 1;
    return last == 1 ? dot_general(a, b, {{}, {}, {1}, {0}}) : dot_general(a, b, {{0}, {0}, {2}, {1}});
  }

  void complex_step(Tracked& z, DType t) {
    if (z.value.dtype() == t) return;
    const double eps = 4 * epsilon(t), n = double(z.value.dim(0));
    const auto becomes = [&](const Value& v, double bound, double error) { z = {v, bound, 1, error + eps * bound}; };
    if (z.bound > 50) return;
    switch (choose(11)) {
      case 0: return becomes(z.value * z.value, z.bound * z.bound, 2 * z.bound * z.error);
      case 1:
        return becomes(conj(z.value) + z.value * constant(graph_, {0.5, -0.25}, z.value.dtype()), 2 * z.bound,
                       2 * z.error);
      case 2: return z.bound > 2 ? void() : becomes(exp(z.value), std::exp(z.bound), 2 * std::exp(z.bound) * z.error);
      case 3: return z.bound > 2 ? void() : becomes(sin(z.value), std::exp(z.bound), 2 * std::exp(z.bound) * z.error);
      case 4: return becomes(fft(z.value, {.axis = 0}), n * z.bound, n * z.error);
      case 5: return becomes(ifft(z.value, {.axis = -1}), z.bound, z.error);
      case 6:
        return becomes(reduce_sum(broadcast_in_dim(z.value, with_two(z.value.dims()), axes_after(z.value)), {0}),
                       2 * z.bound, 2 * z.error);
      case 7: return becomes(reverse(z.value, {0}) - z.value, 2 * z.bound, 2 * z.error);
      case 8: return becomes(cumsum(z.value, 0), n * z.bound, n * z.error);
      case 9: {
        const Value shifted = z.value + constant(graph_, {z.bound + 1, 0}, z.value.dtype());  // off the branch cut
        return coin() ? becomes(log(shifted), 4 + std::log1p(z.bound), 2 * z.error)
                      : becomes(sqrt(shifted), 2 + z.bound, 2 * z.error);
      }
      default: {
        const Value d = z.value + constant(graph_, {0, z.bound + 1}, z.value.dtype());
        return becomes(z.value / d, z.bound, 2 * (1 + z.bound) * z.error);
      }
    }
  }
  static Dims with_two(Dims dims) {
    dims.insert(dims.begin(), 2);
    return dims;
  }
  static Dims axes_after(const Value& x) {
    Dims axes;
    for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i + 1);
    return axes;
  }
};

}  // namespace hearth
