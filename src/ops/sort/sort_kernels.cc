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

std::vector<TensorType> types_of(const std::vector<TensorArg>& list) {
  std::vector<TensorType> all;
  for (const TensorArg& x : list) all.push_back(*x.type);
  return all;
}

// What one thread works on: tasks one after the other, in the buffers of one slot.
class SortWorker {
 public:
  SortWorker(const KernelArgs& args, const SortLayout& layout, int64_t slot, bool all_threads)
      : args_(args), layout_(layout), in_(args.in.size()), out_(args.out.size()), rows_(in_), sorted_(out_) {
    for (const TensorArg& x : args.in) row_.dtypes.push_back(x.dtype());
    row_.n = layout.view.n;
    row_.num_keys = args.attrs.integer("num_keys");
    row_.descending = args.attrs.integer("descending") != 0;
    row_.all_threads = all_threads;
    row_.items = static_cast<char*>(args.workspace) + slot * layout.task_bytes();
    row_.spare = row_.items + layout.items_bytes;
    row_.order = reinterpret_cast<uint32_t*>(row_.spare + layout.items_bytes);
    char* memory = reinterpret_cast<char*>(row_.order) + layout.order_bytes;
    place_blocks(args.in, memory, rows_);
    place_blocks(args.out, memory + layout.block_bytes, sorted_);
    numbered_ = args.out.size() > args.in.size();
  }

  void run(int64_t task) {
    const AxisView& view = layout_.view;
    if (view.inner == 1) {
      for (size_t k = 0; k < in_.size(); ++k) in_[k] = at(args_.in[k], task * view.n);
      for (size_t k = 0; k < out_.size(); ++k) out_[k] = at(args_.out[k], task * view.n);
      return sort_one();
    }
    const int64_t blocks = (view.inner + layout_.columns - 1) / layout_.columns;
    const int64_t first = task % blocks * layout_.columns, columns = std::min(layout_.columns, view.inner - first);
    const int64_t begin = task / blocks * view.n * view.inner + first;
    for (size_t k = 0; k < in_.size(); ++k)
      turn(element(args_.in[k]), at(args_.in[k], begin), view.inner, rows_[k], layout_.pitch, view.n, columns);
    for (int64_t c = 0; c < columns; ++c) {
      for (size_t k = 0; k < in_.size(); ++k) in_[k] = rows_[k] + c * layout_.pitch * element(args_.in[k]);
      for (size_t k = 0; k < out_.size(); ++k) out_[k] = sorted_[k] + c * layout_.pitch * element(args_.out[k]);
      sort_one();
    }
    for (size_t k = 0; k < out_.size(); ++k)
      turn(element(args_.out[k]), sorted_[k], layout_.pitch, at(args_.out[k], begin), view.inner, columns, view.n);
  }

 private:
  static int64_t element(const TensorArg& x) { return size_bytes(x.dtype()); }
  static char* at(const TensorArg& x, int64_t i) { return x.as<char>() + i * element(x); }
  void place_blocks(const std::vector<TensorArg>& tensors, char* memory, std::vector<char*>& places) const {
    for (size_t k = 0; k < tensors.size(); ++k) {
      places[k] = memory;
      memory += SortLayout::align(layout_.columns * layout_.pitch * element(tensors[k]));
    }
  }
  void sort_one() {
    sort_row(row_, in_.data(), out_.data(), numbered_ ? out_.back() : nullptr, args_.out.back().dtype());
  }

  const KernelArgs& args_;
  const SortLayout& layout_;
  SortRow row_;
  std::vector<char*> in_, out_;       // the operands' elements of one row
  std::vector<char*> rows_, sorted_;  // a copied block of columns, its result
  bool numbered_ = false;
};

void sort_keys(const KernelArgs& args) {
  const SortLayout layout(types_of(args.in), args.attrs.integer("dimension"));
  HEARTH_CHECK(args.workspace_bytes >= layout.slots * layout.task_bytes(), format,
               "sort_keys: the plan gives it a workspace of ", args.workspace_bytes, " bytes, which is too small");
  const int64_t workers = std::min<int64_t>({layout.slots, layout.tasks, num_threads()});
  if (layout.tasks < num_threads() || workers < 2) {
    SortWorker worker(args, layout, 0, true);
    for (int64_t task = 0; task < layout.tasks; ++task) worker.run(task);
    return;
  }
  parallel_for(workers, [&](int64_t slot, int) {
    SortWorker worker(args, layout, slot, false);
    for (int64_t task = layout.tasks * slot / workers; task < layout.tasks * (slot + 1) / workers; ++task)
      worker.run(task);
  });
}

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
