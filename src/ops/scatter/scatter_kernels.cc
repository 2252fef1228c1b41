// SPDX-License-Identifier: Apache-2.0
// Kernel "scatter". Bound by memory. Each element of the operand is written by one thread, which meets its updates in
// their order: threads own parts of an axis along which slices never meet (columns of rows, batches) when there is one,
// else ranges of the operand, for which each thread looks through all indices.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/isa.h"
#include "base/threads.h"
#include "ops/gather/index_walk.h"
#include "ops/scatter/scatter_rows.h"

namespace hearth {
namespace {

constexpr int64_t kBytesPerTask = 1 << 18;
constexpr int64_t kSmallestRange = 1 << 13;  // elements of the operand that are worth a look through all indices

ScatterFunction scatter_function(ScatterKind kind, DType out, DType updates) {
  const Isa best = isa();
  const auto function = best >= Isa::avx512 ? scatter_function_avx512
                        : best >= Isa::avx2 ? scatter_function_avx2
                                            : scatter_function_scalar;
  const ScatterFunction found = function(kind, out, updates);
  HEARTH_CHECK(found, bug, "scatter: no loop for ", out, " and updates of ", updates);
  return found;
}

// to[i] = from[i] in the other dtype.
void convert_all(const TensorType& type, DType to_dtype, void* to, DType from_dtype, const void* from) {
  const ScatterFunction set = scatter_function(ScatterKind::set, to_dtype, from_dtype);
  const int64_t to_size = size_bytes(to_dtype), from_size = size_bytes(from_dtype);
  parallel_ranges(type.elements(), kBytesPerTask / 4, [&](int64_t begin, int64_t end, int) {
    const int64_t zero = 0;
    set({static_cast<char*>(to) + begin * to_size, static_cast<const char*>(from) + begin * from_size, 0, end - begin,
         &zero, 1, 0, end - begin});
  });
}

void copy_all(const TensorArg& to, const TensorArg& from) {
  if (to.data == from.data) return;
  parallel_ranges(to.type->bytes(), kBytesPerTask, [&](int64_t begin, int64_t end, int) {
    std::memcpy(to.as<char>() + begin, from.as<const char>() + begin, size_t(end - begin));
  });
}

struct Job {
  ScatterFunction function;
  const TensorArg &indices, &updates;
  void* out;

  void run(const IndexWalk& walk, int64_t low, int64_t high) const {
    const int64_t element = size_bytes(updates.dtype());
    for_each_block(walk, indices, [&](int64_t data, const int64_t* offsets, int64_t count) {
      function({out, updates.as<const char>() + data * element, walk.axes.back().data, walk.run.size, offsets, count,
                low, high});
    });
  }

  void run_parallel(const IndexWalk& walk, int64_t elements, bool unique) const {
    if (for_each_part(walk, !unique, [&](const IndexWalk& some) { run(some, 0, elements); })) return;
    const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(num_threads(), elements / kSmallestRange));
    parallel_for(parts, [&](int64_t p, int) { run(walk, elements * p / parts, elements * (p + 1) / parts); });
  }
};

void scatter(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &indices = args.in[1], &updates = args.in[2], &y = args.out[0];
  const int64_t elements = y.type->elements();
  if (elements == 0) return;
  const ScatterKind kind = *scatter_kind(args.attrs.text("kind"));
  const bool unique = args.attrs.integer("unique_indices") != 0;
  const IndexWalk walk =
      index_walk(x.dims(), indices.dims(), scatter_axes(args.attrs, x.dims(), updates.dims()), clamps(args.attrs));
  if (!accumulates_wide(kind, y.dtype()) || updates.type->elements() == 0) {
    copy_all(y, x);
    Job{scatter_function(kind, y.dtype(), updates.dtype()), indices, updates, y.data}.run_parallel(walk, elements,
                                                                                                   unique);
    return;
  }
  HEARTH_CHECK(args.workspace_bytes >= scatter_workspace(kind, *y.type), format,
               "scatter: the plan gives it a workspace of ", args.workspace_bytes, " bytes, which is too small");
  convert_all(*y.type, DType::f32, args.workspace, y.dtype(), x.data);
  Job{scatter_function(kind, DType::f32, updates.dtype()), indices, updates, args.workspace}.run_parallel(
      walk, elements, unique);
  convert_all(*y.type, y.dtype(), y.data, DType::f32, args.workspace);
}

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() == 3 && out.size() == 1 && is_index_dtype(in[1].dtype), format, "scatter: wrong tensors");
  const std::optional<ScatterKind> kind = scatter_kind(attrs.text("kind"));
  HEARTH_CHECK(kind && takes(*kind, in[0].dtype), format, "scatter: kind '", attrs.text("kind"),
               "' has no meaning for ", in[0]);
  HEARTH_CHECK(in[2].dtype == in[0].dtype && out[0] == in[0], format, "scatter: tensors do not fit");
  clamps(attrs);
  attrs.integer("unique_indices");
  const std::string problem = scatter_problem(in[0].dims, in[1].dims, in[2].dims, attrs);
  HEARTH_CHECK(problem.empty(), format, "scatter: ", problem);
}

}  // namespace

std::vector<KernelInfo> scatter_kernels() { return {{"scatter", scatter, check}}; }

}  // namespace hearth
