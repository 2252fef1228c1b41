// SPDX-License-Identifier: Apache-2.0
#pragma once
// Statistics that leave NaNs out, as NumPy's. Where nothing is left: sums 0, products 1, the others NaN. Integers have
// no NaN. nanmedian and nanquantile: statistics_order.h.

#include "array/searching.h"
#include "array/statistics.h"

namespace hearth {

Array nansum(const Array& x, const SumOptions& options = {});
Array nanprod(const Array& x, const SumOptions& options = {});
Array nanmean(const Array& x, const ReduceOptions& options = {});
Array nanvar(const Array& x, const VarianceOptions& options = {});
Array nanstd(const Array& x, const VarianceOptions& options = {});
Array nanmax(const Array& x, const ReduceOptions& options = {});
Array nanmin(const Array& x, const ReduceOptions& options = {});
Array nanargmax(const Array& x, const ArgOptions& options = {});  // -1 where nothing is left, as in JAX
Array nanargmin(const Array& x, const ArgOptions& options = {});
Array nancumsum(const Array& x, const CumulativeOptions& options = {});
Array nancumprod(const Array& x, const CumulativeOptions& options = {});

}  // namespace hearth
