// SPDX-License-Identifier: Apache-2.0
// Shapes, order of axes, order of elements.

#include "array/manipulation.h"

#include <algorithm>

#include "array/axes.h"
#include "array/creation.h"
#include "array/elementwise_functions.h"
#include "array/indexing.h"
#include "array/lift.h"
#include "array/searching.h"
#include "base/error.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

// A number of a weak type keeps it: only its shape changes.
template <class F>
Array moved(const Array& x, F&& f) {
  return lift(x, f);
}

int64_t modulo(int64_t a, int64_t n) { return n == 0 ? 0 : (a % n + n) % n; }

Value rolled(const Value& x, int64_t shift, int64_t axis) {
  const int64_t n = x.dim(axis), cut = modulo(-modulo(shift, n), n);
  if (cut == 0) return x;
  return concatenate({slice_axis(x, axis, cut, n), slice_axis(x, axis, 0, cut)}, axis);
}

}  // namespace

Array reshape(const Array& x, const Dims& shape) {
  return moved(x, [&](const Value& v) { return reshape(v, shape); });
}
Array ravel(const Array& x) { return reshape(x, {x.size()}); }

Array expand_dims(const Array& x, const Dims& axes) {
  const int64_t rank = x.ndim() + int64_t(axes.size());
  Dims shape(size_t(rank), 0);
  for (const int64_t axis : axes) {
    int64_t& size = shape[size_t(axis_of_rank("expand_dims", rank, axis))];
    HEARTH_CHECK(size == 0, value, "expand_dims: axis ", axis, " is given twice in ", ShowDims{axes});
    size = -1;
  }
  auto next = x.shape().begin();
  for (int64_t& size : shape) size = size == -1 ? 1 : *next++;
  return reshape(x, shape);
}
Array expand_dims(const Array& x, int64_t axis) { return expand_dims(x, Dims{axis}); }

Array squeeze(const Array& x) {
  Dims shape = x.shape();
  std::erase(shape, 1);
  return reshape(x, shape);
}
Array squeeze(const Array& x, const Dims& axes) {
  const Dims found = axes_of("squeeze", x, axes);
  for (const int64_t axis : found)
    HEARTH_CHECK(x.dim(axis) == 1, value, "squeeze: axis ", axis, " of ", x.type(), " has ", x.dim(axis),
                 " elements, not 1");
  return reshape(x, without_axes(x.shape(), found));
}

Array atleast_1d(const Array& x) { return x.ndim() >= 1 ? x : reshape(x, {1}); }
Array atleast_2d(const Array& x) { return x.ndim() >= 2 ? x : reshape(x, {1, x.size()}); }
Array atleast_3d(const Array& x) {
  if (x.ndim() >= 3) return x;
  return x.ndim() == 2 ? expand_dims(x, 2) : reshape(x, {1, x.size(), 1});
}

Dims broadcast_shapes(const std::vector<Dims>& shapes) { return broadcast_of("broadcast_shapes", shapes); }

Array broadcast_to(const Array& x, const Dims& shape) {
  check_sizes("broadcast_to", shape);
  check_broadcasts("broadcast_to", "x", x, shape);
  return moved(x, [&](const Value& v) { return broadcast_to(v, shape); });
}

Arrays broadcast_arrays(const Arrays& arrays) {
  std::vector<Dims> shapes;
  for (const Array& x : arrays) shapes.push_back(x.shape());
  const Dims all = broadcast_of("broadcast_arrays", shapes);
  Arrays out;
  for (const Array& x : arrays) out.push_back(broadcast_to(x, all));
  return out;
}

Array permute_dims(const Array& x, const Dims& axes) {
  const Dims order = axes_of("permute_dims", x, axes);
  HEARTH_CHECK(int64_t(order.size()) == x.ndim(), value, "permute_dims: ", ShowDims{axes},
               " does not name every axis of ", x.type());
  return moved(x, [&](const Value& v) { return transpose(v, order); });
}

Array transpose(const Array& x) {
  Dims order = all_axes(x);
  std::reverse(order.begin(), order.end());
  return permute_dims(x, order);
}

Array moveaxis(const Array& x, const Dims& source, const Dims& destination) {
  HEARTH_CHECK(source.size() == destination.size(), value, "moveaxis: ", source.size(), " axes go to ",
               destination.size(), " places");
  const Dims from = axes_of("moveaxis", x, source), to = axes_of("moveaxis", x, destination);
  Dims order(size_t(x.ndim()), -1);
  for (size_t i = 0; i < from.size(); ++i) order[size_t(to[i])] = from[i];
  const Dims others = without_axes(all_axes(x), from);
  auto next = others.begin();
  for (int64_t& axis : order) axis = axis == -1 ? *next++ : axis;
  return permute_dims(x, order);
}
Array moveaxis(const Array& x, int64_t source, int64_t destination) {
  return moveaxis(x, Dims{source}, Dims{destination});
}

Array swapaxes(const Array& x, int64_t a, int64_t b) {
  Dims order = all_axes(x);
  std::swap(order[size_t(axis_of("swapaxes", x, a))], order[size_t(axis_of("swapaxes", x, b))]);
  return permute_dims(x, order);
}

Array flip(const Array& x, const Dims& axes) {
  const Dims found = axes_of("flip", x, axes);
  return moved(x, [&](const Value& v) { return found.empty() ? v : reverse(v, found); });
}
Array flip(const Array& x) { return flip(x, all_axes(x)); }
Array fliplr(const Array& x) {
  HEARTH_CHECK(x.ndim() >= 2, shape, "fliplr: needs at least 2 axes; x is ", x.type());
  return flip(x, {1});
}
Array flipud(const Array& x) {
  HEARTH_CHECK(x.ndim() >= 1, shape, "flipud: needs at least 1 axis; x is ", x.type());
  return flip(x, {0});
}

Array rot90(const Array& x, int64_t times, const Dims& axes) {
  const Dims plane = axes_of("rot90", x, axes);
  HEARTH_CHECK(plane.size() == 2, value, "rot90: turns in a plane of 2 axes; there are ", plane.size());
  switch (modulo(times, 4)) {
    case 0: return x;
    case 1: return swapaxes(flip(x, {plane[1]}), plane[0], plane[1]);
    case 2: return flip(x, plane);
    default: return flip(swapaxes(x, plane[0], plane[1]), {plane[1]});
  }
}

Array roll(const Array& x, int64_t shift) { return reshape(roll(ravel(x), Dims{shift}, {0}), x.shape()); }

Array roll(const Array& x, const Dims& shifts, const Dims& axes) {
  HEARTH_CHECK(shifts.size() == axes.size() || shifts.size() == 1, value, "roll: ", shifts.size(), " shifts for ",
               axes.size(), " axes");
  Dims by(size_t(x.ndim()), 0);  // an axis may come twice: its shifts add up
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = size_t(axis_of("roll", x, axes[i]));
    by[axis] = modulo(by[axis] + modulo(shifts[shifts.size() == 1 ? 0 : i], x.shape()[axis]), x.shape()[axis]);
  }
  return moved(x, [&](Value v) {
    for (size_t axis = 0; axis < by.size(); ++axis) v = rolled(v, by[axis], int64_t(axis));
    return v;
  });
}

// Element i of the result is element (i - shift) mod n, for one axis after the other.
Array roll(const Array& x, const Array& shifts, const std::optional<Dims>& axes) {
  HEARTH_CHECK(is_int(shifts.dtype()), dtype, "roll: shifts must be integers; they are ", shifts.type());
  const size_t wanted = axes ? axes->size() : 1;
  HEARTH_CHECK(shifts.ndim() == 0 || (shifts.ndim() == 1 && size_t(shifts.size()) == wanted), shape, "roll: shifts ",
               shifts.type(), " for ", wanted, wanted == 1 ? " axis" : " axes");
  Array y = axes ? x : ravel(x);
  for (size_t i = 0; i < wanted; ++i) {
    const int64_t axis = axes ? axis_of("roll", x, (*axes)[i]) : 0, n = y.dim(axis);
    if (n == 0) continue;
    const Array by = shifts.ndim() == 0 ? shifts : shifts(int64_t(i));
    y = take(y, remainder(arange(n, DType::i64) - remainder(by.astype(DType::i64), n), n), {.axis = axis});
  }
  return y.reshape(x.shape());
}

}  // namespace hearth
