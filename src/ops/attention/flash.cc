// SPDX-License-Identifier: Apache-2.0
#include "ops/attention/flash.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>

#include "base/error.h"
#include "base/threads.h"
#include "ops/attention/flash_kernels.h"

namespace hearth {

const FlashKernels& flash_kernels(Isa isa, DType dtype) {
  HEARTH_CHECK(isa <= best_isa(), value, "attention: this processor has no ", isa_name(isa), "; it has ",
               isa_name(best_isa()));
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx2: return flash_avx2;
    case Isa::avx512: return flash_avx512;
    case Isa::avx512_bf16: return flash_avx512_bf16;
    // What takes no tiles is widened to f32, as vdpbf16ps has half the rate of f32 where there is AMX. Measured: 16
    // cores of a server with AMX: 1244 to 2748 GFLOP/s; backward of q [8,256,6,64]: 2.6 ms with it, 1.3 ms in f32.
    case Isa::amx: return dtype == DType::bf16 ? flash_amx : flash_avx512;
#endif
    default: return flash_scalar;
  }
}

namespace {

// The kernels for a call. Those of AMX do not bend scores.
const FlashKernels& kernels_for(Isa isa, const AttentionCall& call) {
  return flash_kernels(isa == Isa::amx && bends_scores(call) ? Isa::avx512 : isa, call.dtype);
}

// Scratch of this thread, kept between calls up to kKeptFloats: fresh pages cost more than a small attention.
constexpr int64_t kKeptFloats = 4 << 20;
struct Free {
  void operator()(float* p) const { ::operator delete[](p, std::align_val_t(64)); }
};
class Floats {
 public:
  float* get(int64_t count) {
    if (count > size_) {
      memory_.reset();
      size_ = 0;
      memory_.reset(static_cast<float*>(::operator new[](size_t(count) * 4, std::align_val_t(64))));
      size_ = count;
    }
    return memory_.get();
  }
  ~Floats() = default;
  void trim() {
    if (size_ <= kKeptFloats) return;
    memory_.reset();
    size_ = 0;
  }

 private:
  std::unique_ptr<float[], Free> memory_;
  int64_t size_ = 0;
};
thread_local Floats scratch, shared_sums;  // the second: of the thread that calls, for all threads

// "attention: <what>" with all sizes, for every complaint.
void check(bool ok, const AttentionCall& c, const char* what) {
  HEARTH_CHECK(ok, value, "attention: ", what, "\n  q is ", name(c.dtype), "[", c.batch, ",", c.tokens, ",", c.heads,
               ",", c.head_size, "], k and v are ", name(c.dtype), "[", c.batch, ",", c.keys, ",", c.kv_heads, ",",
               c.head_size, "]");
}

void check_call(const AttentionCall& c) {
  HEARTH_CHECK(c.dtype == DType::f32 || c.dtype == DType::bf16 || c.dtype == DType::f16, dtype,
               "attention: no kernel for ", name(c.dtype), "; has f32, bf16, f16");
  check(c.batch >= 0 && c.tokens >= 0 && c.keys >= 0, c, "a size is negative");
  check(c.heads >= 1 && c.kv_heads >= 1 && c.head_size >= 1, c, "heads and head size must be at least 1");
  check(c.heads % c.kv_heads == 0, c, "kv heads must divide the query heads");
  check(c.keys < INT32_MAX && c.tokens < INT32_MAX, c, "more than 2^31 - 1 tokens");
  check(c.window >= 0 && (c.causal || c.window == 0), c, "a window is for causal attention only");
  check(c.soft_cap >= 0, c, "the soft cap is negative");
  check(!c.q_segments == !c.k_segments, c, "segments are needed for queries and keys, or for neither");
}

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Items are chunks of rows of one (b, g). A chunk shares its packed keys, so it is as long as it can be while every
// thread still gets several. Causal work grows with the row, and a thread begins with neighbouring items: so long and
// short chunks take turns, the longest and the shortest first.
void forward_chunks(const FlashKernels& kernel, const AttentionCall& c) {
  constexpr int64_t kMostRows = 288, kItemsPerThread = 4;
  const int64_t rows = c.tokens * (c.heads / c.kv_heads), groups = c.batch * c.kv_heads;
  const int64_t panels = ceil_div(rows, kernel.panel_rows);
  const int64_t wanted = ceil_div(kItemsPerThread * num_threads(), groups);
  const int64_t chunk = std::clamp<int64_t>(panels / wanted, 1, kMostRows / kernel.panel_rows) * kernel.panel_rows;
  const int64_t chunks = ceil_div(rows, chunk), floats = kernel.forward_floats(c, chunk);
  parallel_for(chunks * groups, [&](int64_t item, int) {
    const int64_t group = item / chunks, place = item % chunks;
    const int64_t first = (place % 2 == 0 ? chunks - 1 - place / 2 : place / 2) * chunk;
    kernel.forward_rows(c, group / c.kv_heads, group % c.kv_heads, first, std::min(chunk, rows - first),
                        scratch.get(floats));
    scratch.trim();
  });
}

void* element_at(void* base, DType dtype, int64_t offset) {
  return static_cast<char*>(base) + offset * int64_t(size_bytes(dtype));
}

// Adds up the partial results of row i of the rows of all kv heads, first to last: partial[c] = max, sum, D outputs,
// `step` floats apart.
void merge_row(const FlashKernels& kernel, const AttentionCall& c, int64_t b, int64_t i, const float* partial,
               int64_t chunks, int64_t step) {
  const int64_t group_heads = c.heads / c.kv_heads, rows = c.tokens * group_heads, g = i / rows, row = i % rows;
  const int64_t t = row / group_heads, h = g * group_heads + row % group_heads;
  float max = -INFINITY, sum = 0;
  for (int64_t i = 0; i < chunks; ++i) max = std::max(max, partial[i * step]);
  float* out = scratch.get(c.head_size);
  std::fill(out, out + c.head_size, 0.0f);
  for (int64_t i = 0; i < chunks; ++i) {
    const float* from = partial + i * step;
    if (from[1] == 0) continue;  // saw nothing
    const float weight = std::exp2(from[0] - max);
    sum += weight * from[1];
    for (int64_t d = 0; d < c.head_size; ++d) out[d] += weight * from[2 + d];
  }
  const int64_t offset = b * c.out_stride[0] + t * c.out_stride[1] + h * c.out_stride[2];
  kernel.store_sum(c.dtype, element_at(c.out, c.dtype, offset), out, 1, 0, sum == 0 ? 0 : 1 / sum, c.head_size);
  if (c.lse) c.lse[(b * c.tokens + t) * c.heads + h] = sum == 0 ? -INFINITY : max * float(M_LN2) + std::log(sum);
}

// The keys that some query of row b sees.
struct KeyRange {
  int64_t begin, end;
  int64_t size() const { return std::max<int64_t>(end - begin, 0); }
};
KeyRange seen_keys(const AttentionCall& c, int64_t b) {
  return {causal_begin(c, b, 0), causal_end(c, b, c.tokens - 1)};
}

// Items are ranges of keys, all kv heads together, because so they lie in memory. Heads are divided too when keys are
// few. Every row of the batch has its own keys cut into equally many ranges.
void forward_decode(const FlashKernels& kernel, const AttentionCall& c) {
  constexpr int64_t kItemBytes = 64 << 10, kFewestKeys = 64,
                    kItemsPerThread = 2;  // smaller items do not pay for a wake-up
  const int64_t rows = c.tokens * (c.heads / c.kv_heads), threads = num_threads();
  int64_t seen = 0;
  for (int64_t b = 0; b < c.batch; ++b) seen = std::max(seen, seen_keys(c, b).size());
  const int64_t bytes = 2 * seen * c.kv_heads * c.head_size * size_bytes(c.dtype);
  const int64_t most = c.batch % threads == 0 ? 1 : ceil_div(kItemsPerThread * threads, c.batch);
  const int64_t wanted = std::clamp<int64_t>(bytes / kItemBytes, 1, most);
  const int64_t ranges = std::clamp<int64_t>(seen / kFewestKeys, 1, wanted);
  const int64_t divisions = std::min(ceil_div(wanted, ranges), c.kv_heads), heads = ceil_div(c.kv_heads, divisions);
  const int64_t row_floats = 2 + c.head_size, step = c.kv_heads * rows * row_floats,
                floats = kernel.decode_floats(c, heads);
  Floats partials;
  float* partial = partials.get(c.batch * ranges * step);
  parallel_for(c.batch * ranges * divisions, [&](int64_t index, int) {
    const int64_t part = index / divisions, first_group = std::min(index % divisions * heads, c.kv_heads);
    const int64_t b = part / ranges, groups = std::min(heads, c.kv_heads - first_group);
    if (groups == 0) return;
    const KeyRange keys = seen_keys(c, b);
    const int64_t range = ceil_div(keys.size(), ranges), first = keys.begin + part % ranges * range;
    kernel.decode_keys(c, {b, first_group, groups, first, std::min(keys.end, first + range)},
                       partial + part * step + first_group * rows * row_floats, scratch.get(floats));
  });
  for (int64_t b = 0; b < c.batch; ++b)
    for (int64_t i = 0; i < c.kv_heads * rows; ++i)
      merge_row(kernel, c, b, i, partial + b * ranges * step + i * row_floats, ranges, step);
}

void forward(const FlashKernels& kernel, const AttentionCall& c) {
  check_call(c);
  if (c.batch == 0 || c.tokens == 0) return;
  if (c.tokens * (c.heads / c.kv_heads) <= kFlashDecodeRows) return forward_decode(kernel, c);
  forward_chunks(kernel, c);
}

// One item is a part of the row blocks of a (b, g), with sums of dk and dv of its own that are added in order: all of
// the blocks, with sums in scratch of the thread, where the (b, g) alone keep the threads busy. So many parts as make
// the time of the thread that has most to do shortest, in units of the work of one (b, g). Clearing and adding up the
// sums of a part costs about head size / rows of that. For B=1, G=4 and 16 threads: 16 items.
int64_t backward_parts(const FlashKernels& kernel, const AttentionCall& c) {
  const int64_t groups = c.batch * c.kv_heads, rows = c.tokens * (c.heads / c.kv_heads), threads = num_threads();
  if (groups * rows == 0) return 1;
  const int64_t blocks = ceil_div(rows, kernel.block_rows), most = std::min(ceil_div(4 * threads, groups), blocks);
  int64_t best = 1;
  double best_time = INFINITY;
  for (int64_t parts = 1; parts <= most; ++parts) {
    const double turns = double(ceil_div(groups * parts, threads)) + last_turn(int(threads));
    const double work = double(ceil_div(blocks, parts)) * turns / double(blocks);
    const double sums = parts == 1 ? 0 : double(c.head_size * groups * parts) / double(rows * threads);
    if (work + sums >= best_time) continue;
    best = parts;
    best_time = work + sums;
  }
  return best;
}

// Adds the sums of all parts of a kv head in order and stores dk and dv of the keys [first, end).
void store_keys(const FlashKernels& kernel, const AttentionGradCall& grad, int64_t group, const float* sums,
                int64_t parts, int64_t step, int64_t first, int64_t end) {
  const AttentionCall& c = grad.forward;
  const int64_t b = group / c.kv_heads, g = group % c.kv_heads, ld = kernel.padded_size(c.head_size);
  for (int64_t s = first; s < end; ++s)
    for (int which = 0; which < 2; ++which) {
      const int64_t offset = ((b * c.keys + s) * c.kv_heads + g) * c.head_size;
      kernel.store_sum(c.dtype, element_at(which ? grad.dv : grad.dk, c.dtype, offset),
                       sums + which * (step / 2) + s * ld, parts, step, which ? 1 : c.scale, c.head_size);
    }
}

void backward(const FlashKernels& kernel, const AttentionGradCall& grad) {
  const AttentionCall& c = grad.forward;
  check_call(c);
  check(c.lse || c.batch * c.tokens == 0, c, "the backward pass needs the lse of the forward pass");
  const int64_t groups = c.batch * c.kv_heads, parts = backward_parts(kernel, c);
  // dk and dv of one item.
  const int64_t step = 2 * (c.keys + kFlashSpareKeys) * kernel.padded_size(c.head_size);
  const int64_t floats = kernel.backward_floats(c);
  float* sums = parts > 1 ? shared_sums.get(groups * parts * step) : nullptr;
  parallel_for(groups * parts, [&](int64_t item, int) {
    const int64_t group = item / parts;
    float* tiles = scratch.get(floats + (sums ? 0 : step));
    float* sum = sums ? sums + item * step : tiles + floats;
    std::fill(sum, sum + step, 0.0f);
    kernel.backward_rows(grad, group / c.kv_heads, group % c.kv_heads, item % parts, parts, sum, sum + step / 2, tiles);
    if (!sums) store_keys(kernel, grad, group, sum, 1, step, 0, c.keys);
    scratch.trim();
  });
  if (!sums) return;
  constexpr int64_t kKeysPerItem = 64;
  const int64_t ranges = ceil_div(c.keys, kKeysPerItem);
  parallel_for(groups * ranges, [&](int64_t item, int) {
    const int64_t group = item / ranges, first = item % ranges * kKeysPerItem;
    store_keys(kernel, grad, group, sums + group * parts * step, parts, step, first,
               std::min(c.keys, first + kKeysPerItem));
  });
  shared_sums.trim();
}

}  // namespace

void attention_forward(const AttentionCall& call) { forward(kernels_for(hearth::isa(), call), call); }
void attention_backward(const AttentionGradCall& call) { backward(kernels_for(hearth::isa(), call.forward), call); }
void attention_forward_with(Isa isa, const AttentionCall& call) { forward(kernels_for(isa, call), call); }
void attention_backward_with(Isa isa, const AttentionGradCall& call) { backward(kernels_for(isa, call.forward), call); }

}  // namespace hearth
