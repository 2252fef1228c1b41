// SPDX-License-Identifier: Apache-2.0
#include "base/shape.h"

namespace hearth {

int64_t num_elements(const Dims& dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

Dims row_major_strides(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

std::ostream& operator<<(std::ostream& out, ShowDims show) {
  out << '[';
  for (size_t i = 0; i < show.dims.size(); ++i) out << (i ? "," : "") << show.dims[i];
  return out << ']';
}

std::ostream& operator<<(std::ostream& out, const TensorType& type) { return out << type.dtype << ShowDims{type.dims}; }

}  // namespace hearth
