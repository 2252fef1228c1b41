// SPDX-License-Identifier: Apache-2.0
#pragma once
// Statistics of several variables, counting, interpolation and signals, as NumPy has them. Floats are f32 unless the
// operands say otherwise. Throw Error{shape, value, dtype}.

#include <optional>
#include <string>
#include <utility>

#include "array/statistics.h"

namespace hearth {

struct CovarianceOptions {
  bool rowvar = true;                                 // a row is a variable, else a column
  double correction = 1;                              // NumPy's ddof: divides by N - correction
  std::optional<Array> fweights = {}, aweights = {};  // [N]: how often each observation counts, how much it weighs
};
Array cov(const Array& m, const CovarianceOptions& options = {});                  // [V,N] -> [V,V]; [N] -> scalar
Array cov(const Array& m, const Array& y, const CovarianceOptions& options = {});  // y's variables below m's
Array corrcoef(const Array& m, const CovarianceOptions& options = {});

// --- counting ---

struct BincountOptions {
  std::optional<Array> weights = {};
  int64_t minlength = 0;
  std::optional<int64_t> length = {};  // what lies outside is not counted; without it x is computed: not inside jit
};
Array bincount(const Array& x, const BincountOptions& options = {});  // integers [N]; Error{value} for negative ones
struct HistogramOptions {
  std::optional<std::pair<double, double>> range = {};  // default: least to largest element
  std::optional<Array> weights = {};
  bool density = false;  // integral 1
};
struct HistogramResult {
  Array counts, edges;  // [bins] (i32, or of the weights' type), [bins + 1]; the last bin has its right edge
};
HistogramResult histogram(const Array& x, int64_t bins = 10, const HistogramOptions& options = {});
HistogramResult histogram(const Array& x, const Array& edges, const HistogramOptions& options = {});  // rising edges
Array histogram_bin_edges(const Array& x, int64_t bins = 10, const HistogramOptions& options = {});
struct DigitizeOptions {
  bool right = false;  // a bin has its right edge, not its left one
};
Array digitize(const Array& x, const Array& bins, DigitizeOptions options = {});  // bins rise or fall

// --- interpolation and calculus ---

struct InterpOptions {
  std::optional<Array> left = {}, right = {};  // outside; default: the first and last of fp
  std::optional<double> period = {};           // xp then needs no order
};
Array interp(const Array& x, const Array& xp, const Array& fp, const InterpOptions& options = {});  // xp rises
struct TrapezoidOptions {
  std::optional<Array> x = {};  // places: [N] or y's shape
  double dx = 1;
  int64_t axis = -1;
};
Array trapezoid(const Array& y, const TrapezoidOptions& options = {});
struct GradientOptions {
  Arrays spacing = {};  // none: 1; one for all axes, or one each: a distance, or the places [N]
  Axes axis = {};
  int64_t edge_order = 1;  // or 2
};
// Central differences; one array for each axis, these in rising order.
Arrays gradient(const Array& f, const GradientOptions& options = {});
Array ediff1d(const Array& x, const std::optional<Array>& to_end = {}, const std::optional<Array>& to_begin = {});

// --- signals: a [N], v [M], N, M > 0; mode "full" N + M - 1, "same" max(N, M), "valid" max - min + 1 ---

Array convolve(const Array& a, const Array& v, const std::string& mode = "full");
Array correlate(const Array& a, const Array& v, const std::string& mode = "valid");  // sum a[n + k] conj(v[n])

}  // namespace hearth
