// SPDX-License-Identifier: Apache-2.0
// Kernels "cumulative" and "linear_recurrence". A task is a few rows, or a block of columns of one outer index. Where
// the axis is long and there are few lanes, it is cut into pieces of fixed length: totals of the pieces first, then
// each piece from the joined totals before it; group by group, so that the second reading comes from the cache.
// Operations that regrouping could harm (scan_vector.h) are not cut.
#include <algorithm>

#include "base/isa.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/along_axis/axis_view.h"
#include "ops/cumulative/scan_tiles.h"

namespace hearth {
namespace {

constexpr int64_t kPiece = 4096, kPiecesPerGroup = 16;         // elements; pieces per thread: 256 KB of f32
constexpr int64_t kLeastCut = 4 * kPiece, kMostLanesCut = 32;  // a shorter axis, or one of more lanes, is not cut

const ScanTiles& tiles() {
  if (isa() >= Isa::avx512) return scan_avx512;
  return isa() >= Isa::avx2 ? scan_avx2 : scan_scalar;
}

class Scan {
 public:
  Scan(const KernelArgs& args, ScanKind kind)
      : x_(args.in.back().as<const char>()),
        a_(args.in.front().as<const char>()),
        y_(args.out[0].as<char>()),
        view_(args.in[0].dims(), args.attrs.integer("dimension")),
        tile_{args.in[0].dtype(), kind, args.attrs.integer("reverse") != 0},
        bytes_(size_bytes(tile_.dtype)) {}

  void run() const {
    const int64_t lanes = view_.outer * view_.inner;
    if (lanes == 0 || view_.n == 0) return;
    if (regroups() && view_.n >= kLeastCut && lanes <= kMostLanesCut)
      run_pieces();
    else if (view_.inner == 1)
      run_rows();
    else
      run_columns();
  }

 private:
  bool regroups() const {
    return tile_.kind != ScanKind::recurrence && (tile_.kind != ScanKind::product || is_int(tile_.dtype));
  }

  ScanBlock block(int64_t at, int64_t n, int64_t lanes, void* carry) const {
    return {x_ + at * bytes_,
            a_ + at * bytes_,
            y_ + at * bytes_,
            n,
            view_.inner == 1 ? view_.n : view_.inner,
            lanes,
            carry};
  }

  void run_rows() const {
    const int64_t groups = (view_.outer + kScanRows - 1) / kScanRows;
    const int64_t grain = std::max<int64_t>(1, kPiece / (view_.n * kScanRows));
    parallel_ranges(groups, grain, [&](int64_t begin, int64_t end, int) {
      alignas(64) char carry[kScanRows * kScanCarryBytes];
      for (int64_t group = begin; group < end; ++group) {
        const int64_t first = group * kScanRows, rows = std::min(kScanRows, view_.outer - first);
        tiles().start(tile_, carry, rows);
        tiles().rows(tile_, block(first * view_.n, view_.n, rows, carry));
      }
    });
  }

  void run_columns() const {
    // Blocks so narrow that every thread gets some, but whole lines.
    const int64_t share = (view_.inner * view_.outer + num_threads() - 1) / num_threads();
    const int64_t columns = std::min(view_.inner, std::clamp<int64_t>((share + 63) / 64 * 64, 64, kScanColumns));
    const int64_t blocks = (view_.inner + columns - 1) / columns;
    parallel_for(view_.outer * blocks, [&](int64_t task, int) {
      alignas(64) char carry[kScanColumns * kScanCarryBytes];
      const int64_t first = task % blocks * columns, count = std::min(columns, view_.inner - first);
      tiles().start(tile_, carry, count);
      tiles().columns(tile_, block(task / blocks * view_.n * view_.inner + first, view_.n, count, carry));
    });
  }

  // Pieces of one outer index in the scan's order, a few interleaved where they are rows.
  void run_pieces() const {
    const int64_t length = std::max<int64_t>(64, kPiece / view_.inner), pieces = (view_.n + length - 1) / length;
    const int64_t group = kPiecesPerGroup * num_threads(), stride = view_.inner * carry_bytes();
    const int64_t together = view_.inner == 1 ? kScanRows : 1;
    std::vector<char> carries(size_t((group + 1) * stride));
    const auto carry_of = [&](int64_t k) { return carries.data() + k * stride; };
    for (int64_t o = 0; o < view_.outer; ++o) {
      tiles().start(tile_, carry_of(0), view_.inner);
      for (int64_t first = 0; first < pieces; first += group) {
        const int64_t count = std::min(group, pieces - first), units = (count + together - 1) / together;
        const auto run_unit = [&](int64_t unit, int64_t carries_from, bool totals) {
          const int64_t k = unit * together;
          run_some_pieces(o, first + k, std::min(together, count - k), length, carry_of(k + carries_from), totals);
        };
        tiles().start(tile_, carry_of(1), count * view_.inner);
        parallel_for(units, [&](int64_t unit, int) { run_unit(unit, 1, true); });
        for (int64_t k = 0; k < count; ++k) put_before(carry_of(k), carry_of(k + 1));
        // This ends with other carries than the joined ones: it groups the terms in another way.
        const std::vector<char> end(carry_of(count), carry_of(count) + stride);
        parallel_for(units, [&](int64_t unit, int) { run_unit(unit, 0, false); });
        std::copy(end.begin(), end.end(), carry_of(0));
      }
    }
  }

  // Pieces p, p + 1 ... of equal length, but for the last of all.
  void run_some_pieces(int64_t o, int64_t p, int64_t count, int64_t length, char* carry, bool totals) const {
    if (count > 1 && (p + count) * length > view_.n) {
      run_some_pieces(o, p, count - 1, length, carry, totals);
      run_some_pieces(o, p + count - 1, 1, length, carry + (count - 1) * carry_bytes(), totals);
      return;
    }
    const int64_t done = p * length, n = std::min(length, view_.n - done);
    const int64_t first = tile_.reverse ? view_.n - done - n : done;
    ScanBlock part = block((o * view_.n + first) * view_.inner, n, view_.inner == 1 ? count : view_.inner, carry);
    if (view_.inner == 1) part.pitch = tile_.reverse ? -length : length;
    if (totals) part.y = nullptr;
    view_.inner == 1 ? tiles().rows(tile_, part) : tiles().columns(tile_, part);
  }

  int64_t carry_bytes() const { return std::max<int64_t>(4, bytes_); }

  // total = before op total
  void put_before(const void* before, void* total) const {
    alignas(64) char joined[kMostLanesCut * kScanCarryBytes];
    const int64_t bytes = view_.inner * carry_bytes();
    std::copy_n(static_cast<const char*>(before), bytes, joined);
    tiles().join(tile_, joined, total, view_.inner);
    std::copy_n(joined, bytes, static_cast<char*>(total));
  }

  const char *x_, *a_;
  char* y_;
  const AxisView view_;
  const ScanTile tile_;
  const int64_t bytes_;
};

ScanKind kind_of(const std::string& kind) {
  if (kind == "sum") return ScanKind::sum;
  if (kind == "product") return ScanKind::product;
  HEARTH_CHECK(kind == "max" || kind == "min", format, "kind is '", kind, "'");
  return kind == "max" ? ScanKind::max : ScanKind::min;
}

void cumulative(const KernelArgs& args) { Scan(args, kind_of(args.attrs.text("kind"))).run(); }
void recurrence(const KernelArgs& args) { Scan(args, ScanKind::recurrence).run(); }

void check_scan(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs,
                size_t inputs) {
  HEARTH_CHECK(in.size() == inputs && out.size() == 1 && in[0] == in.back() && in[0] == out[0], format, "needs ",
               inputs, " inputs and 1 output of one type");
  expect_axis(in[0], attrs.integer("dimension"));
  attrs.integer("reverse");
}
void check_cumulative(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  check_scan(in, out, attrs, 1);
  const ScanKind kind = kind_of(attrs.text("kind"));
  const bool numeric = kind == ScanKind::sum || kind == ScanKind::product;
  HEARTH_CHECK(numeric ? in[0].dtype != DType::boolean : !is_complex(in[0].dtype), format, "kind '", attrs.text("kind"),
               "' has no meaning for ", in[0]);
}
void check_recurrence(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  check_scan(in, out, attrs, 2);
  HEARTH_CHECK(in[0].dtype != DType::boolean, format, "has no meaning for ", in[0]);
}

}  // namespace

std::vector<KernelInfo> cumulative_kernels() {
  return {{"cumulative", cumulative, check_cumulative}, {"linear_recurrence", recurrence, check_recurrence}};
}

}  // namespace hearth
