// SPDX-License-Identifier: Apache-2.0
#include "array/indexing_functions.h"

#include <algorithm>

#include "array/indexed_update.h"
#include "array/recording.h"
#include "base/error.h"
#include "ops/cumulative/cumulative.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

Array put(const Array& x, const Array& indices, const Array& values, IndexMode mode) {
  HEARTH_CHECK(is_int(indices.dtype()), dtype, "put: indices must be integers\n  x is ", x.type(), "\n  indices is ",
               indices.type());
  return x.reshape({-1}).at(indices).set(values, {.mode = mode}).reshape(x.shape());
}

// The number of each true place among the true ones says which value it gets, so nothing needs to be evaluated.
Array place(const Array& x, const Array& mask, const Array& values) {
  HEARTH_CHECK(mask.dtype() == DType::boolean && mask.shape() == x.shape(), shape,
               "place: the mask must be bool and of x's shape\n  x is ", x.type(), "\n  mask is ", mask.type());
  HEARTH_CHECK(values.size() > 0 || x.size() == 0, value, "place: there are no values\n  x is ", x.type(),
               "\n  values is ", values.type());
  if (x.size() == 0) return x;
  const Array flat = mask.reshape({-1});
  const DType index = x.size() < INT32_MAX ? DType::i32 : DType::i64;
  const Array number = record([&](const Value& m) { return cumsum(convert(m, index), 0); }, flat) - 1;
  const Array given = values.reshape({-1})(number % values.size()).reshape(x.shape());
  const std::lock_guard lock(array_mutex());
  return from_value(select(to_value(mask), to_value(given, x.dtype()), to_value(x)), x.weak());
}

Array fill_diagonal(const Array& x, const Array& values, const FillDiagonalOptions& options) {
  const Dims& dims = x.shape();
  const bool cube = std::all_of(dims.begin(), dims.end(), [&](int64_t n) { return n == dims[0]; });
  HEARTH_CHECK(dims.size() == 2 || (dims.size() > 2 && cube), shape,
               "fill_diagonal: x must be a matrix or have axes of one size; it is ", x.type());
  HEARTH_CHECK(values.size() > 0 || x.size() == 0, value, "fill_diagonal: there are no values\n  x is ", x.type(),
               "\n  values is ", values.type());
  if (x.size() == 0) return x;
  int64_t step = 0;  // between neighbours of the diagonal
  for (const int64_t stride : row_major_strides(dims)) step += stride;
  const bool short_end = dims.size() == 2 && !options.wrap;
  const int64_t end = short_end ? std::min(x.size(), dims[1] * dims[1]) : x.size();
  const int64_t count = (end - 1) / step + 1;
  const DType index = count < INT32_MAX ? DType::i32 : DType::i64;
  const std::lock_guard lock(array_mutex());
  Array given = values;
  if (values.size() > 1) {
    const Array numbers = from_value(iota(current_recording()->graph, index, {count}, 0));
    given = values.reshape({-1})(numbers % values.size());
  }
  return x.reshape({-1}).at(Slice{0, end, step}).set(given).reshape(dims);
}

IndexList ix_(const Arrays& vectors) {
  IndexList index;
  for (size_t i = 0; i < vectors.size(); ++i) {
    const Array& one = vectors[i];
    HEARTH_CHECK(one.ndim() == 1, shape, "ix_: needs vectors; argument ", i, " is ", one.type());
    Array places = one;
    if (one.dtype() == DType::boolean) {
      std::vector<int64_t> found;
      const bool* bits = one.data_as<bool>();
      for (int64_t k = 0; k < one.size(); ++k)
        if (bits[k]) found.push_back(k);
      places = array(found);
    }
    Dims shape(vectors.size(), 1);
    shape[i] = places.size();
    index.push_back(places.reshape(shape));
  }
  return index;
}

Array choose(const Array& index, const Arrays& choices) {
  HEARTH_CHECK(!choices.empty(), value, "choose: there are no choices");
  HEARTH_CHECK(is_int(index.dtype()), dtype, "choose: the index must be of integers; it is ", index.type());
  const std::lock_guard lock(array_mutex());
  const PromotedType type = promoted(choices);
  const Values all = to_values(choices, type.dtype);
  const Value which = to_value(index);
  Value chosen = all[0];
  for (size_t i = 1; i < all.size(); ++i)
    chosen = select(compare("GE", which, scalar_like(which, double(i))), all[i], chosen);
  const Dims dims = broadcast_dims("choose", which, chosen);
  return from_value(broadcast_to(chosen, dims), type.weak);
}

}  // namespace hearth
