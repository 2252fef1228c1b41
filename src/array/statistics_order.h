// SPDX-License-Identifier: Apache-2.0
#pragma once
// Medians and quantiles along axes (default: over all elements), as NumPy's. Computed on the sorted elements: in f32 at
// least, result in x's dtype, f32 for integers. A NaN makes the result NaN, unless the name begins with nan: those
// leave NaNs out, and give NaN where nothing is left. Throw Error{value} where an axis has no elements.

#include <string>

#include "array/statistics.h"

namespace hearth {

Array median(const Array& x, const ReduceOptions& options = {});
Array nanmedian(const Array& x, const ReduceOptions& options = {});

// linear; lower higher midpoint nearest; inverted_cdf averaged_inverted_cdf closest_observation
// interpolated_inverted_cdf hazen weibull median_unbiased normal_unbiased.
// Source: Hyndman & Fan 1996, "Sample quantiles in statistical packages"; numpy.quantile.
struct QuantileOptions {
  Axes axis = {};
  bool keepdims = false;
  std::string method = "linear";
};
// q in [0,1], any shape: [q..., x's other axes...]. Outside: the least or largest element.
Array quantile(const Array& x, const Array& q, const QuantileOptions& options = {});
Array nanquantile(const Array& x, const Array& q, const QuantileOptions& options = {});
Array percentile(const Array& x, const Array& q, const QuantileOptions& options = {});  // q in [0,100]
Array nanpercentile(const Array& x, const Array& q, const QuantileOptions& options = {});

}  // namespace hearth
