// SPDX-License-Identifier: Apache-2.0
#include "ops/fft/fft.h"

#include <cmath>
#include <complex>

#include "ops/complex/complex.h"
#include "ops/op_test.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

using Values = std::vector<Value>;
using Many = std::vector<Reals>;

struct Plane {
  Reals re, im;
};

// y[.., k, ..] = scale sum_j x[.., j, ..] e^(sign 2 pi i j k / n)
Plane along(const Plane& x, size_t axis, int sign, double scale) {
  const int64_t n = x.re.dims[axis];
  Plane y{Reals(x.re.dims), Reals(x.re.dims)};
  for_each_index(x.re.dims, [&](const Dims& index, int64_t i) {
    std::complex<double> sum = 0;
    Dims from = index;
    for (int64_t j = 0; j < n; ++j) {
      from[axis] = j;
      const double angle = sign * 2 * M_PI * double(j * index[axis] % n) / double(n);
      sum += std::complex<double>(x.re(from), x.im(from)) * std::polar(scale, angle);
    }
    y.re[i] = sum.real();
    y.im[i] = sum.imag();
  });
  return y;
}
Plane along_last(Plane x, size_t axes, int sign, bool divide) {
  for (size_t i = 0; i < axes; ++i) {
    const size_t axis = x.re.dims.size() - 1 - i;
    x = along(x, axis, sign, divide ? 1 / double(x.re.dims[axis]) : 1);
  }
  return x;
}
// The last axis as x would have it with n elements: cut, or filled with zeros.
Reals resized(const Reals& x, int64_t n) {
  Dims dims = x.dims;
  dims.back() = n;
  Reals y(dims);
  for_each_index(dims, [&](const Dims& index, int64_t i) { y[i] = index.back() < x.dims.back() ? x(index) : 0; });
  return y;
}
// All n elements of a transform whose result is real, from the first half.
Plane mirrored(const Plane& x, int64_t n) {
  Plane y{resized(x.re, n), resized(x.im, n)};
  for_each_index(y.re.dims, [&](const Dims& index, int64_t i) {
    Dims from = index;
    const bool mirror = 2 * index.back() > n;
    if (mirror) from.back() = n - index.back();
    y.re[i] = x.re(from);
    y.im[i] = index.back() == 0 || 2 * index.back() == n ? 0 : mirror ? -x.im(from) : x.im(from);
  });
  return y;
}

OpTest row(const std::string& name, const std::vector<Dims>& shapes, std::function<Values(const Values&)> build,
           std::function<Many(const Many&)> definition) {
  OpTest test{.op = "fft",
              .cases = {{name, {}}},
              .build = [=](Graph&, const Values& in) { return build(in); },
              .definition = std::move(definition),
              .dtypes = {DType::f32, DType::f64},
              .c = 8,
              .grad_c = 16};
  for (const Dims& dims : shapes) test.cases[0].in.push_back({dims});
  test.cases[0].terms = shapes[0].empty() ? 1 : std::max(1.0, double(num_elements(shapes[0])));
  return test;
}
Values parts(const Value& y) { return {real(y), imag(y)}; }

OpTest complex_row(const std::string& name, const Dims& dims, size_t axes, bool inverse) {
  const Dims length(dims.end() - long(axes), dims.end());
  return row(
      name, {dims, dims},
      [=](const Values& in) { return parts(fft_op(complex(in[0], in[1]), inverse ? "IFFT" : "FFT", length)); },
      [=](const Many& in) -> Many {
        const Plane y = along_last({in[0], in[1]}, axes, inverse ? 1 : -1, inverse);
        return {y.re, y.im};
      });
}
OpTest rfft_row(const std::string& name, const Dims& dims, size_t axes) {
  const Dims length(dims.end() - long(axes), dims.end());
  return row(
      name, {dims}, [=](const Values& in) { return parts(fft_op(in[0], "RFFT", length)); },
      [=](const Many& in) -> Many {
        const Plane y = along_last({in[0], Reals(in[0].dims)}, axes, -1, false);
        const int64_t half = length.back() / 2 + 1;
        return {resized(y.re, half), resized(y.im, half)};
      });
}
OpTest irfft_row(const std::string& name, const Dims& dims, size_t axes) {
  const Dims length(dims.end() - long(axes), dims.end());
  Dims half = dims;
  half.back() = dims.back() / 2 + 1;
  return row(
      name, {half, half}, [=](const Values& in) -> Values { return {fft_op(complex(in[0], in[1]), "IRFFT", length)}; },
      [=](const Many& in) -> Many {
        Plane x{in[0], in[1]};
        for (size_t i = 1; i < axes; ++i) {
          const size_t axis = dims.size() - 1 - i;
          x = along(x, axis, 1, 1 / double(dims[axis]));
        }
        return {along(mirrored(x, dims.back()), dims.size() - 1, 1, 1 / double(dims.back())).re};
      });
}

// The functions of numpy.fft: sizes, axes, norms.
std::vector<OpTest> functions() {
  const auto scaled = [](Reals x, double factor) {
    for (double& v : x.at) v *= factor;
    return x;
  };
  return {row(
              "fft_of_real_ortho", {{3, 5}}, [](const Values& in) { return parts(fft(in[0], {.norm = "ortho"})); },
              [=](const Many& in) -> Many {
                const Plane y = along({in[0], Reals(in[0].dims)}, 1, -1, 1 / std::sqrt(5.0));
                return {y.re, y.im};
              }),
          row(
              "ifft_filled", {{2, 3}, {2, 3}},
              [](const Values& in) { return parts(ifft(complex(in[0], in[1]), {.n = 6})); },
              [=](const Many& in) -> Many {
                const Plane y = along({resized(in[0], 6), resized(in[1], 6)}, 1, 1, 1.0 / 6);
                return {y.re, y.im};
              }),
          row(
              "rfft_cut_forward_of_axis_0", {{6, 2}},
              [](const Values& in) { return parts(rfft(in[0], {.n = 4, .axis = 0, .norm = "forward"})); },
              [=](const Many& in) -> Many {
                Plane x{Reals({4, 2}), Reals({4, 2})};
                std::copy_n(in[0].at.begin(), 8, x.re.at.begin());
                const Plane y = along(x, 0, -1, 0.25);
                Many out{Reals({3, 2}), Reals({3, 2})};
                std::copy_n(y.re.at.begin(), 6, out[0].at.begin());
                std::copy_n(y.im.at.begin(), 6, out[1].at.begin());
                return out;
              }),
          row(
              "irfft_default_length", {{2, 4}, {2, 4}},
              [](const Values& in) -> Values { return {irfft(complex(in[0], in[1]))}; },
              [=](const Many& in) -> Many {
                return {along(mirrored({in[0], in[1]}, 6), 1, 1, 1.0 / 6).re};
              }),
          row(
              "hfft", {{4}, {4}}, [](const Values& in) -> Values { return {hfft(complex(in[0], in[1]))}; },
              [=](const Many& in) -> Many {
                return {along(mirrored({in[0], in[1]}, 6), 0, -1, 1).re};
              }),
          row(
              "ihfft", {{6}}, [](const Values& in) { return parts(ihfft(in[0])); },
              [=](const Many& in) -> Many {
                const Plane y = along({in[0], Reals(in[0].dims)}, 0, 1, 1.0 / 6);
                return {resized(y.re, 4), resized(y.im, 4)};
              }),
          row(
              "fftn_of_axes_2_0", {{2, 3, 4}, {2, 3, 4}},
              [](const Values& in) {
                return parts(fftn(complex(in[0], in[1]), {.axes = Dims{2, 0}}));
              },
              [=](const Many& in) -> Many {
                const Plane y = along(along({in[0], in[1]}, 0, -1, 1), 2, -1, 1);
                return {y.re, y.im};
              }),
          row(
              "fftn_of_four_axes", {{2, 3, 2, 3}}, [](const Values& in) { return parts(fftn(in[0])); },
              [=](const Many& in) -> Many {
                const Plane y = along_last({in[0], Reals(in[0].dims)}, 4, -1, false);
                return {y.re, y.im};
              }),
          row(
              "irfftn_of_rfftn", {{2, 2, 3, 4}}, [](const Values& in) -> Values { return {irfftn(rfftn(in[0]))}; },
              [=](const Many& in) -> Many { return {in[0]}; }),
          row(
              "ifftn_with_sizes", {{2, 3}},
              [](const Values& in) {
                return parts(ifftn(in[0], {.s = Dims{2, 5}, .norm = "forward"}));
              },
              [=](const Many& in) -> Many {
                const Reals x = resized(in[0], 5);
                const Plane y = along_last({x, Reals(x.dims)}, 2, 1, false);
                return {y.re, y.im};
              }),
          row(
              "shift_of_frequencies", {{5}},
              [](const Values& in) -> Values {
                Graph& g = *in[0].graph;
                return {real(fft(in[0])), fftshift(fftfreq(g, 5, 0.5, in[0].dtype())), ifftshift(fftshift(in[0])),
                        rfftfreq(g, 4, 1, in[0].dtype())};
              },
              [=](const Many& in) -> Many {
                Reals shifted(Dims{5}), half(Dims{3});
                shifted.at = {-0.8, -0.4, 0, 0.4, 0.8};
                half.at = {0, 0.25, 0.5};
                return {along({in[0], Reals(in[0].dims)}, 0, -1, 1).re, shifted, scaled(in[0], 1), half};
              })};
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests = functions();
  for (const bool inverse : {false, true}) {
    const std::string name = inverse ? "inverse_" : "forward_";
    for (const OpTest& test :
         {complex_row(name + "one", {1}, 1, inverse), complex_row(name + "16", {3, 16}, 1, inverse),
          complex_row(name + "tile_plus_1", {17, 12}, 1, inverse), complex_row(name + "prime", {2, 37}, 1, inverse),
          complex_row(name + "split", {1, 130}, 1, inverse), complex_row(name + "two_axes", {2, 4, 6}, 2, inverse),
          complex_row(name + "three_axes", {2, 3, 4}, 3, inverse), complex_row(name + "no_rows", {0, 4}, 1, inverse)})
      tests.push_back(test);
  }
  for (const int64_t n : {1, 2, 7, 8, 30, 37}) {
    tests.push_back(rfft_row("real_" + std::to_string(n), {2, n}, 1));
    tests.push_back(irfft_row("to_real_" + std::to_string(n), {2, n}, 1));
  }
  tests.push_back(rfft_row("real_three_axes", {2, 3, 4}, 3));
  tests.push_back(irfft_row("to_real_two_axes", {2, 3, 5}, 2));
  tests.push_back(rfft_row("real_no_rows", {0, 6}, 1));
  return tests;
}

HEARTH_OP_TESTS(fft, rows)

}  // namespace
}  // namespace hearth
