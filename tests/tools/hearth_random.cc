// SPDX-License-Identifier: Apache-2.0
// hearth_random CASE COUNT: one random array for each of COUNT keys, split(key(2026), COUNT), as raw bytes. For
// tests/interop/random_test.py, which has the same cases in JAX; `hearth_random` alone lists them.
#include <cstdio>
#include <cstdlib>
#include <map>

#include "array/jit.h"
#include "array/random.h"
#include "array/statistics.h"
#include "base/error.h"

using namespace hearth;

namespace {

using Case = std::function<Array(const Array& key)>;
const Dims kShape = {3, 7};

Array ramp() { return array<float>({0.3f, 0.9f, 1.f, 2.5f, 7.f, 40.f, 1e4f}); }

std::map<std::string, Case> cases() {
  std::map<std::string, Case> all;
  for (const DType dtype : {DType::u8, DType::u16, DType::u32, DType::u64})
    all[cat("bits_", dtype)] = [=](const Array& k) { return random::bits(k, kShape, dtype); };
  for (const DType dtype : {DType::f16, DType::bf16, DType::f32, DType::f64}) {
    all[cat("uniform_", dtype)] = [=](const Array& k) { return random::uniform(k, kShape, dtype); };
    all[cat("uniform_between_", dtype)] = [=](const Array& k) {
      return random::uniform(k, kShape, dtype, {.minval = -3.3, .maxval = 1.7});
    };
    all[cat("normal_", dtype)] = [=](const Array& k) { return random::normal(k, kShape, dtype); };
    all[cat("gumbel_", dtype)] = [=](const Array& k) { return random::gumbel(k, kShape, dtype); };
    all[cat("exponential_", dtype)] = [=](const Array& k) { return random::exponential(k, kShape, dtype); };
  }
  for (const DType dtype :
       {DType::i8, DType::i16, DType::i32, DType::i64, DType::u8, DType::u16, DType::u32, DType::u64}) {
    all[cat("randint_", dtype)] = [=](const Array& k) { return random::randint(k, kShape, 3, 120, dtype); };
    all[cat("randint_wide_", dtype)] = [=](const Array& k) {
      return random::randint(k, kShape, -1000000007, 1000000009, dtype);
    };
  }
  all["split"] = [](const Array& k) { return random::split(k, {2, 3}); };
  all["fold_in"] = [](const Array& k) { return random::fold_in(k, 4000000000); };
  all["permutation"] = [](const Array& k) { return random::permutation(k, 300); };
  all["permutation_rows"] = [](const Array& k) {
    return random::permutation(k, random::bits(random::key(1), {9, 4}), {.axis = -2});
  };
  all["permutation_independent"] = [](const Array& k) {
    return random::permutation(k, random::bits(random::key(1), {9, 4}), {.independent = true});
  };
  all["choice"] = [](const Array& k) { return random::choice(k, 1000, kShape); };
  all["choice_without"] = [](const Array& k) { return random::choice(k, 50, {4, 5}, {.replace = false}); };
  all["choice_p"] = [](const Array& k) { return random::choice(k, 7, {4, 5}, {.p = ramp()}); };
  all["choice_p_without"] = [](const Array& k) {
    return random::choice(k, 7, Dims{4}, {.replace = false, .p = ramp()});
  };
  all["categorical"] = [](const Array& k) { return random::categorical(k, ramp() * 0.1, {.shape = kShape}); };
  all["categorical_without"] = [](const Array& k) {
    return random::categorical(k, ramp() * 0.1, {.shape = Dims{5}, .replace = false});
  };
  all["gumbel_high"] = [](const Array& k) { return random::gumbel(k, kShape, DType::f32, {.mode = "high"}); };
  all["gumbel_highest"] = [](const Array& k) { return random::gumbel(k, kShape, DType::f32, {.mode = "highest"}); };
  all["bernoulli"] = [](const Array& k) { return random::bernoulli(k, 0.3, {.shape = kShape}); };
  all["bernoulli_high"] = [](const Array& k) { return random::bernoulli(k, 0.3, {.shape = kShape, .mode = "high"}); };
  all["rademacher"] = [](const Array& k) { return random::rademacher(k, kShape); };
  all["truncated_normal"] = [](const Array& k) { return random::truncated_normal(k, -1.5, 0.5, kShape); };
  all["lognormal"] = [](const Array& k) { return random::lognormal(k, 0.5, kShape); };
  all["normal_complex64"] = [](const Array& k) { return random::normal(k, kShape, DType::complex64); };
  all["laplace"] = [](const Array& k) { return random::laplace(k, kShape); };
  all["logistic"] = [](const Array& k) { return random::logistic(k, kShape); };
  all["cauchy"] = [](const Array& k) { return random::cauchy(k, kShape); };
  all["pareto"] = [](const Array& k) { return random::pareto(k, ramp(), kShape); };
  all["rayleigh"] = [](const Array& k) { return random::rayleigh(k, ramp(), kShape); };
  all["weibull_min"] = [](const Array& k) { return random::weibull_min(k, 2.0, ramp(), kShape); };
  all["maxwell"] = [](const Array& k) { return random::maxwell(k, kShape); };
  all["double_sided_maxwell"] = [](const Array& k) { return random::double_sided_maxwell(k, 1.0, 2.0, kShape); };
  all["triangular"] = [](const Array& k) { return random::triangular(k, -1.0, 0.5, 2.0, kShape); };
  all["wald"] = [](const Array& k) { return random::wald(k, 1.5, kShape); };
  all["geometric"] = [](const Array& k) { return random::geometric(k, 0.2, kShape); };
  all["gamma"] = [](const Array& k) { return random::gamma(k, ramp(), kShape); };
  all["gamma_f64"] = [](const Array& k) { return random::gamma(k, ramp(), kShape, DType::f64); };
  all["loggamma"] = [](const Array& k) { return random::loggamma(k, ramp() * 0.01, kShape); };
  // How samples move with the parameter.
  all["gamma_slope"] = [](const Array& k) {
    return grad([k](const Array& a) { return sum(random::gamma(k, a, kShape, DType::f64)); })(
        ramp().astype(DType::f64));
  };
  all["loggamma_slope"] = [](const Array& k) {
    const auto total = [k](const Array& a) { return sum(random::loggamma(k, a, kShape, DType::f64)); };
    return grad(total)(ramp().astype(DType::f64) * 0.1);
  };
  all["beta_slope"] = [](const Array& k) {
    const auto total = [k](const Array& a) { return sum(random::beta(k, a, 1.5, kShape, DType::f64)); };
    return grad(total)(ramp().astype(DType::f64));
  };
  all["beta"] = [](const Array& k) { return random::beta(k, ramp(), 1.5, kShape); };
  all["dirichlet"] = [](const Array& k) { return random::dirichlet(k, ramp(), Dims{3}); };
  all["chisquare"] = [](const Array& k) { return random::chisquare(k, ramp(), kShape); };
  all["t"] = [](const Array& k) { return random::t(k, ramp(), kShape); };
  all["f"] = [](const Array& k) { return random::f(k, ramp(), 3.0, kShape); };
  all["generalized_normal"] = [](const Array& k) { return random::generalized_normal(k, 2.5, kShape); };
  all["ball"] = [](const Array& k) { return random::ball(k, 3, 2, {5}); };
  all["poisson"] = [](const Array& k) { return random::poisson(k, ramp() * 2e-4, kShape); };
  all["poisson_large"] = [](const Array& k) { return random::poisson(k, ramp() + 15.0, kShape); };
  all["binomial"] = [](const Array& k) { return random::binomial(k, ramp() * 3, 0.7, kShape); };
  all["multivariate_normal"] = [](const Array& k) {
    return random::multivariate_normal(k, array<float>({1, 2}), array<float>({{2, 0.5f}, {0.5f, 1}}), DType::f32,
                                       {.shape = Dims{5}});
  };
  all["orthogonal"] = [](const Array& k) { return random::orthogonal(k, 4, {2}); };
  return all;
}

int run(int argc, char** argv) {
  const std::map<std::string, Case> all = cases();
  if (argc != 3) {
    for (const auto& [name, f] : all) std::printf("%s\n", name.c_str());
    return 0;
  }
  const auto found = all.find(argv[1]);
  HEARTH_CHECK(found != all.end(), value, "hearth_random: no case ", argv[1]);
  const Case f = found->second;
  const Array keys = random::split(random::key(2026), std::atoll(argv[2]));
  const Array result = vmap([f](const Array& k) { return f(k); })(keys);
  result.eval();
  return std::fwrite(result.data(), 1, size_t(result.type().bytes()), stdout) == size_t(result.type().bytes()) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
