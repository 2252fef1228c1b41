// SPDX-License-Identifier: Apache-2.0
#include "array/sorting.h"

#include "array/recording.h"
#include "base/error.h"
#include "ops/along_axis/along_axis.h"
#include "ops/elementwise/elementwise.h"

namespace hearth {
namespace {

void expect_element(const char* op, const Array& x, int64_t kth, int64_t axis) {
  const int64_t n = x.dim(axis);
  HEARTH_CHECK(kth >= -n && kth < n, value, op, ": no element ", kth, " among ", n, "\n  x is ", x.type());
}

}  // namespace

Array sort(const Array& x, int64_t axis, SortOptions options) {
  return record([&](const Value& v) { return sort(v, axis, options); }, x);
}
Array argsort(const Array& x, int64_t axis, SortOptions options) {
  return record([&](const Value& v) { return argsort(v, axis, options); }, x);
}

Array lexsort(const Arrays& keys, int64_t axis) {
  HEARTH_CHECK(!keys.empty(), value, "lexsort: needs at least one key");
  return record_all(keys, [&](Graph& graph, const Values& in) {
    Values operands(in.rbegin(), in.rend());
    const int64_t along = checked_axis("lexsort", in[0], axis);
    for (const Value& key : in)
      HEARTH_CHECK(key.dims() == in[0].dims(), shape, "lexsort: shapes of keys differ\n  one is ", in[0].type(),
                   "\n  another is ", key.type());
    operands.push_back(iota(graph, DType::i32, in[0].dims(), along));
    return Values{sort_by_keys(operands, along, int64_t(in.size())).back()};
  })[0];
}

Array partition(const Array& x, int64_t kth, int64_t axis) {
  expect_element("partition", x, kth, axis);
  return sort(x, axis);
}
Array argpartition(const Array& x, int64_t kth, int64_t axis) {
  expect_element("argpartition", x, kth, axis);
  return argsort(x, axis);
}

TopKResult top_k(const Array& x, int64_t k, int64_t axis) {
  const Arrays out = record_all({x}, [&](Graph&, const Values& in) {
    const Sorted both = top_k(in[0], k, axis);
    return Values{both.values, both.indices};
  });
  return {out[0], out[1]};
}

}  // namespace hearth
