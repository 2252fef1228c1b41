// SPDX-License-Identifier: Apache-2.0
// Random vectors and matrices.
// Source: jax/_src/random/core.py of JAX 0.10; orthogonal: Mezzadri 2007, arXiv:math-ph/0609050.
#include <numeric>

#include "array/random.h"
#include "array/random_values.h"
#include "ops/linalg/linalg.h"
#include "ops/reduce/reduce.h"

namespace hearth::random {
namespace {

Value swap_last(const Value& x) {
  Dims order(size_t(x.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return transpose(x, order);
}

Value with_axis(const Value& x, int64_t axis) {
  Dims dims = x.dims();
  dims.insert(dims.begin() + axis, 1);
  return reshape(x, dims);
}

// F of F F^T = covariance.
Value factor_of(const Value& covariance, const std::string& method) {
  if (method == "cholesky") return cholesky(covariance);
  if (method == "svd") {
    const Svd parts = svd(covariance);
    return parts.u * with_axis(sqrt(parts.s), parts.s.rank() - 1);
  }
  const Eigh parts = eigh(covariance);
  return parts.vectors * with_axis(sqrt(parts.values), parts.values.rank() - 1);
}

}  // namespace

Array multivariate_normal(const Array& key, const Array& mean, const Array& cov, DType dtype,
                          const MultivariateNormalOptions& options) {
  check_float("multivariate_normal", dtype);
  HEARTH_CHECK(options.method == "cholesky" || options.method == "svd" || options.method == "eigh", value,
               "multivariate_normal: no method \"", options.method, "\"; has cholesky, svd, eigh");
  HEARTH_CHECK(mean.ndim() >= 1 && cov.ndim() >= 2 && cov.dim(-1) == mean.dim(-1) && cov.dim(-2) == mean.dim(-1), shape,
               "multivariate_normal: cov must be [..., N, N] for a mean [..., N]\n  mean is ", mean.type(),
               "\n  cov is ", cov.type());
  const int64_t n = mean.dim(-1);
  return sample("multivariate_normal", key, [&](const Value& k) {
    const Value m = to_value(mean, dtype), factor = factor_of(to_value(cov, dtype), options.method);
    Dims batch(m.dims().begin(), m.dims().end() - 1);
    const Dims factors(factor.dims().begin(), factor.dims().end() - 2);
    const Value probe = constant(*k.graph, 0, DType::u8, batch), other = constant(*k.graph, 0, DType::u8, factors);
    batch = broadcast_dims("multivariate_normal", probe, other);
    Dims dims = options.shape.value_or(batch);
    HEARTH_CHECK(broadcast_dims("multivariate_normal", constant(*k.graph, 0, DType::u8, dims),
                                constant(*k.graph, 0, DType::u8, batch)) == dims,
                 shape, "multivariate_normal: the parameters do not broadcast to the shape\n  shape is ",
                 TensorType{dtype, dims}, "\n  mean is ", mean.type(), "\n  cov is ", cov.type());
    dims.push_back(n);
    const Value x = normal_value(k, dims, dtype);  // [..., N]
    return m + reduce_sum(factor * with_axis(x, x.rank() - 1), {x.rank()});
  });
}

Array orthogonal(const Array& key, int64_t n, const Dims& shape, DType dtype, const OrthogonalOptions& options) {
  check_float("orthogonal", dtype);
  const int64_t m = options.columns < 0 ? n : options.columns;
  HEARTH_CHECK(n >= 0, value, "orthogonal: ", n, " rows");
  return sample("orthogonal", key, [&](const Value& k) {
    Dims dims = shape;
    dims.insert(dims.end(), {std::max(n, m), std::min(n, m)});
    const Qr parts = qr(normal_value(k, dims, dtype));
    // Signs of the diagonal, which is what makes the distribution uniform.
    const Dims square = parts.r.dims();
    const int64_t last = parts.r.rank() - 1;
    const Value diagonal =
        compare("EQ", iota(*k.graph, DType::i32, square, last - 1), iota(*k.graph, DType::i32, square, last));
    const Value signs = sign(reduce_sum(select(diagonal, parts.r, scalar_like(parts.r, 0)), {last - 1}));
    const Value q = parts.q * with_axis(signs, last - 1);
    return n < m ? swap_last(q) : q;
  });
}

}  // namespace hearth::random
