// SPDX-License-Identifier: Apache-2.0
#pragma once
// Definitions in f64 for the rows of this folder: one matrix at a time, the shortest known method.

#include <cmath>
#include <functional>
#include <numeric>
#include <tuple>

#include "ops/op_test.h"

namespace hearth::test_matrix {

inline Reals times(const Reals& a, const Reals& b) {
  Reals y({a.dims[0], b.dims[1]});
  for (int64_t i = 0; i < a.dims[0]; ++i) {
    for (int64_t j = 0; j < b.dims[1]; ++j) {
      for (int64_t k = 0; k < a.dims[1]; ++k) y({i, j}) += a({i, k}) * b({k, j});
    }
  }
  return y;
}
inline Reals flipped(const Reals& a) {
  Reals y({a.dims[1], a.dims[0]});
  for_each_index(y.dims, [&](const Dims& i, int64_t at) { y[at] = a({i[1], i[0]}); });
  return y;
}
inline Reals plus(Reals a, const Reals& b) {
  for (size_t i = 0; i < a.at.size(); ++i) a.at[i] += b.at[i];
  return a;
}
inline Reals plus_diagonal(Reals a, double value) {
  for (int64_t i = 0; i < std::min(a.dims[0], a.dims[1]); ++i) a({i, i}) += value;
  return a;
}
inline Reals squared(Reals a) {
  for (double& x : a.at) x *= x;
  return a;
}

// Applies a definition of matrices to each of a batch.
using MatrixDefinition = std::function<std::vector<Reals>(const std::vector<Reals>&)>;
inline std::vector<Reals> each_matrix(const std::vector<Reals>& in, const MatrixDefinition& definition) {
  const Dims batch(in[0].dims.begin(), in[0].dims.end() - 2);
  const int64_t count = num_elements(batch);
  std::vector<Reals> all;
  for (int64_t b = 0; b < std::max<int64_t>(1, count); ++b) {
    std::vector<Reals> one;
    for (const Reals& x : in) {
      Reals part(Dims(x.dims.end() - 2, x.dims.end()));
      const int64_t size = int64_t(part.at.size());
      for (int64_t i = 0; count > 0 && i < size; ++i) part[i] = x[b * size + i];
      one.push_back(part);
    }
    const std::vector<Reals> out = definition(one);
    if (all.empty()) {
      for (const Reals& y : out) {
        Dims dims = batch;
        dims.insert(dims.end(), y.dims.begin(), y.dims.end());
        all.emplace_back(dims);
      }
    }
    for (size_t o = 0; count > 0 && o < out.size(); ++o)
      std::copy(out[o].at.begin(), out[o].at.end(), all[o].at.begin() + b * long(out[o].at.size()));
  }
  return all;
}

inline Reals cholesky_of(const Reals& a) {
  Reals l(a.dims);
  for (int64_t j = 0; j < a.dims[0]; ++j) {
    for (int64_t i = j; i < a.dims[0]; ++i) {
      double sum = a({i, j});
      for (int64_t k = 0; k < j; ++k) sum -= l({i, k}) * l({j, k});
      l({i, j}) = i == j ? std::sqrt(sum) : sum / l({j, j});
    }
  }
  return l;
}

// LU, pivots, permutation.
inline std::vector<Reals> lu_of(Reals a) {
  const int64_t m = a.dims[0], n = a.dims[1];
  Reals pivots({std::min(m, n)}), permutation({m});
  std::iota(permutation.at.begin(), permutation.at.end(), 0);
  for (int64_t k = 0; k < std::min(m, n); ++k) {
    int64_t p = k;
    for (int64_t i = k + 1; i < m; ++i) p = std::fabs(a({i, k})) > std::fabs(a({p, k})) ? i : p;
    pivots[k] = double(p);
    std::swap(permutation[k], permutation[p]);
    for (int64_t j = 0; j < n; ++j) std::swap(a({k, j}), a({p, j}));
    for (int64_t i = k + 1; i < m; ++i) {
      a({i, k}) /= a({k, k});
      for (int64_t j = k + 1; j < n; ++j) a({i, j}) -= a({i, k}) * a({k, j});
    }
  }
  return {a, pivots, permutation};
}

inline Reals solved(const Reals& a, const Reals& b) {  // Gauss and Jordan, with pivots
  const int64_t n = a.dims[0], k = b.dims[1];
  Reals left = a, x = b;
  for (int64_t c = 0; c < n; ++c) {
    int64_t p = c;
    for (int64_t i = c + 1; i < n; ++i) p = std::fabs(left({i, c})) > std::fabs(left({p, c})) ? i : p;
    for (int64_t j = 0; j < n; ++j) std::swap(left({c, j}), left({p, j}));
    for (int64_t j = 0; j < k; ++j) std::swap(x({c, j}), x({p, j}));
    for (int64_t i = 0; i < n; ++i) {
      if (i == c) continue;
      const double f = left({i, c}) / left({c, c});
      for (int64_t j = c; j < n; ++j) left({i, j}) -= f * left({c, j});
      for (int64_t j = 0; j < k; ++j) x({i, j}) -= f * x({c, j});
    }
  }
  for_each_index(x.dims, [&](const Dims& i, int64_t at) { x[at] /= left({i[0], i[0]}); });
  return x;
}

// Gram and Schmidt, twice for orthogonality; R has a positive diagonal.
inline std::pair<Reals, Reals> qr_of(const Reals& a) {
  const int64_t m = a.dims[0], n = a.dims[1], k = std::min(m, n);
  Reals q({m, k});
  for (int64_t j = 0; j < k; ++j) {
    std::vector<double> v;
    for (int64_t i = 0; i < m; ++i) v.push_back(a({i, j}));
    for (int twice = 0; twice < 2; ++twice) {
      for (int64_t p = 0; p < j; ++p) {
        double dot = 0;
        for (int64_t i = 0; i < m; ++i) dot += q({i, p}) * v[size_t(i)];
        for (int64_t i = 0; i < m; ++i) v[size_t(i)] -= dot * q({i, p});
      }
    }
    double norm = 0;
    for (const double x : v) norm += x * x;
    for (int64_t i = 0; i < m; ++i) q({i, j}) = v[size_t(i)] / std::sqrt(norm);
  }
  Reals r = times(flipped(q), a);
  for_each_index(r.dims, [&](const Dims& i, int64_t at) { r[at] = i[0] > i[1] ? 0 : r[at]; });
  return {q, r};
}

// Jacobi's rotations of a symmetric matrix; values rising.
inline std::pair<Reals, Reals> eigh_of(Reals a) {
  const int64_t n = a.dims[0];
  Reals v = plus_diagonal(Reals({n, n}), 1), values({n}), vectors({n, n});
  for (int sweep = 0; sweep < 40; ++sweep) {
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) {
        if (std::fabs(a({p, q})) < 1e-18) continue;
        const double theta = (a({q, q}) - a({p, p})) / (2 * a({p, q}));
        const double t = std::copysign(1, theta) / (std::fabs(theta) + std::hypot(theta, 1)), c = 1 / std::hypot(t, 1);
        const auto turn = [&](double& x, double& y) {
          const double old = x;
          x = c * old - t * c * y;
          y = t * c * old + c * y;
        };
        for (int64_t i = 0; i < n; ++i) turn(a({i, p}), a({i, q}));
        for (int64_t i = 0; i < n; ++i) turn(a({p, i}), a({q, i}));
        for (int64_t i = 0; i < n; ++i) turn(v({i, p}), v({i, q}));
      }
    }
  }
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return a({i, i}) < a({j, j}); });
  for (int64_t j = 0; j < n; ++j) {
    const int64_t from = order[size_t(j)];
    values[j] = a({from, from});
    for (int64_t i = 0; i < n; ++i) vectors({i, j}) = v({i, from});
  }
  return {values, vectors};
}

// Of a matrix of full rank: U [m,k], s falling, V [n,k].
inline std::tuple<Reals, Reals, Reals> svd_of(const Reals& a) {
  if (a.dims[0] < a.dims[1]) {
    const auto [v, s, u] = svd_of(flipped(a));
    return {u, s, v};
  }
  const auto [w, basis] = eigh_of(times(flipped(a), a));
  const int64_t n = a.dims[1], k = std::min(a.dims[0], n);
  Reals s({k}), v({n, k});
  for (int64_t j = 0; j < k; ++j) {
    s[j] = std::sqrt(w[n - 1 - j]);
    for (int64_t i = 0; i < n; ++i) v({i, j}) = basis({i, n - 1 - j});
  }
  Reals u = times(a, v);
  for_each_index(u.dims, [&](const Dims& i, int64_t at) { u[at] /= s[i[1]]; });
  return {u, s, v};
}

}  // namespace hearth::test_matrix
