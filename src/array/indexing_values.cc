// SPDX-License-Identifier: Apache-2.0
#include "array/indexing_values.h"

#include <algorithm>
#include <cmath>

#include "array/indexing_box.h"
#include "base/error.h"
#include "ops/dynamic_slice/dynamic_slice.h"
#include "ops/elementwise/elementwise.h"
#include "ops/gather/gather.h"
#include "ops/scatter/scatter.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

using Axis = IndexPlan::Axis;
using Role = IndexPlan::Role;

// Slices with steps are taken before a gather and written back after a scatter; those know starts only.
Box stepped_box(const IndexPlan& plan) {
  Box box;
  for (const Axis& axis : plan.axes) box.axes.push_back(axis.step == 1 ? Axis{.size = axis.of, .of = axis.of} : axis);
  return box;
}

// An index array as i32 (i64 where axes are larger), with those that count from the end counted from the start. What
// lies outside stays outside.
Value from_start(const Value& given, int64_t n, DType t, bool inside) {
  const DType own = given.dtype();
  Value v = given;
  if (size_bytes(own) > 4 || own == DType::u32) {
    const bool far = own == DType::u32 && n >= INT32_MAX;  // n may have no u32; all of those are i64
    if (!far) v = minimum(v, scalar_like(v, double(n)));
    if (is_signed_int(own)) v = maximum(v, scalar_like(v, -double(n) - 1));
  }
  v = convert(v, t);
  if (inside || !is_signed_int(own)) return v;
  return select(compare("LT", v, scalar_like(v, 0)), v + scalar_like(v, double(n)), v);
}

// gather's and scatter's view of a plan whose steps are gone.
struct Windows {
  Values starts;  // one a component, of shape array_dims or scalar
  Dims map;       // axis of x of each component
  Dims sizes;     // of the window
  Dims collapsed, offsets;
};

DType index_dtype(const IndexPlan& plan) {
  const bool wide = std::any_of(plan.axes.begin(), plan.axes.end(), [](const Axis& a) { return a.of >= INT32_MAX; });
  return wide ? DType::i64 : DType::i32;
}

Windows windows_of(Graph& graph, const IndexPlan& plan, const Values& arrays) {
  Windows w;
  const DType t = index_dtype(plan);
  for (size_t i = 0; i < plan.axes.size(); ++i) {
    const Axis& axis = plan.axes[i];
    w.sizes.push_back(axis.size);
    if (axis.role != Role::slice) w.collapsed.push_back(int64_t(i));
    if (axis.step != 1 || axis.is_whole()) continue;
    w.map.push_back(int64_t(i));
    w.starts.push_back(axis.role == Role::array ? from_start(arrays[axis.array], axis.of, t, plan.inside[axis.array])
                                                : index_number(graph, axis.start, t));
  }
  for (int64_t i = 0; i < int64_t(plan.data.size()); ++i)
    if (std::find(plan.array_axes.begin(), plan.array_axes.end(), i) == plan.array_axes.end()) w.offsets.push_back(i);
  return w;
}

// [array_dims..., components], or [array_dims...] when there is one component
Value index_vectors(const Windows& w, const Dims& array_dims) {
  Values parts;
  Dims with_one = array_dims;
  with_one.push_back(1);
  for (const Value& start : w.starts) {
    const Value all = broadcast_to(start, array_dims);
    parts.push_back(w.starts.size() == 1 ? all : reshape(all, with_one));
  }
  return parts.size() == 1 ? parts[0] : concatenate(parts, int64_t(array_dims.size()));
}

GatherDims gather_dims(const Windows& w, const IndexPlan& plan) {
  return {.offset_dims = w.offsets,
          .collapsed_slice_dims = w.collapsed,
          .start_index_map = w.map,
          .index_vector_dim = int64_t(plan.array_dims.size())};
}

Value one_slice(const Value& x, const IndexPlan& plan, const Windows& w) {
  Values starts(plan.axes.size(), constant(*x.graph, 0, DType::i32));
  for (size_t k = 0; k < w.starts.size(); ++k) starts[size_t(w.map[k])] = reshape(w.starts[k], {});
  return dynamic_slice(x, starts, w.sizes);
}

// True where every component of the index lies inside, spread over plan.data.
Value all_inside(const IndexPlan& plan, const Windows& w) {
  Value all;
  for (size_t k = 0; k < w.starts.size(); ++k) {
    const Axis& axis = plan.axes[size_t(w.map[k])];
    if (axis.role != Role::array) continue;
    const Value& v = w.starts[k];
    const Value one = compare("GE", v, scalar_like(v, 0)) & compare("LT", v, scalar_like(v, double(axis.of)));
    all = all.valid() ? all & one : one;
  }
  return broadcast_in_dim(broadcast_to(all, plan.array_dims), plan.data, plan.array_axes);
}

Value read_arrays(const Value& x, const IndexPlan& plan, const Values& arrays, const ReadOptions& options) {
  const Value y = read_box(x, stepped_box(plan), options.evaluated);
  const Windows w = windows_of(*x.graph, plan, arrays);
  const bool clips = options.mode == IndexMode::clip;
  if (clips && plan.array_dims.empty() && index_dtype(plan) == DType::i32) return one_slice(y, plan, w);
  const Value taken = gather(y, index_vectors(w, plan.array_dims), gather_dims(w, plan), w.sizes,
                             {.out_of_range = clips ? OutOfRange::clamp : OutOfRange::drop});
  return clips ? taken : select(all_inside(plan, w), taken, options.fill);
}

// --- writing

const char* scatter_kind_of(Update update, DType dtype) {
  const bool logical = dtype == DType::boolean;
  switch (update) {
    case Update::add: return logical ? "or" : "add";
    case Update::multiply: return logical ? "and" : "multiply";
    case Update::min: return logical ? "and" : "minimum";
    case Update::max: return logical ? "or" : "maximum";
    default: return "set";
  }
}

Value scatter_windows(const Value& y, const IndexPlan& plan, const Windows& w, const Value& data, Update update,
                      const ScatterOptions& options) {
  ScatterOptions kind = options;
  kind.kind = scatter_kind_of(update, y.dtype());
  return scatter(y, index_vectors(w, plan.array_dims), data,
                 {.update_window_dims = w.offsets,
                  .inserted_window_dims = w.collapsed,
                  .scatter_dims_to_operand_dims = w.map,
                  .index_vector_dim = int64_t(plan.array_dims.size())},
                 kind);
}

// Updates that scatter has no body for: of places that are meant once, read, computed and set; else by the product of
// the values of each place: (x / a) / b = x / (a b), (x ^ a) ^ b = x ^ (a b).
Value write_arrays(const Value& y, const IndexPlan& plan, const Windows& w, const Value& data, Update update,
                   const ScatterOptions& options) {
  if (update == Update::subtract) return scatter_windows(y, plan, w, scalar_like(data, 0) - data, Update::add, options);
  if (update != Update::divide && update != Update::power) return scatter_windows(y, plan, w, data, update, options);
  if (options.unique_indices) {
    const Value old = gather(y, index_vectors(w, plan.array_dims), gather_dims(w, plan), w.sizes);
    return scatter_windows(y, plan, w, updated(update, old, data), Update::set, options);
  }
  return updated(update, y, scatter_windows(scalar_like(y, 1), plan, w, data, Update::multiply, options));
}

}  // namespace

Value read_at(const Value& x, const IndexPlan& plan, const Values& arrays, const ReadOptions& options) {
  if (num_elements(plan.result) == 0) return constant(*x.graph, 0, x.dtype(), plan.result);
  const Value data =
      plan.is_static() ? read_box(x, {plan.axes}, options.evaluated) : read_arrays(x, plan, arrays, options);
  return data.dims() == plan.result ? data : reshape(data, plan.result);
}

Value write_at(const Value& x, const IndexPlan& plan, const Values& arrays, const Value& values, Update update,
               IndexMode mode, bool unique) {
  if (num_elements(plan.result) == 0) return x;
  if (plan.is_static()) {
    const Box box{plan.axes};
    const Value there = reshape(values, box.sizes());
    return write_box(x, box, update == Update::set ? there : updated(update, read_box(x, box, false), there));
  }
  const Box box = stepped_box(plan);
  const ScatterOptions options{.out_of_range = mode == IndexMode::clip ? OutOfRange::clamp : OutOfRange::drop,
                               .unique_indices = unique || num_elements(plan.array_dims) == 1};
  const Windows w = windows_of(*x.graph, plan, arrays);
  return write_box(x, box, write_arrays(read_box(x, box, false), plan, w, reshape(values, plan.data), update, options));
}

const char* name_of(Update update) {
  constexpr const char* kNames[] = {"set", "add", "subtract", "multiply", "divide", "power", "min", "max"};
  return kNames[size_t(update)];
}

void check_update(const std::string& op, Update update, const Array& x) {
  const bool arithmetic = update == Update::subtract || update == Update::divide || update == Update::power;
  const bool ordered = update == Update::min || update == Update::max;
  HEARTH_CHECK(!(arithmetic && x.dtype() == DType::boolean) && !(ordered && is_complex(x.dtype())), dtype, op,
               ": has no meaning for ", x.dtype(), "\n  x is ", x.type());
}

Value updated(Update update, const Value& a, const Value& b) {
  const bool logical = a.dtype() == DType::boolean;
  switch (update) {
    case Update::set: return b;
    case Update::add: return logical ? a | b : a + b;
    case Update::subtract: return a - b;
    case Update::multiply: return logical ? a & b : a * b;
    case Update::divide: return a / b;
    case Update::power: return power(a, b);
    case Update::min: return logical ? a & b : minimum(a, b);
    case Update::max: break;
  }
  return logical ? a | b : maximum(a, b);
}

Value usual_fill(Graph& graph, DType t) {
  if (is_complex(t)) return constant(graph, std::complex<double>(std::nan(""), 0), t);
  if (is_float(t)) return constant(graph, std::nan(""), t);
  const int64_t width = 8 * size_bytes(t);
  const int64_t bits = t == DType::boolean ? 1
                       : is_signed_int(t)  ? std::numeric_limits<int64_t>::min() >> (64 - width)
                       : width == 64       ? -1  // the bits of the highest u64
                                           : (int64_t{1} << width) - 1;
  return graph.add("constant", {}, {{"value", bits}, {"dtype", int64_t(t)}, {"shape", Dims{}}});
}

}  // namespace hearth
