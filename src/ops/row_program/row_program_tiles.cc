// SPDX-License-Identifier: Apache-2.0
// How a program is cut into blocks of rows and tiles.
#include <algorithm>
#include <numeric>

#include "ops/row_program/row_program_prepare.h"

namespace hearth {
namespace {

// Measured (Zen 5, AVX-512, row programs of a LoRA step on prose-14m, ms of one thread in bf16): 35.5 with 256, 28.5
// with 512, 26.6 with 1024. A tile of a row is one f32 sum, whose error grows with its length: 32 additions in each of
// four vectors (2 threads, AVX-512, 2048 x 2048, ms with 512, 1024, 2048: sums of rows 0.15, 0.12, 0.10; layer norm
// 0.78, 0.70, 0.62).
constexpr int64_t kLineTile = 512, kLinearTile = 1024, kRowTileVectors = 4 * 32;
constexpr int64_t kKeepBytes = 64 * 1024;      // what the values of a row that stay for later phases may take
constexpr int64_t kPackedWidth = 96;           // rows up to here share tiles
constexpr int64_t kBlockElements = 4096;       // of several rows that go through the phases together: they stay in L1
constexpr int64_t kSharedElements = 1 << 17;   // a block with so many is worth waiting for each other at every phase
constexpr int64_t kFewRows = 16, kParts = 16;  // rows up to here are shared, in so many parts
constexpr int64_t kMostRows = 16, kEven = 16;  // rows of a block that is not packed; elements that fill any vector

bool uses_rows(const RowProgram& program) {
  for (const RowPhase& phase : program.phases) {
    if (!phase.after.empty()) return true;
    for (const RowInstruction& i : phase.tiles) {
      if (is_reduction(i.op) || i.op == RowOp::load_row || i.op == RowOp::store_row || is_spread(i.op)) return true;
    }
  }
  return false;
}

int64_t values_of(const RowProgram& program) {
  int64_t count = 0;
  for (const RowPhase& phase : program.phases) {
    for (const RowInstruction& i : phase.tiles)
      count += i.op != RowOp::load && i.op != RowOp::store && !is_reduction(i.op);
  }
  return count;
}

int widest(const RowProgram& program) {
  int words = 1;
  for (const RowPhase& phase : program.phases) {
    for (const auto* list : {&phase.tiles, &phase.after}) {
      for (const RowInstruction& i : *list) words = std::max(words, words_at(program, i));
    }
  }
  return words;
}

bool is_costly(RowOp op) {
  switch (op) {
    case RowOp::pow_f32:
    case RowOp::rem_f32:
    case RowOp::atan2_f32:
    case RowOp::exp_f32:
    case RowOp::log_f32:
    case RowOp::logistic_f32:
    case RowOp::tanh_f32:
    case RowOp::sin_f32:
    case RowOp::cos_f32:
    case RowOp::expm1_f32:
    case RowOp::log1p_f32:
    case RowOp::pow_f64:
    case RowOp::rem_f64:
    case RowOp::atan2_f64:
    case RowOp::exp_f64:
    case RowOp::log_f64:
    case RowOp::logistic_f64:
    case RowOp::tanh_f64:
    case RowOp::sin_f64:
    case RowOp::cos_f64:
    case RowOp::expm1_f64:
    case RowOp::log1p_f64:
    case RowOp::cbrt_f64:
    case RowOp::tan_f64:
    case RowOp::erf_f64: return true;
    default: return false;
  }
}

// Each phase computes anew what it needs of earlier ones. Cheap values cost no more than reading them would; of a
// program with others, all values of a row are kept when they fit the caches.
bool worth_keeping(const RowProgram& program, int words) {
  if (program.phases.size() < 2 || values_of(program) * program.width * 4 * words > kKeepBytes) return false;
  for (size_t p = 1; p < program.phases.size(); ++p) {
    for (const RowInstruction& i : program.phases[p].tiles) {
      if (is_costly(i.op)) return true;
    }
  }
  return false;
}

// Few long rows: all threads work on each block. The parts and the order in which they are joined depend on the
// program's sizes alone, so that results do not depend on the number of threads.
void choose_parts(RowSchedule* s) {
  const bool few = s->rows <= (s->interleaved() ? kLineTile / s->words / 2 : kFewRows);
  if (few && s->width * s->inner >= kSharedElements) s->parts = kParts;
}

// A tile is a line across interleaved rows, or several whole lines where they are short. Rows of a block are
// neighbours.
void choose_interleaved(RowSchedule* s, int threads) {
  const int64_t most = kLinearTile / s->words, outer = s->rows / s->inner;
  const int64_t share = outer >= threads ? s->inner : (s->inner + threads - 1) / threads;
  s->block_rows = s->inner;
  if (s->inner > kLineTile / s->words / 2) {
    s->block_rows = std::min(s->inner, std::min(most, std::max<int64_t>(kLineTile / s->words / 2, share)));
    s->block_rows = std::min(s->inner, (s->block_rows + kEven - 1) / kEven * kEven);
  }
  s->tile_width =
      s->block_rows < s->inner ? 1 : std::clamp<int64_t>(s->tile / s->inner, 1, std::max<int64_t>(1, s->width));
  s->tile = s->tile_width * s->block_rows;
  s->keep_values = s->tile_width >= s->width;
  if (!s->keep_values) choose_parts(s);
}

}  // namespace

// Without anything per row the program is one long row. Several short rows share a tile, if possible so many that their
// elements fill vectors. Longer rows go through the phases in blocks that share the work per row.
void choose_tiles(RowSchedule* s, const RowProgram& program, int vector_bytes, int threads) {
  const int64_t row_tile = kRowTileVectors * vector_bytes / 4;
  const bool linear = s->linear = !uses_rows(program);
  s->rows = linear ? 1 : program.rows;
  s->width = linear ? program.rows * program.width : program.width;
  s->words = widest(program);
  s->tile = s->tile_width = (linear ? kLinearTile : program.inner > 1 ? kLineTile : row_tile) / s->words;
  s->inner = linear ? 1 : program.inner;
  s->parts = 1;
  s->block_rows = 1;
  s->keep_values = s->packed = false;
  if (linear) return;
  if (s->interleaved()) return choose_interleaved(s, threads);
  s->packed = s->width <= kPackedWidth;
  if (s->packed) {
    s->block_rows = s->tile / std::max<int64_t>(1, s->width);
    const int64_t even = kEven / std::gcd(kEven, s->width);
    if (s->block_rows > even) s->block_rows -= s->block_rows % even;
    s->keep_values = program.phases.size() > 1;
  } else if (worth_keeping(program, s->words)) {
    s->keep_values = true;
    s->tile = s->tile_width = std::max(s->tile, s->width);
  } else {
    const int64_t share = (s->rows + threads - 1) / threads;
    s->block_rows = std::clamp<int64_t>(std::min(kBlockElements / s->width, share), 1, kMostRows);
    choose_parts(s);
  }
}

}  // namespace hearth
