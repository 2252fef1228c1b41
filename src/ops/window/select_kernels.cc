// SPDX-License-Identifier: Apache-2.0
// A task owns one plane, or some columns of it when windows do not reach from one to the next, so that sums meet their
// terms in the order of the windows. It chooses for a row of windows at a time, tap after tap.
#include "ops/window/select_kernels.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>

#include "base/error.h"
#include "base/threads.h"
#include "ops/window/window_plane.h"

namespace hearth {
namespace {

constexpr int64_t kColumns = 256;  // of a task

bool is_half(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }

struct Selection {
  WindowPlane plane;
  DType dtype;
  bool largest, large_plane;
  SelectFunction function;
  const char* x;
  std::vector<TapRun> taps;  // the first of the last axis, worked out once for all rows

  Selection(const TensorArg& of, const Attrs& attrs)
      : plane(window_plane(of.dims(), window_axes(attrs))),
        dtype(of.dtype()),
        largest(selects_largest(attrs)),
        large_plane(plane.elements() > INT32_MAX),
        function(select_function(dtype, large_plane)),
        x(of.as<const char>()) {
    HEARTH_CHECK(function, bug, "select: no loop for ", dtype);
    for (int64_t k = 0; k < std::min<int64_t>(last().size, 64); ++k) taps.push_back(tap_run(last(), k));
  }

  const WindowPlane::Axis& last() const { return plane.axes.back(); }
  bool splits_columns() const { return last().plain; }
  int64_t column_tasks() const { return splits_columns() ? (last().windows + kColumns - 1) / kColumns : 1; }

  struct Row {
    std::unique_ptr<char[]> best, where;
    int64_t begin, end;  // columns
  };

  // Chooses for columns [row.begin, row.end) of the windows whose other coordinates are `at`.
  void choose(const char* from, const Dims& at, Row& row) const {
    std::memset(row.where.get(), 0xff, size_t((row.end - row.begin) * (large_plane ? 8 : 4)));
    const size_t outer = plane.axes.size() - 1;
    Dims tap(outer, 0);
    for (;;) {
      const int64_t place = row_place(at, tap);
      if (place >= 0) choose_taps(from, place, row);
      size_t i = outer;
      while (i-- > 0) {
        if (++tap[i] < plane.axes[i].size) break;
        tap[i] = 0;
      }
      if (i == size_t(-1)) return;
    }
  }

  int64_t row_place(const Dims& at, const Dims& tap) const {
    int64_t place = 0;
    for (size_t i = 0; i < at.size(); ++i) {
      const WindowPlane::Axis& a = plane.axes[i];
      int64_t p = at[i] * a.stride + tap[i] * a.dilation - a.low;
      if (p < 0 || (a.base != 1 && p % a.base != 0)) return -1;
      if (a.base != 1) p /= a.base;
      if (p >= a.elements) return -1;
      place = place * a.elements + p;
    }
    return place * last().elements;
  }

  void choose_taps(const char* from, int64_t place, Row& row) const {
    for (int64_t k = 0; k < last().size; ++k) {
      TapRun run = k < int64_t(taps.size()) ? taps[size_t(k)] : tap_run(last(), k);
      if (splits_columns()) run = {0, row.end - row.begin, 1, row.begin, 1};
      function({from, row.best.get(), row.where.get(), place, run, largest});
    }
  }

  // Calls body(plane, first window of a row in the plane, row) for every row of windows of a task.
  template <class Body>
  void for_each_row(int64_t task, Body body) const {
    const int64_t which = task / column_tasks(), column = task % column_tasks() * kColumns;
    const int64_t end = splits_columns() ? std::min(last().windows, column + kColumns) : last().windows;
    Row row{std::make_unique<char[]>(size_t(end - column) * 8), std::make_unique<char[]>(size_t(end - column) * 8),
            column, end};
    const char* from = x + which * plane.elements() * size_bytes(dtype);
    Dims at(plane.axes.size() - 1, 0);
    const int64_t rows = last().windows == 0 ? 0 : plane.windows() / last().windows;
    for (int64_t r = 0; r < rows; ++r) {
      choose(from, at, row);
      body(which, r * last().windows + column, row);
      for (size_t i = at.size(); i-- > 0;) {
        if (++at[i] < plane.axes[i].windows) break;
        at[i] = 0;
      }
    }
  }
};

// Calls body(j, place) for the windows of a row that chose an element.
template <class Body>
void for_each_choice(const Selection& s, const Selection::Row& row, Body body) {
  for (int64_t j = 0; j < row.end - row.begin; ++j) {
    const int64_t place = s.large_plane ? reinterpret_cast<const int64_t*>(row.where.get())[j]
                                        : reinterpret_cast<const int32_t*>(row.where.get())[j];
    body(j, place);
  }
}

template <class T, class Sum>
void add_choices(const Selection& s, const Selection::Row& row, const void* source, void* sums) {
  for_each_choice(s, row, [&](int64_t j, int64_t place) {
    if (place < 0) return;
    Sum& sum = static_cast<Sum*>(sums)[place];
    const T term = static_cast<const T*>(source)[j];
    if constexpr (std::is_integral_v<T>)
      sum = Sum(uint64_t(sum) + uint64_t(term));
    else
      sum += Sum(term);
  });
}

using AddFunction = void (*)(const Selection&, const Selection::Row&, const void*, void*);
AddFunction add_function(DType dtype) {
  switch (dtype) {
    case DType::f16: return add_choices<f16, float>;
    case DType::bf16: return add_choices<bf16, float>;
    case DType::f32: return add_choices<float, float>;
    case DType::f64: return add_choices<double, double>;
    case DType::i8:
    case DType::u8: return add_choices<uint8_t, uint8_t>;  // sums of any sign wrap around alike
    case DType::i16:
    case DType::u16: return add_choices<uint16_t, uint16_t>;
    case DType::i32:
    case DType::u32: return add_choices<uint32_t, uint32_t>;
    default: return add_choices<uint64_t, uint64_t>;
  }
}

template <class T>
void take_choices(const Selection& s, const Selection::Row& row, const void* values, void* y) {
  for_each_choice(s, row, [&](int64_t j, int64_t place) {
    static_cast<T*>(y)[j] = place < 0 ? T{} : static_cast<const T*>(values)[place];
  });
}

AddFunction take_function(int64_t element) {
  switch (element) {
    case 1: return take_choices<uint8_t>;
    case 2: return take_choices<uint16_t>;
    case 4: return take_choices<uint32_t>;
    default: return take_choices<uint64_t>;
  }
}

void check_select(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs,
                  bool scatters) {
  HEARTH_CHECK(in.size() == 2 && out.size() == 1 && takes(WindowKind::max, in[0].dtype), format,
               "select: wrong tensors");
  selects_largest(attrs);
  const WindowAxes axes = window_axes(attrs);
  const std::string problem = window_problem(in[0].dims, axes);
  HEARTH_CHECK(problem.empty(), format, "select: ", problem);
  const TensorType windows{in[0].dtype, window_counts(in[0].dims, axes)};
  HEARTH_CHECK(in[1] == (scatters ? windows : in[0]) && out[0] == (scatters ? in[0] : windows), format,
               "select: tensors ", in[1], " and ", out[0], " do not fit ", in[0]);
}

}  // namespace

void select_and_scatter(const KernelArgs& args) {
  const TensorArg &source = args.in[1], &y = args.out[0];
  const Selection s(args.in[0], args.attrs);
  const int64_t element = size_bytes(s.dtype), plane = s.plane.elements(), windows = s.plane.windows();
  if (y.type->elements() == 0) return;
  const bool wide = is_half(s.dtype);
  const int64_t column_tasks = s.column_tasks();
  if (!wide) std::memset(y.data, 0, size_t(y.type->bytes()));
  const AddFunction add = add_function(s.dtype);
  parallel_for(s.plane.planes * (wide ? 1 : column_tasks), [&](int64_t task, int) {
    const int64_t which = wide ? task : task / column_tasks;
    char* to = y.as<char>() + which * plane * element;
    std::vector<float> sums(wide ? size_t(plane) : 0);
    void* target = wide ? static_cast<void*>(sums.data()) : to;
    for (int64_t t = 0; t < (wide ? column_tasks : 1); ++t) {
      s.for_each_row(wide ? task * column_tasks + t : task, [&](int64_t p, int64_t window, const Selection::Row& row) {
        add(s, row, source.as<const char>() + (p * windows + window) * element, target);
      });
    }
    if (wide) narrow(s.dtype, sums.data(), to, plane);
  });
}

void select_and_gather(const KernelArgs& args) {
  const TensorArg &values = args.in[1], &y = args.out[0];
  if (y.type->elements() == 0) return;
  const Selection s(args.in[0], args.attrs);
  const int64_t element = size_bytes(s.dtype), plane = s.plane.elements(), windows = s.plane.windows();
  const AddFunction take = take_function(element);
  parallel_for(s.plane.planes * s.column_tasks(), [&](int64_t task, int) {
    s.for_each_row(task, [&](int64_t p, int64_t window, const Selection::Row& row) {
      take(s, row, values.as<const char>() + p * plane * element, y.as<char>() + (p * windows + window) * element);
    });
  });
}

void check_select_and_scatter(const std::vector<TensorType>& in, const std::vector<TensorType>& out,
                              const Attrs& attrs) {
  check_select(in, out, attrs, true);
}
void check_select_and_gather(const std::vector<TensorType>& in, const std::vector<TensorType>& out,
                             const Attrs& attrs) {
  check_select(in, out, attrs, false);
}

}  // namespace hearth
