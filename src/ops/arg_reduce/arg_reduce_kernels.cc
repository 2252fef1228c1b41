// SPDX-License-Identifier: Apache-2.0
// Kernel "arg_reduce". A task is a row, or a block of columns of one outer index. A long row, and columns where there
// are few tasks, are cut into parts of their own; the parts' winners are compared in order, so the cut does not show.
#include <algorithm>

#include "base/isa.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/along_axis/axis_view.h"
#include "ops/arg_reduce/arg_reduce_tiles.h"
#include "ops/sort/ordered_key.h"

namespace hearth {
namespace {

constexpr int64_t kPart = 1 << 16;  // elements of a part

const ArgReduceTiles& tiles() {
  if (isa() >= Isa::avx512) return arg_reduce_avx512;
  return isa() >= Isa::avx2 ? arg_reduce_avx2 : arg_reduce_scalar;
}

class ArgReduceCall {
 public:
  explicit ArgReduceCall(const KernelArgs& args)
      : x_(args.in[0]),
        y_(args.out[0]),
        view_(x_.dims(), args.attrs.integer("dimension")),
        tile_{x_.dtype(), args.attrs.text("kind") == "max"} {
    columns_ = std::min(view_.inner, kArgColumns);
    blocks_ = view_.inner == 0 ? 0 : (view_.inner + columns_ - 1) / columns_;
    length_ = std::max<int64_t>(1, kPart / std::max<int64_t>(1, columns_));
    parts_ = view_.n == 0 ? 0 : (view_.n + length_ - 1) / length_;
    if (view_.outer * blocks_ >= num_threads() && view_.n < UINT32_MAX) {  // enough tasks without a cut
      parts_ = 1;
      length_ = view_.n;
    }
  }

  void run() {
    if (y_.type->elements() == 0) return;
    const int64_t tasks = view_.outer * blocks_ * parts_;
    if (parts_ > 1) winners_.resize(size_t(y_.type->elements() * parts_));
    if (view_.inner == 1) {
      const int64_t grain = std::max<int64_t>(1, kPart / length_);
      parallel_ranges(tasks, grain, [&](int64_t begin, int64_t end, int) {
        for (int64_t task = begin; task < end; ++task) run_row(task);
      });
    } else {
      parallel_for(tasks, [&](int64_t task, int) { run_columns(task); });
    }
    if (parts_ > 1) join();
  }

 private:
  const char* at(int64_t i) const { return x_.as<const char>() + i * size_bytes(x_.dtype()); }
  int64_t first_row(int64_t part) const { return part * length_; }
  int64_t rows(int64_t part) const { return std::min(length_, view_.n - first_row(part)); }

  void keep(int64_t lane, int64_t part, int64_t number) {
    if (parts_ > 1)
      winners_[size_t(lane * parts_ + part)] = number;
    else
      store(lane, number);
  }
  void store(int64_t lane, int64_t number) {
    if (y_.dtype() == DType::i32)
      y_.as<int32_t>()[lane] = int32_t(number);
    else
      y_.as<int64_t>()[lane] = number;
  }

  void run_row(int64_t task) {
    const int64_t o = task / parts_, part = task % parts_, first = first_row(part);
    keep(o, part, first + tiles().row(tile_, at(o * view_.n + first), rows(part)));
  }

  void run_columns(int64_t task) {
    const int64_t part = task % parts_, block = task / parts_ % blocks_, o = task / parts_ / blocks_;
    const int64_t c = block * columns_, count = std::min(columns_, view_.inner - c), first = first_row(part);
    uint32_t numbers[kArgColumns];
    tiles().columns(tile_, at((o * view_.n + first) * view_.inner + c), rows(part), view_.inner, count, numbers);
    for (int64_t k = 0; k < count; ++k) keep(o * view_.inner + c + k, part, first + numbers[k]);
  }

  // The first of the parts' winners that none is better than.
  void join() {
    with_key(tile_.dtype, [&](auto key) {
      using Key = decltype(key);
      const auto* x = x_.as<const typename Key::Bits>();
      const auto better = [&](auto a, auto b) {  // NaN beats all else
        const auto nan = decltype(a)(~decltype(a){});
        if (!Key::kExact && (a == nan || b == nan)) return a == nan && b != nan;
        return tile_.max ? a > b : a < b;
      };
      for (int64_t lane = 0; lane < y_.type->elements(); ++lane) {
        const int64_t base = lane / view_.inner * view_.n * view_.inner + lane % view_.inner;
        const auto key_of = [&](int64_t number) { return Key::encode(x[base + number * view_.inner]); };
        int64_t best = winners_[size_t(lane * parts_)];
        for (int64_t part = 1; part < parts_; ++part) {
          const int64_t other = winners_[size_t(lane * parts_ + part)];
          if (better(key_of(other), key_of(best))) best = other;
        }
        store(lane, best);
      }
    });
  }

  const TensorArg &x_, &y_;
  const AxisView view_;
  const ArgReduceTile tile_;
  int64_t columns_, blocks_, length_, parts_;
  std::vector<int64_t> winners_;  // [lane, part]
};

void arg_reduce(const KernelArgs& args) { ArgReduceCall(args).run(); }

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() == 1 && out.size() == 1 && !is_complex(in[0].dtype), format, "needs 1 real input, 1 output");
  const int64_t axis = expect_axis(in[0], attrs.integer("dimension"));
  const std::string& kind = attrs.text("kind");
  Dims dims = in[0].dims;
  dims.erase(dims.begin() + axis);
  const int64_t n = in[0].dims[size_t(axis)];
  HEARTH_CHECK(kind == "max" || kind == "min", format, "kind is '", kind, "'");
  HEARTH_CHECK(out[0].dtype == DType::i64 || (out[0].dtype == DType::i32 && n <= INT32_MAX), format, "output is ",
               out[0], " for ", in[0]);
  HEARTH_CHECK(out[0].dims == dims && (n > 0 || out[0].elements() == 0), format, "output ", out[0], " does not fit ",
               in[0]);
}

}  // namespace

std::vector<KernelInfo> arg_reduce_kernels() { return {{"arg_reduce", arg_reduce, check}}; }

}  // namespace hearth
