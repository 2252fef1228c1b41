// SPDX-License-Identifier: Apache-2.0
// The driver for products with few rows or few columns (decoding, small batches, LoRA's factors): the large operand is
// read once, where it lies, and bounds the time by memory bandwidth. The small operand is widened beforehand. Few
// columns are few rows of the transposed product, so both are "small" vectors x[s,k] against "large" vectors w[j,k]:
// out[s,j] = sum_k x[s,k] w[j,k]. Where k is contiguous in w: dot products for one or two x, broadcasts of w for more
// where the instruction set has them (gemm_simd_broadcast.h).
#include <algorithm>
#include <cstring>

#include "ops/matmul/gemm_driver.h"

namespace hearth {
namespace {

constexpr int64_t kLeastBroadcast = 3, kMostBroadcast = 32;  // vectors x
constexpr int64_t kMostSmall = 16;                           // of other kernels; 32 at most for pairs of bf16
constexpr int64_t kChunkBytes = 1 << 20;                     // of the large operand per task
constexpr int64_t kDirectDepth = 64;                         // rows of a k-major operand per pass over a task's columns
constexpr int64_t kDirectColumns = 128;  // least of a task: a line of a row at a time keeps memory waiting
constexpr int64_t kLeastSplitK = 512, kLeastDirectSplitK = 64;
constexpr int64_t kOneThreadSums = 1 << 15;  // that one thread adds up sooner than it wakes the others

// One term, turned so that small and large are told apart.
struct Side {
  PanelSource small, large;
  float scale;
  bool along_k;  // large has k contiguous: dot products; else its vectors are interleaved: direct tiles
  bool pairs;    // dot products of bf16 pairs
  const BroadcastRows* broadcast = nullptr;  // instead of dot products
  int width = 0;                             // of the packed small panel, direct tiles
  char* x = nullptr;                         // the small operand, packed
  int64_t x_stride = 0;
  int64_t x_bytes() const {
    if (broadcast) return broadcast->bytes(small.count, small.k);
    return along_k ? small.count * x_stride * (pairs ? 2 : 4) : small.k * width * 4;
  }
};

struct Skinny {
  const GemmJob* job;
  bool swapped;  // the columns of C are the small side
  int64_t small, large;
  Side sides[2];
  int count = 0;
  int64_t chunk = 0, splits = 1;  // large vectors per task; parts of k
};

bool make_side(const GemmJob& job, const GemmTerm& term, bool swapped, Side* side) {
  const GemmKernels& kernels = *job.kernels;
  const PanelSource a = rows_of_a(term, job.call.m), b = columns_of_b(term, job.call.n);
  side->small = swapped ? b : a;
  side->large = swapped ? a : b;
  side->scale = term.scale;
  side->along_k = side->large.stride_k == 1;
  side->pairs = side->along_k && kernels.dot_rows_bf16 && a.dtype == DType::bf16 && b.dtype == DType::bf16;
  if (side->along_k)
    side->x_stride =
        round_up(term.k, 64) + 64;  // an odd number of lines more: rows a power of two apart share cache sets
  else
    side->width = kernels.direct_width(side->small.count);
  const BroadcastRows& broadcast = side->pairs ? kernels.broadcast_bf16 : kernels.broadcast_f32;
  const bool one_dtype = side->pairs || (a.dtype == DType::f32 && b.dtype == DType::f32);
  if (side->along_k && broadcast.multiply && one_dtype && side->small.stride_k == 1 &&
      side->small.count >= kLeastBroadcast)
    side->broadcast = &broadcast;
  return side->along_k || (side->large.stride_i == 1 && side->small.count <= kernels.direct_rows);
}

template <class T>
void gather(const char* from, int64_t stride, int64_t count, T* to) {
  const T* data = reinterpret_cast<const T*>(from);
  for (int64_t i = 0; i < count; ++i) std::memcpy(to + i, data + i * stride, sizeof(T));
}

// x[s,k] with k contiguous, padded with zeros.
void pack_rows(const GemmKernels& kernels, const Side& side) {
  constexpr int64_t kPiece = 256;
  const PanelSource& s = side.small;
  const int64_t bytes = side.pairs ? 2 : 4;
  for (int64_t i = 0; i < s.count; ++i) {
    char* to = side.x + i * side.x_stride * bytes;
    std::memset(to + s.k * bytes, 0, (side.x_stride - s.k) * bytes);
    for (int64_t k = 0; k < s.k; k += kPiece) {
      const int64_t n = std::min(kPiece, s.k - k);
      const char* from = element_of(s, i, k);
      uint32_t piece[kPiece];
      if (s.stride_k != 1) {
        if (size_bytes(s.dtype) == 2)
          gather(from, s.stride_k, n, reinterpret_cast<uint16_t*>(piece));
        else
          gather(from, s.stride_k, n, piece);
        from = reinterpret_cast<const char*>(piece);
      }
      if (side.pairs)
        std::memcpy(to + k * 2, from, n * 2);
      else
        kernels.widen(from, s.dtype, n, reinterpret_cast<float*>(to) + k);
    }
  }
}

// x as a k-major panel.
void pack_panel(const GemmKernels& kernels, const Side& side) {
  kernels.pack_narrow(gathered(side.small), side.width, reinterpret_cast<float*>(side.x));
}

// out[s, 0..n) += the products with large vectors [j0, j0 + n) over one part of k.
void add_products(const Skinny& skinny, const Side& side, int64_t j0, int64_t n, int64_t split, float* out) {
  const GemmKernels& kernels = *skinny.job->kernels;
  const int64_t part = round_up(ceil_div(side.large.k, skinny.splits), kDirectDepth);
  const int64_t k_begin = std::min(split * part, side.large.k), k_end = std::min(k_begin + part, side.large.k);
  if (k_begin == k_end) return;
  if (side.along_k) {
    const DotRows dot{element_of(side.large, j0, k_begin),
                      side.large.dtype,
                      side.large.stride_i,
                      n,
                      skinny.small,
                      k_end - k_begin,
                      side.broadcast ? side.x + side.broadcast->bytes(skinny.small, k_begin)
                                     : side.x + k_begin * (side.pairs ? 2 : 4),
                      side.x_stride,
                      side.scale,
                      out,
                      n};
    if (side.broadcast) return side.broadcast->multiply(dot);
    return (side.pairs ? kernels.dot_rows_bf16 : kernels.dot_rows)(dot);
  }
  Tile tile;
  tile.b_stride = side.large.stride_k;
  tile.alpha = side.scale;
  tile.init = tile.out = out;
  tile.ld_init = tile.ld_out = n;
  tile.rows = skinny.small;
  tile.cols = n;
  const PanelSource& large = side.large;
  for (int64_t k = k_begin; k < k_end; k += kDirectDepth) {
    tile.k = std::min(kDirectDepth, k_end - k);
    const int64_t next = k + tile.k, more = std::min(kDirectDepth, k_end - next);
    fetch_lines({element_of(large, j0, next), large.dtype, large.stride_i, large.stride_k, n, more});
    tile.a = side.x + k * side.width * 4;
    tile.b = element_of(side.large, j0, k);
    kernels.direct_tile(tile, side.large.dtype);
  }
}

// Writes rows of C: count rows of n sums, `from` with stride n.
void write_rows(const GemmJob& job, int64_t row, int64_t col, int64_t rows, int64_t n, float* from) {
  const GemmCall& call = job.call;
  for (int64_t i = 0; i < rows; ++i, from += n) {
    char* to = static_cast<char*>(call.c) + ((row + i) * call.ldc + col) * size_bytes(call.c_dtype);
    if (call.addend) {
      const char* addend =
          static_cast<const char*>(call.addend) + ((row + i) * call.ld_addend + col) * size_bytes(call.addend_dtype);
      float piece[256];
      for (int64_t j = 0; j < n; j += 256) {
        const int64_t count = std::min<int64_t>(256, n - j);
        job.kernels->widen(addend + j * size_bytes(call.addend_dtype), call.addend_dtype, count, piece);
        for (int64_t e = 0; e < count; ++e) from[j + e] += piece[e];
      }
    }
    job.kernels->narrow(from, n, call.c_dtype, to);
  }
}

void write(const Skinny& skinny, int64_t j0, int64_t n, float* sums) {
  if (!skinny.swapped) return write_rows(*skinny.job, 0, j0, skinny.small, n, sums);
  float turned[2 * kMostSmall * 64];
  for (int64_t j = 0; j < n; j += 64) {
    const int64_t count = std::min<int64_t>(64, n - j);
    for (int64_t s = 0; s < skinny.small; ++s) {
      for (int64_t e = 0; e < count; ++e) turned[e * skinny.small + s] = sums[s * n + j + e];
    }
    write_rows(*skinny.job, j0 + j, 0, count, skinny.small, turned);
  }
}

// Four tasks per thread, of whole vectors; where those are too few, two, of parts of k.
void choose_chunks(Skinny& skinny) {
  const int64_t threads = skinny.job->threads;
  const Side& side = skinny.sides[0];
  const int64_t bytes = side.large.k * size_bytes(side.large.dtype);
  const int64_t least = side.along_k ? 16 : kDirectColumns;
  const int64_t most = std::clamp(kChunkBytes / bytes, side.along_k ? least : 256, int64_t{1024});
  skinny.chunk = std::clamp(round_up(ceil_div(skinny.large, 4 * threads), least), least, round_up(most, least));
  const int64_t chunks = ceil_div(skinny.large, skinny.chunk);
  if (chunks < threads && skinny.count == 1) {
    const int64_t least_k = side.along_k ? kLeastSplitK : kLeastDirectSplitK;
    skinny.splits = std::max<int64_t>(1, std::min(ceil_div(2 * threads, chunks), side.large.k / least_k));
  }
}

// Adds the parts of k in order, the same sum each time, and writes them.
void write_parts(const Skinny& skinny, float* parts) {
  const int64_t chunks = ceil_div(skinny.large, skinny.chunk), chunk_floats = skinny.small * skinny.chunk;
  gemm_for(chunks, skinny.splits * chunks * chunk_floats > kOneThreadSums ? skinny.job->threads : 1,
           [&](int64_t chunk) {
             const int64_t j0 = chunk * skinny.chunk, n = std::min(skinny.chunk, skinny.large - j0);
             float* sums = parts + chunk * chunk_floats;
             for (int64_t split = 1; split < skinny.splits; ++split) {
               const float* more = parts + (split * chunks + chunk) * chunk_floats;
               for (int64_t i = 0; i < skinny.small * n; ++i) sums[i] += more[i];
             }
             write(skinny, j0, n, sums);
           });
}

void run(Skinny& skinny) {
  const GemmJob& job = *skinny.job;
  choose_chunks(skinny);
  const int64_t chunks = ceil_div(skinny.large, skinny.chunk), chunk_floats = skinny.small * skinny.chunk;
  float* parts =
      skinny.splits == 1
          ? nullptr
          : reinterpret_cast<float*>(gemm_scratch().sums.at_least(skinny.splits * chunks * chunk_floats * 4));
  gemm_for(chunks * skinny.splits, job.threads, [&](int64_t task) {
    const int64_t split = task / chunks, j0 = task % chunks * skinny.chunk;
    const int64_t n = std::min(skinny.chunk, skinny.large - j0);
    float* sums =
        parts ? parts + task * chunk_floats : reinterpret_cast<float*>(gemm_scratch().block.at_least(chunk_floats * 4));
    std::fill(sums, sums + skinny.small * n, 0.0f);
    for (int t = 0; t < skinny.count; ++t) add_products(skinny, skinny.sides[t], j0, n, split, sums);
    if (!parts) write(skinny, j0, n, sums);
  });
  if (parts) write_parts(skinny, parts);
}

}  // namespace

bool gemm_skinny(const GemmJob& job) {
  const GemmCall& call = job.call;
  const bool swapped = call.n < call.m;
  Skinny skinny{&job, swapped, swapped ? call.n : call.m, swapped ? call.m : call.n, {}};
  if (skinny.small > std::max(kMostBroadcast, job.kernels->dot_rows_bf16_most)) return false;
  for (int t = 0; t < call.term_count; ++t) {
    Side& side = skinny.sides[skinny.count++];
    if (!make_side(job, call.terms[t], swapped, &side)) return false;
    if (!side.broadcast && skinny.small > (side.pairs ? job.kernels->dot_rows_bf16_most : kMostSmall)) return false;
  }
  int64_t bytes = 0;
  for (int t = 0; t < skinny.count; ++t) bytes += round_up(skinny.sides[t].x_bytes(), 64);
  char* x = gemm_scratch().a.at_least(bytes);
  for (int t = 0; t < skinny.count; ++t) {
    Side& side = skinny.sides[t];
    side.x = x;
    x += round_up(side.x_bytes(), 64);
    if (side.broadcast)
      side.broadcast->pack(side.small, side.x);
    else if (side.along_k)
      pack_rows(*job.kernels, side);
    else
      pack_panel(*job.kernels, side);
  }
  run(skinny);
  return true;
}

}  // namespace hearth
