// SPDX-License-Identifier: Apache-2.0
#pragma once
// Random arrays from keys, jax.random for Array: the same key gives the same bits as in JAX 0.10 with its default
// configuration (Threefry-2x32, jax_threefry_partitionable), on any device and number of threads. Nothing has a state:
// a key used twice gives the same numbers twice, so split it first.
//   Array k = random::split(random::key(0));  // u32[2,2]
// Integers, uniform and permutations are JAX's exactly; what goes through log, erf_inv, pow ... agrees to rounding. All
// functions are lazy, work inside jit, and take one key, u32[2]; vmap over keys. Gradients flow to parameters where
// JAX's do, through gamma and what is made of it too (first derivatives); not through poisson, binomial.
// `shape` {} is a scalar; where it is a Shape and not given it is that of the broadcast parameters.
// Throw Error{shape} for a key that is not u32[2] and parameters that do not broadcast to the shape, Error{dtype} where
// the dtype has no meaning for the function, Error{value} for other arguments.

#include <optional>
#include <string>

#include "array/array.h"

namespace hearth::random {

using Shape = std::optional<Dims>;

// --- keys: u32[2]

// The high and the low word of the seed: JAX's key with 64-bit types enabled, and for seeds in [0, 2^32) without.
Array key(int64_t seed);
Array key(const Array& seed);  // an integer scalar; one narrower than 64 bits is word 1, as in JAX
inline Array PRNGKey(int64_t seed) { return key(seed); }
Array split(const Array& key, int64_t count = 2);    // u32[count,2]
Array split(const Array& key, const Dims& shape);    // u32[shape...,2]
Array fold_in(const Array& key, const Array& data);  // a key for an integer, of which the low 32 bits count

// --- uniform numbers

Array bits(const Array& key, const Dims& shape = {}, DType dtype = DType::u32);  // unsigned dtypes
struct UniformOptions {
  Array minval = 0.0, maxval = 1.0;
};
// In [minval, maxval); of [0, 1) multiples of the distance of 1 to the next float, never 1.
Array uniform(const Array& key, const Dims& shape = {}, DType dtype = DType::f32, const UniformOptions& options = {});
// In [minval, maxval), where maxval may be one more than the dtype holds; minval where that is empty. Biased by at most
// span / 2^(twice the width, 64 at least), as in JAX.
Array randint(const Array& key, const Dims& shape, const Array& minval, const Array& maxval, DType dtype = DType::i32);

// --- order and choice

struct PermutationOptions {
  int64_t axis = 0;
  bool independent = false;  // each line along the axis in an order of its own
};
Array permutation(const Array& key, int64_t count);  // of 0 ... count - 1, i32
Array permutation(const Array& key, const Array& x, const PermutationOptions& options = {});
struct ChoiceOptions {
  bool replace = true;
  std::optional<Array> p = {};  // f[n], probabilities; their sums are rounded in another order than JAX's
  int64_t axis = 0;
  std::string mode = "low";  // of gumbel, for drawing without replacement by probabilities
};
Array choice(const Array& key, int64_t count, const Dims& shape = {}, const ChoiceOptions& options = {});  // i32
Array choice(const Array& key, const Array& a, const Dims& shape = {}, const ChoiceOptions& options = {});
struct CategoricalOptions {
  int64_t axis = -1;
  Shape shape = {};  // none: that of logits without the axis; else may begin with more axes
  bool replace = true;
  std::string mode = "low";  // of gumbel
};
Array categorical(const Array& key, const Array& logits, const CategoricalOptions& options = {});  // i32

// --- continuous

Array normal(const Array& key, const Dims& shape = {}, DType dtype = DType::f32);  // or complex; always finite
Array truncated_normal(const Array& key, const Array& lower, const Array& upper, const Shape& shape = {},
                       DType dtype = DType::f32);
Array lognormal(const Array& key, const Array& sigma = 1.0, const Shape& shape = {}, DType dtype = DType::f32);
Array exponential(const Array& key, const Dims& shape = {}, DType dtype = DType::f32);
Array laplace(const Array& key, const Dims& shape = {}, DType dtype = DType::f32);
Array logistic(const Array& key, const Dims& shape = {}, DType dtype = DType::f32);
Array cauchy(const Array& key, const Dims& shape = {}, DType dtype = DType::f32);
struct GumbelOptions {
  std::string mode = "low";  // "high", "highest": finer tails
};
Array gumbel(const Array& key, const Dims& shape = {}, DType dtype = DType::f32, const GumbelOptions& options = {});
Array pareto(const Array& key, const Array& b, const Shape& shape = {}, DType dtype = DType::f32);
Array rayleigh(const Array& key, const Array& scale, const Shape& shape = {}, DType dtype = DType::f32);
Array weibull_min(const Array& key, const Array& scale, const Array& concentration, const Shape& shape = {},
                  DType dtype = DType::f32);
Array maxwell(const Array& key, const Dims& shape = {}, DType dtype = DType::f32);
Array double_sided_maxwell(const Array& key, const Array& loc, const Array& scale, const Dims& shape = {},
                           DType dtype = DType::f32);  // [shape..., broadcast of the parameters...]
Array triangular(const Array& key, const Array& left, const Array& mode, const Array& right, const Shape& shape = {},
                 DType dtype = DType::f32);
Array wald(const Array& key, const Array& mean, const Shape& shape = {}, DType dtype = DType::f32);

// --- by rejection: gamma(a) and what is made of it. Cost: a few tries for all elements at once.

Array gamma(const Array& key, const Array& a, const Shape& shape = {}, DType dtype = DType::f32);
Array loggamma(const Array& key, const Array& a, const Shape& shape = {}, DType dtype = DType::f32);
Array beta(const Array& key, const Array& a, const Array& b, const Shape& shape = {}, DType dtype = DType::f32);
Array dirichlet(const Array& key, const Array& alpha, const Shape& shape = {}, DType dtype = DType::f32);
Array chisquare(const Array& key, const Array& df, const Shape& shape = {}, DType dtype = DType::f32);
Array t(const Array& key, const Array& df, const Shape& shape = {}, DType dtype = DType::f32);
Array f(const Array& key, const Array& dfnum, const Array& dfden, const Shape& shape = {}, DType dtype = DType::f32);
Array generalized_normal(const Array& key, double p, const Dims& shape = {}, DType dtype = DType::f32);
Array ball(const Array& key, int64_t d, double p = 2, const Dims& shape = {}, DType dtype = DType::f32);

// --- discrete

struct BernoulliOptions {
  Shape shape = {};
  std::string mode = "low";  // "high": right for very small p
};
Array bernoulli(const Array& key, const Array& p = 0.5, const BernoulliOptions& options = {});  // bool
Array rademacher(const Array& key, const Dims& shape = {}, DType dtype = DType::i32);           // -1 or 1
Array geometric(const Array& key, const Array& p, const Shape& shape = {}, DType dtype = DType::i32);
// poisson equals JAX's where all means are below 10; larger ones are accepted by sums whose rounding decides.
Array poisson(const Array& key, const Array& lam, const Shape& shape = {}, DType dtype = DType::i32);
Array binomial(const Array& key, const Array& n, const Array& p, const Shape& shape = {}, DType dtype = DType::f32);

// --- vectors and matrices

struct MultivariateNormalOptions {
  Shape shape = {};                 // of the batch: without the axis of mean
  std::string method = "cholesky";  // "svd", "eigh": also for singular covariances
};
// mean [..., N], cov [..., N, N] -> [shape..., N]
Array multivariate_normal(const Array& key, const Array& mean, const Array& cov, DType dtype = DType::f32,
                          const MultivariateNormalOptions& options = {});
struct OrthogonalOptions {
  int64_t columns = -1;  // none: n
};
// Uniform among matrices [shape..., n, columns] with orthonormal columns, or rows where those are fewer.
Array orthogonal(const Array& key, int64_t n, const Dims& shape = {}, DType dtype = DType::f32,
                 const OrthogonalOptions& options = {});

}  // namespace hearth::random
