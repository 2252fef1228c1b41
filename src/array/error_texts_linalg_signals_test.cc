// SPDX-License-Identifier: Apache-2.0
// Error texts of linear algebra, Fourier transforms, signals and histograms.
#include "array/error_texts_test.h"

namespace hearth {
namespace {

TEST(ErrorTexts, linear_algebra) {
  const Array x = zeros({2, 3}), v = zeros({3});
  expect_texts({
      {"solve/not_square", [&] { solve(x, zeros({2})); },
       "solve: needs square matrices: 2 != 3\n"
       "  a is f32[2,3]"},
      {"solve/rows_differ", [] { solve(eye(3), zeros({2})); },
       "solve: a has 3 rows, b 2\n"
       "  a is f32[3,3]\n"
       "  b is f32[2]"},
      {"solve/batches_differ",
       [] {
         solve(zeros({2, 3, 3}), zeros({4, 3, 1}));
       },
       "solve: leading axes do not broadcast\n"
       "  a is f32[2,3,3]\n"
       "  b is f32[4,3,1]"},
      {"inv/not_square", [&] { inv(x); },
       "inv: needs square matrices: 2 != 3\n"
       "  a is f32[2,3]"},
      {"inv/vector", [&] { inv(v); },
       "inv: needs matrices, at least 2 axes\n"
       "  a is f32[3]"},
      {"det/not_square", [&] { det(x); },
       "det: needs square matrices: 2 != 3\n"
       "  a is f32[2,3]"},
      {"slogdet/not_square", [&] { slogdet(x); },
       "slogdet: needs square matrices: 2 != 3\n"
       "  a is f32[2,3]"},
      {"cholesky/not_square", [&] { cholesky(x); },
       "cholesky: needs square matrices: 2 != 3\n"
       "  a is f32[2,3]"},
      {"qr/mode", [&] { qr(x, "raw"); }, "qr: mode 'raw' is neither reduced nor complete"},
      {"qr/vector", [&] { qr(v); },
       "qr: needs matrices, at least 2 axes\n"
       "  a is f32[3]"},
      {"svd/vector", [&] { svd(v); },
       "svd: needs matrices, at least 2 axes\n"
       "  a is f32[3]"},
      {"eigh/not_square", [&] { eigh(x); },
       "eigh: needs square matrices: 2 != 3\n"
       "  a is f32[2,3]"},
      {"eig/not_square", [&] { eig(x); },
       "eig: needs square matrices: 2 != 3\n"
       "  a is f32[2,3]"},
      {"pinv/vector", [&] { pinv(v); },
       "pinv: needs matrices, at least 2 axes\n"
       "  a is f32[3]"},
      {"lstsq/rows_differ", [&] { lstsq(x, zeros({3})); },
       "lstsq: needs a matrix and as many rows of b\n"
       "  a is f32[2,3]\n"
       "  b is f32[3]"},
      {"matrix_power/not_square", [&] { matrix_power(x, 2); },
       "matrix_power: needs square matrices: 2 != 3\n"
       "  a is f32[2,3]"},
      {"expm/not_square", [&] { expm(x); },
       "expm: needs square matrices: 2 != 3\n"
       "  a is f32[2,3]"},
      {"matrix_transpose/vector", [&] { matrix_transpose(v); },
       "matrix_transpose: needs at least 2 axes\n"
       "  x is f32[3]"},
      {"diagonal/vector", [&] { diagonal(v); },
       "diagonal: needs matrices, at least 2 axes\n"
       "  x is f32[3]"},
      {"trace/vector", [&] { trace(v); },
       "trace: needs matrices, at least 2 axes\n"
       "  x is f32[3]"},
      {"matrix_norm/order", [&] { matrix_norm(x, "max"); },
       "matrix_norm: ord 'max' is none of fro, nuc, 1, -1, 2, -2, inf, -inf"},
      {"matrix_norm/axis_twice",
       [&] {
         matrix_norm(x, "fro", {0, 0});
       },
       "matrix_norm: axis 0 is named twice\n"
       "  x is f32[2,3]"},
      {"norm/three_axes",
       [] {
         norm(zeros({2, 2, 2}), {.axis = {0, 1, 2}, .ord = "fro"});
       },
       "norm: an order needs one axis or two, it has 3\n"
       "  x is f32[2,2,2]\n"
       "  hint: name them, or leave the order out: then it is the 2-norm of all elements"},
      {"norm/vector_order", [&] { norm(v, {.ord = "nuc"}); },
       "norm: order 'nuc' is for matrices\n"
       "  x is f32[3]"},
      {"vector_norm/axis", [&] { vector_norm(x, {.axis = 2}); },
       "vector_norm: axis 2 does not exist\n"
       "  x is f32[2,3]"},
      {"cond/vector", [&] { cond(v); },
       "cond: needs matrices, at least 2 axes\n"
       "  x is f32[3]"},
      {"matrix_rank/vector", [&] { matrix_rank(v); },
       "matrix_rank: needs matrices, at least 2 axes\n"
       "  a is f32[3]"},
  });
}

TEST(ErrorTexts, signals) {
  const Array x = zeros({2, 3}), z = zeros({2, 3}, DType::complex64);
  expect_texts({
      {"fft/axis", [&] { fft(z, {.axis = 2}); },
       "fft: axis 2 does not exist\n"
       "  x is complex64[2,3]"},
      {"fft/length", [&] { fft(z, {.n = 0}); },
       "fft: length 0 of axis 1 is less than 1\n"
       "  x is complex64[2,3]"},
      {"fft/norm", [&] { fft(z, {.norm = "unitary"}); }, "fft: norm 'unitary' is none of backward, ortho, forward"},
      {"fft/scalar", [] { fft(zeros({}, DType::complex64)); },
       "fft: axis -1 does not exist\n"
       "  x is complex64[]"},
      {"rfft/complex", [] { rfft(zeros({3}, DType::complex64)); }, "rfft: needs real numbers; x is complex64[3]"},
      {"irfft/one_element", [] { irfft(zeros({1}, DType::complex64)); },
       "irfft: length 0 of axis 0 is less than 1\n"
       "  x is complex64[1]"},
      {"fftn/counts_differ",
       [&] {
         fftn(z, {.s = Dims{2}, .axes = Dims{0, 1}});
       },
       "fftn: 1 lengths for 2 axes\n"
       "  x is complex64[2,3]"},
      {"fftn/too_many_lengths",
       [&] {
         fftn(z, {.s = Dims{2, 2, 2}});
       },
       "fftn: 3 lengths for 2 axes\n"
       "  x is complex64[2,3]"},
      {"fftn/axis", [&] { fftn(z, {.axes = Dims{2}}); },
       "fftn: axis 2 does not exist\n"
       "  x is complex64[2,3]"},
      {"rfftn/no_axes", [&] { rfftn(x, {.axes = Dims{}}); },
       "rfftn: needs at least one axis\n"
       "  x is f32[2,3]"},
      {"fft2/vector", [] { fft2(zeros({3}, DType::complex64)); },
       "fft2: axis -2 does not exist\n"
       "  x is complex64[3]"},
      {"fftfreq/count", [] { fftfreq(0); }, "fftfreq: n is 0; there must be a sample"},
      {"fftfreq/integers", [] { fftfreq(4, 1, DType::i32); }, "fftfreq: dtype must be a float; it is i32"},
      {"fftshift/axis", [&] { fftshift(x, Dims{2}); },
       "fftshift: axis 2 does not exist\n"
       "  x is f32[2,3]"},
      {"convolve/matrix", [&] { convolve(x, zeros({3})); },
       "convolve: needs one axis\n"
       "  a is f32[2,3]\n"
       "  v is f32[3]"},
      {"convolve/empty", [] { convolve(zeros({3}), zeros({0})); },
       "convolve: an operand is empty\n"
       "  a is f32[3]\n"
       "  v is f32[0]"},
      {"correlate/mode", [] { correlate(zeros({3}), zeros({2}), "circular"); },
       "correlate: mode 'circular' is none of full, same, valid"},
      {"histogram/no_bins", [&] { histogram(x, 0); }, "histogram: needs at least one bin, given 0"},
      {"histogram/range", [&] { histogram(x, 4, {.range = std::pair(2.0, 1.0)}); },
       "histogram: the range ends at 1, before it begins at 2"},
      {"histogram/weights_do_not_fit", [&] { histogram(x, 4, {.weights = zeros({2})}); },
       "histogram: weights need x's shape\n"
       "  x is f32[2,3]\n"
       "  weights is f32[2]"},
      {"histogram/one_edge", [&] { histogram(x, zeros({1})); }, "histogram: needs at least two edges, given f32[1]"},
      {"histogram/complex", [] { histogram(zeros({3}, DType::complex64), 4); },
       "histogram: needs real numbers; x is complex64[3]"},
      {"bincount/floats", [] { bincount(zeros({3})); }, "bincount: needs integers; x is f32[3]"},
      {"bincount/matrix", [&] { bincount(x); }, "bincount: needs one axis; x is f32[2,3]"},
      {"bincount/negative_length", [] { bincount(arange(3), {.minlength = -1}); },
       "bincount: a length is negative: -1"},
      {"digitize/matrix", [&] { digitize(zeros({3}), x); }, "digitize: bins need one axis; they are f32[2,3]"},
      {"interp/sizes_differ", [] { interp(zeros({3}), arange(3), arange(4)); },
       "interp: xp and fp need one axis of the same size, not 0\n"
       "  xp is i32[3]\n"
       "  fp is i32[4]"},
      {"interp/period_is_zero", [] { interp(zeros({3}), arange(3), arange(3), {.period = 0.0}); },
       "interp: the period is 0"},
      {"trapezoid/places_do_not_fit", [&] { trapezoid(x, {.x = zeros({2})}); },
       "trapezoid: x needs 3 elements, or y's shape\n"
       "  y is f32[2,3]\n"
       "  x is f32[2]"},
      {"gradient/too_few_elements", [] { gradient(zeros({1})); },
       "gradient: needs at least 2 elements along axis 0; f is f32[1]"},
      {"gradient/edge_order", [&] { gradient(x, {.edge_order = 3}); }, "gradient: edge_order is 3, not 1 or 2"},
      {"cov/three_axes",
       [] {
         cov(zeros({2, 2, 2}));
       },
       "cov: needs at most 2 axes; m is f32[2,2,2]"},
      {"cov/weights_do_not_fit", [&] { cov(x, {.aweights = zeros({2})}); },
       "cov: weights must be [3]; they are f32[2]"},
  });
}

}  // namespace
}  // namespace hearth
