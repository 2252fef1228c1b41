// SPDX-License-Identifier: Apache-2.0
// Kernels "sort_keys" and "sort_keys_indices": rows in parallel, or one after the other on all threads where a task's
// buffers are too large for more than a few. A sort along another axis than the last copies a block of columns to rows
// and back, a cache line at a time.
#include "ops/sort/sort_kernels.h"

#include <algorithm>

#include "base/threads.h"
#include "device/kernel.h"
#include "ops/sort/sort_row.h"
#include "ops/sort/sort_workspace.h"

namespace hearth {
namespace {

// to[c * pitch + i] = from[i * inner + c] for c < columns, or back. Blocks of a line's worth of rows, so that each line
// of `to` is filled at once.
template <class T>
void turn(const T* from, int64_t from_row, T* to, int64_t to_row, int64_t rows, int64_t columns) {
  constexpr int64_t kBlock = std::max<int64_t>(8, 64 / int64_t(sizeof(T)));
  for (int64_t i = 0; i < rows; i += kBlock) {
    const int64_t end = std::min(rows, i + kBlock);
    for (int64_t c = 0; c < columns; c += kBlock) {
      const int64_t last = std::min(columns, c + kBlock);
      for (int64_t column = c; column < last; ++column) {
        for (int64_t row = i; row < end; ++row) to[column * to_row + row] = from[row * from_row + column];
      }
    }
  }
}
struct Sixteen {
  uint64_t halves[2];
};
void turn(int64_t element, const char* from, int64_t from_row, char* to, int64_t to_row, int64_t rows,
          int64_t columns) {
  const auto as = [&](auto unit) {
    using T = decltype(unit);
    turn(reinterpret_cast<const T*>(from), from_row, reinterpret_cast<T*>(to), to_row, rows, columns);
  };
  switch (element) {
    case 1: return as(uint8_t{});
    case 2: return as(uint16_t{});
    case 4: return as(uint32_t{});
    case 8: return as(uint64_t{});
    default: return as(Sixteen{});
  }
}

class SortCall {
 public:
  explicit SortCall(const KernelArgs& args) : args_(args), layout_(types(args.in), args.attrs.integer("dimension")) {
    for (const TensorArg& x : args.in) row_.dtypes.push_back(x.dtype());
    row_.n = layout_.view.n;
    row_.num_keys = args.attrs.integer("num_keys");
    row_.descending = args.attrs.integer("descending") != 0;
    HEARTH_CHECK(args.workspace_bytes >= layout_.slots * layout_.task_bytes(), format,
                 "sort_keys: the plan gives it a workspace of ", args.workspace_bytes, " bytes, which is too small");
  }

  void run() {
    const int64_t workers = std::min<int64_t>({layout_.slots, layout_.tasks, num_threads()});
    if (workers < 2 || layout_.tasks < num_threads()) {
      for (int64_t task = 0; task < layout_.tasks; ++task) run_task(task, 0, true);
      return;
    }
    parallel_for(workers, [&](int64_t worker, int) {
      for (int64_t task = layout_.tasks * worker / workers; task < layout_.tasks * (worker + 1) / workers; ++task)
        run_task(task, worker, false);
    });
  }

 private:
  static std::vector<TensorType> types(const std::vector<TensorArg>& list) {
    std::vector<TensorType> all;
    for (const TensorArg& x : list) all.push_back(*x.type);
    return all;
  }

  void run_task(int64_t task, int64_t slot, bool all_threads) const {
    SortRow row = row_;
    row.all_threads = all_threads;
    row.items = static_cast<char*>(args_.workspace) + slot * layout_.task_bytes();
    row.spare = row.items + layout_.items_bytes;
    row.order = reinterpret_cast<uint32_t*>(row.spare + layout_.items_bytes);
    const AxisView& view = layout_.view;
    const bool numbered = args_.out.size() > args_.in.size();
    const DType index = numbered ? args_.out.back().dtype() : DType::i32;
    if (view.inner == 1) {
      const std::vector<char*> in = places(args_.in, task * view.n), out = places(args_.out, task * view.n);
      return sort_row(row, in.data(), out.data(), numbered ? out.back() : nullptr, index);
    }
    const int64_t blocks = (view.inner + layout_.columns - 1) / layout_.columns,
                  first = task % blocks * layout_.columns;
    const int64_t columns = std::min(layout_.columns, view.inner - first);
    const int64_t at = task / blocks * view.n * view.inner + first;
    char* memory = reinterpret_cast<char*>(row.order) + layout_.order_bytes;
    const std::vector<char*> in = places(args_.in, at), out = places(args_.out, at);
    const std::vector<char*> rows = blocks_of(args_.in, memory),
                             sorted = blocks_of(args_.out, memory + layout_.block_bytes);
    for (size_t k = 0; k < in.size(); ++k)
      turn(element(args_.in[k]), in[k], view.inner, rows[k], layout_.pitch, view.n, columns);
    for (int64_t c = 0; c < columns; ++c) {
      const std::vector<char*> from = moved(args_.in, rows, c), to = moved(args_.out, sorted, c);
      sort_row(row, from.data(), to.data(), numbered ? to.back() : nullptr, index);
    }
    for (size_t k = 0; k < out.size(); ++k)
      turn(element(args_.out[k]), sorted[k], layout_.pitch, out[k], view.inner, columns, view.n);
  }

  static int64_t element(const TensorArg& x) { return size_bytes(x.dtype()); }
  static std::vector<char*> places(const std::vector<TensorArg>& tensors, int64_t at) {
    std::vector<char*> all;
    for (const TensorArg& x : tensors) all.push_back(x.as<char>() + at * element(x));
    return all;
  }
  std::vector<char*> blocks_of(const std::vector<TensorArg>& tensors, char* memory) const {
    std::vector<char*> all;
    for (const TensorArg& x : tensors) {
      all.push_back(memory);
      memory += SortLayout::align(layout_.columns * layout_.pitch * element(x));
    }
    return all;
  }
  std::vector<char*> moved(const std::vector<TensorArg>& tensors, const std::vector<char*>& rows, int64_t c) const {
    std::vector<char*> all;
    for (size_t k = 0; k < rows.size(); ++k) all.push_back(rows[k] + c * layout_.pitch * element(tensors[k]));
    return all;
  }

  const KernelArgs& args_;
  const SortLayout layout_;
  SortRow row_;
};

void sort_keys(const KernelArgs& args) { SortCall(args).run(); }

void check_sort(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(!in.empty() && out.size() >= in.size(), format, "needs operands, and as many outputs");
  const int64_t axis = expect_axis(in[0], attrs.integer("dimension")), keys = attrs.integer("num_keys");
  attrs.integer("descending");
  HEARTH_CHECK(keys >= 1 && keys <= int64_t(in.size()), format, keys, " keys among ", in.size(), " operands");
  HEARTH_CHECK(in[0].dims[size_t(axis)] <= kMostSorted, format, "too many elements along axis ", axis, " of ", in[0]);
  for (size_t i = 0; i < in.size(); ++i)
    HEARTH_CHECK(in[i].dims == in[0].dims && out[i] == in[i], format, "operand ", i, " does not fit: ", in[i]);
}
void check_keys(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  check_sort(in, out, attrs);
  HEARTH_CHECK(out.size() == in.size(), format, "needs as many outputs as operands");
}
void check_indices(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  check_sort(in, out, attrs);
  const TensorType wanted = {sort_index_dtype(in[0].dims[size_t(attrs.integer("dimension"))]), in[0].dims};
  HEARTH_CHECK(out.size() == in.size() + 1 && out.back() == wanted, format, "needs one more output, ", wanted);
}

}  // namespace

std::vector<KernelInfo> sort_kernels() {
  return {{"sort_keys", sort_keys, check_keys},
          {"sort_keys_indices", sort_keys, check_indices},
          {"top_k", top_k_rows, check_top_k}};
}

}  // namespace hearth
