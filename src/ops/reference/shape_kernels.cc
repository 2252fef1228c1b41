// SPDX-License-Identifier: Apache-2.0
// Operations that make or move elements: each result element is a formula of its index.

#include <algorithm>
#include <cstring>

#include "ops/reference/elements.h"
#include "ops/reference/reference.h"

namespace hearth {
namespace {

using namespace reference;

// y[index] = x[source(index)]; source fills an index of x.
template <class Source>
void gather_elements(const KernelArgs& args, Source source) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  Dims from(x.dims().size(), 0);
  for_each_index(y.dims(), [&](const Dims& index, int64_t i) {
    source(index, from);
    copy_element(y, i, x, position(from, x.dims()));
  });
}

// --- constant {value | values}, iota {dimension} --------------------------------------------------------------------

// Element i of the attribute, which is one number or a list with one for each element.
void store_attribute(const TensorArg& y, int64_t i, const Attrs::Item& item) {
  const auto real = [&](double value) { store_converted(y, i, value); };
  const auto integer = [&](int64_t value) {
    if (is_float(y.dtype()))
      store_real(y, i, static_cast<long double>(value));
    else
      store_integer(y, i, value);
  };
  if (const auto* x = std::get_if<int64_t>(&item)) integer(*x);
  if (const auto* x = std::get_if<double>(&item)) real(*x);
  if (const auto* x = std::get_if<std::vector<int64_t>>(&item)) integer((*x)[size_t(i)]);
  if (const auto* x = std::get_if<std::vector<double>>(&item)) real((*x)[size_t(i)]);
}
// Complex: "value" and "imaginary", or a list of pairs.
void run_complex_constant(const KernelArgs& args) {
  const Attrs& attrs = args.attrs;
  for (int64_t i = 0; i < args.out[0].type->elements(); ++i) {
    const double* pair = attrs.has("values") ? attrs.reals("values").data() + 2 * i : nullptr;
    const double imaginary = attrs.has("imaginary") ? attrs.real("imaginary") : 0;
    store_complex(args.out[0], i,
                  pair ? std::complex<double>(pair[0], pair[1]) : std::complex<double>(attrs.real("value"), imaginary));
  }
}
void run_constant(const KernelArgs& args) {
  if (is_complex(args.out[0].dtype())) return run_complex_constant(args);
  const auto& items = args.attrs.items();
  const auto list = items.find("values");
  const Attrs::Item& item = list != items.end() ? list->second : items.at("value");
  for (int64_t i = 0; i < args.out[0].type->elements(); ++i) store_attribute(args.out[0], i, item);
}
void check_constant(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 0, 1);
  if (!attrs.has("values")) {
    HEARTH_CHECK(attrs.has("value"), format, "has neither 'value' nor 'values'");
    const Attrs::Item& item = attrs.items().at("value");
    const bool real = std::holds_alternative<double>(item);
    HEARTH_CHECK(real || (std::holds_alternative<int64_t>(item) && !is_complex(out[0].dtype)), format,
                 "attribute 'value' is no number");
    if (attrs.has("imaginary")) attrs.real("imaginary");
    return;
  }
  const bool integers = std::holds_alternative<std::vector<int64_t>>(attrs.items().at("values"));
  HEARTH_CHECK(!integers || !is_complex(out[0].dtype), format, "attribute 'values' is no list of real numbers");
  const size_t count = integers ? attrs.list("values").size() : attrs.reals("values").size();
  HEARTH_CHECK(int64_t(count) == out[0].elements() * (is_complex(out[0].dtype) ? 2 : 1), format, count, " values for ",
               out[0]);
}

void run_iota(const KernelArgs& args) {
  const TensorArg& y = args.out[0];
  const size_t axis = size_t(args.attrs.integer("dimension"));
  for_each_index(y.dims(), [&](const Dims& index, int64_t i) {
    if (is_complex(y.dtype()))
      store_complex(y, i, double(index[axis]));
    else if (is_float(y.dtype()))
      store_real(y, i, static_cast<long double>(index[axis]));
    else
      store_integer(y, i, index[axis]);
  });
}
void check_iota(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 0, 1);
  expect_axes("dimension", {attrs.integer("dimension")}, out[0].rank());
  HEARTH_CHECK(out[0].dtype != DType::boolean, format, "has no meaning for bool");
}

// --- broadcast_in_dim {dims}, reshape, transpose {permutation} ------------------------------------------------------

// Axis k of x becomes axis dims[k]; size 1 is repeated.
void run_broadcast_in_dim(const KernelArgs& args) {
  const Dims &dims = args.attrs.list("dims"), &sizes = args.in[0].dims();
  gather_elements(args, [&](const Dims& index, Dims& from) {
    for (size_t k = 0; k < from.size(); ++k) from[k] = sizes[k] == 1 ? 0 : index[size_t(dims[k])];
  });
}
void check_broadcast_in_dim(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 1, 1);
  const Dims& dims = attrs.list("dims");
  expect_per_axis("dims", dims, in[0].rank());
  expect_axes("dims", dims, out[0].rank());
  expect_type("output", out[0], {in[0].dtype, out[0].dims});
  for (size_t k = 0; k < dims.size(); ++k) {
    const int64_t from = in[0].dims[k], to = out[0].dims[size_t(dims[k])];
    HEARTH_CHECK(from == 1 || from == to, format, "axis ", k, " of ", in[0], " does not stretch to ", to);
  }
}

void run_copy(const KernelArgs& args) {
  for (size_t i = 0; i < args.in.size(); ++i) {
    const int64_t bytes = args.in[i].type->bytes();
    if (bytes > 0) std::memmove(args.out[i].data, args.in[i].data, size_t(bytes));  // the same memory when in place
  }
}
void check_reshape(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 1, 1);
  HEARTH_CHECK(in[0].dtype == out[0].dtype && in[0].elements() == out[0].elements(), format, "output ", out[0],
               " does not have the elements of ", in[0]);
}
void check_barrier(const Types& in, const Types& out, const Attrs&) {
  HEARTH_CHECK(!in.empty(), format, "has no inputs");
  expect_arguments(in, out, in.size(), in.size());
  for (size_t i = 0; i < in.size(); ++i) expect_type("output", out[i], in[i]);
}

// Axis k of the result is axis permutation[k] of x.
void run_transpose(const KernelArgs& args) {
  const Dims& permutation = args.attrs.list("permutation");
  gather_elements(args, [&](const Dims& index, Dims& from) {
    for (size_t k = 0; k < index.size(); ++k) from[size_t(permutation[k])] = index[k];
  });
}
void check_transpose(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 1, 1);
  const Dims& permutation = attrs.list("permutation");
  expect_per_axis("permutation", permutation, in[0].rank());
  expect_axes("permutation", permutation, in[0].rank());
  TensorType wanted{in[0].dtype, {}};
  for (int64_t axis : permutation) wanted.dims.push_back(in[0].dims[size_t(axis)]);
  expect_type("output", out[0], wanted);
}

// --- slice {start, limit, strides}, reverse {dims} ------------------------------------------------------------------

void run_slice(const KernelArgs& args) {
  const Dims &start = args.attrs.list("start"), &strides = args.attrs.list("strides");
  gather_elements(args, [&](const Dims& index, Dims& from) {
    for (size_t k = 0; k < index.size(); ++k) from[k] = start[k] + index[k] * strides[k];
  });
}
void check_slice(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 1, 1);
  const Dims &start = attrs.list("start"), &limit = attrs.list("limit"), &strides = attrs.list("strides");
  expect_per_axis("start", start, in[0].rank());
  expect_per_axis("limit", limit, in[0].rank());
  expect_per_axis("strides", strides, in[0].rank());
  TensorType wanted{in[0].dtype, {}};
  for (size_t k = 0; k < start.size(); ++k) {
    const bool inside = 0 <= start[k] && start[k] <= limit[k] && limit[k] <= in[0].dims[k];
    HEARTH_CHECK(inside && strides[k] > 0, format, "axis ", k, " from ", start[k], " to ", limit[k], " by ", strides[k],
                 " is not inside ", in[0]);
    const int64_t length = limit[k] - start[k];
    wanted.dims.push_back(length / strides[k] + (length % strides[k] != 0));
  }
  expect_type("output", out[0], wanted);
}

void run_reverse(const KernelArgs& args) {
  const Dims &axes = args.attrs.list("dims"), &sizes = args.in[0].dims();
  gather_elements(args, [&](const Dims& index, Dims& from) {
    for (size_t k = 0; k < index.size(); ++k) from[k] = contains(axes, int64_t(k)) ? sizes[k] - 1 - index[k] : index[k];
  });
}
void check_reverse(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 1, 1);
  expect_axes("dims", attrs.list("dims"), in[0].rank());
  expect_type("output", out[0], in[0]);
}

// --- concatenate {dimension}, pad {low, high, interior} -------------------------------------------------------------

void run_concatenate(const KernelArgs& args) {
  const TensorArg& y = args.out[0];
  const size_t axis = size_t(args.attrs.integer("dimension"));
  int64_t start = 0;
  for (const TensorArg& part : args.in) {
    for_each_index(part.dims(), [&](const Dims& index, int64_t i) {
      Dims to = index;
      to[axis] += start;
      copy_element(y, position(to, y.dims()), part, i);
    });
    start += part.dims()[axis];
  }
}
void check_concatenate(const Types& in, const Types& out, const Attrs& attrs) {
  HEARTH_CHECK(!in.empty(), format, "has no inputs");
  expect_arguments(in, out, in.size(), 1);
  const int64_t axis = attrs.integer("dimension");
  expect_axes("dimension", {axis}, out[0].rank());
  int64_t total = 0;
  for (const TensorType& part : in) {
    TensorType wanted = out[0];
    HEARTH_CHECK(part.rank() == wanted.rank(), format, "input ", part, " does not fit in ", out[0]);
    wanted.dims[size_t(axis)] = part.dims[size_t(axis)];
    expect_type("input", part, wanted);
    total += part.dims[size_t(axis)];
  }
  HEARTH_CHECK(total == out[0].dims[size_t(axis)], format, "the inputs have ", total, " elements on axis ", axis,
               ", the output ", out[0].dims[size_t(axis)]);
}

// x's element at i goes to low + i * (interior + 1); what falls outside is cut off, what nothing reaches is the fill.
void run_pad(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &fill = args.in[1], &y = args.out[0];
  const Dims &low = args.attrs.list("low"), &interior = args.attrs.list("interior");
  for (int64_t i = 0; i < y.type->elements(); ++i) copy_element(y, i, fill, 0);
  for_each_index(x.dims(), [&](const Dims& index, int64_t i) {
    Dims to = index;
    bool inside = true;
    for (size_t k = 0; k < to.size(); ++k) {
      to[k] = low[k] + index[k] * (interior[k] + 1);
      inside &= to[k] >= 0 && to[k] < y.dims()[k];
    }
    if (inside) copy_element(y, position(to, y.dims()), x, i);
  });
}
void check_pad(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 2, 1);
  expect_type("fill", in[1], {in[0].dtype, {}});
  const Dims &low = attrs.list("low"), &high = attrs.list("high"), &interior = attrs.list("interior");
  expect_per_axis("low", low, in[0].rank());
  expect_per_axis("high", high, in[0].rank());
  expect_per_axis("interior", interior, in[0].rank());
  TensorType wanted{in[0].dtype, {}};
  constexpr int64_t kMost = int64_t{1} << 56;
  for (size_t k = 0; k < low.size(); ++k) {
    const int64_t size = in[0].dims[k], gaps = std::max<int64_t>(size - 1, 0);
    const bool sane = std::abs(low[k] / 2) < kMost && std::abs(high[k] / 2) < kMost && interior[k] >= 0 &&
                      interior[k] < kMost / (gaps + 1);
    HEARTH_CHECK(sane, format, "axis ", k, ": low ", low[k], ", high ", high[k], ", interior ", interior[k],
                 " make no sense");
    wanted.dims.push_back(low[k] + high[k] + size + gaps * interior[k]);
  }
  expect_type("output", out[0], wanted);
}

}  // namespace

std::vector<KernelInfo> reference_creation() {
  return {
      {"constant", run_constant, check_constant},
      {"iota", run_iota, check_iota},
  };
}

std::vector<KernelInfo> reference_shape() {
  return {
      {"broadcast_in_dim", run_broadcast_in_dim, check_broadcast_in_dim},
      {"reshape", run_copy, check_reshape},
      {"transpose", run_transpose, check_transpose},
      {"slice", run_slice, check_slice},
      {"reverse", run_reverse, check_reverse},
      {"concatenate", run_concatenate, check_concatenate},
      {"pad", run_pad, check_pad},
      {"optimization_barrier", run_copy, check_barrier},
  };
}

}  // namespace hearth
