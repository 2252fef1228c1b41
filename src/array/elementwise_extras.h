// SPDX-License-Identifier: Apache-2.0
#pragma once
// Functions made of element-wise ones: special functions, activations of neural networks, comparisons of whole arrays.
// Types and shapes as in array/elementwise_functions.h; integers become f32.

#include <limits>
#include <optional>

#include "array/array.h"

namespace hearth {

// --- special functions, floats --------------------------------------------------------------------------------------

Array erf(const Array& x);
Array erfc(const Array& x);
Array erfinv(const Array& x);
Array lgamma(const Array& x);  // log |gamma(x)|
Array digamma(const Array& x);
Array logit(const Array& x);  // log(x / (1 - x))

// --- activations ----------------------------------------------------------------------------------------------------

Array sigmoid(const Array& x);
Array relu(const Array& x);      // maximum(x, 0); its derivative at 0 is 0
Array silu(const Array& x);      // x sigmoid(x)
Array softplus(const Array& x);  // log(1 + exp(x)) without overflow
Array log_sigmoid(const Array& x);
struct GeluOptions {
  bool approximate = true;  // by tanh, as JAX's default; false: x / 2 erfc(-x / sqrt 2)
};
Array gelu(const Array& x, GeluOptions options = {});
struct LeakyReluOptions {
  double negative_slope = 0.01;
};
Array leaky_relu(const Array& x, LeakyReluOptions options = {});
Array elu(const Array& x, double alpha = 1.0);  // x above 0, alpha (exp(x) - 1) below

// exp(x - max) / sum along the axis, of x's shape. A slice of only -infinity gives NaN, as in NumPy and JAX.
Array softmax(const Array& x, int64_t axis = -1);
Array log_softmax(const Array& x, int64_t axis = -1);
struct LogsumexpOptions {
  std::optional<Dims> axes = {};  // none: over all
  bool keepdims = false;
};
Array logsumexp(const Array& x, const LogsumexpOptions& options = {});  // log(sum(exp(x))) without overflow

struct OneHotOptions {
  DType dtype = DType::f32;
};
// Integers [i...] -> [i..., classes]: 1 at the class that x names, 0 elsewhere; nothing for classes that do not exist.
Array one_hot(const Array& x, int64_t classes, OneHotOptions options = {});

// --- repair and comparison ------------------------------------------------------------------------------------------

struct NanToNumOptions {
  double nan = 0;
  std::optional<double> posinf = {}, neginf = {};  // none: the largest and the lowest number of the dtype
};
Array nan_to_num(const Array& x, const NanToNumOptions& options = {});

struct CloseOptions {
  double rtol = 1e-5, atol = 1e-8;
  bool equal_nan = false;
};
Array isclose(const Array& a, const Array& b, const CloseOptions& options = {});   // |a - b| <= atol + rtol |b|
Array allclose(const Array& a, const Array& b, const CloseOptions& options = {});  // bool scalar
Array array_equal(const Array& a, const Array& b);  // bool scalar: same shape and elements; never throws for shapes

}  // namespace hearth
