// SPDX-License-Identifier: Apache-2.0
// Attention kernels against the definition in f64, for every instruction set of this machine.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "ops/attention/flash_kernels.h"

namespace hearth {
namespace {

using Values = std::vector<double>;

struct Row {
  std::string name;
  int64_t B = 1, T = 1, S = 1, H = 1, G = 1, D = 64;
  DType dtype = DType::f32;
  bool causal = true;
  int start = -1;  // -1: none given
  bool segments = false, mask = false, fused = false;
  int64_t window = 0;
  double soft_cap = 0;
  bool bias = false;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name << " " << row.dtype; }

double epsilon(DType t) { return t == DType::f32 ? 0x1p-24 : t == DType::f16 ? 0x1p-11 : 0x1p-8; }
double rounded(DType t, double x) {
  return t == DType::f32 ? float(x) : t == DType::f16 ? float(f16(float(x))) : float(bf16(float(x)));
}

// Elements of one dtype, read and written as double.
struct Store {
  DType dtype = DType::f32;
  std::vector<uint8_t> bytes;
  void resize(DType t, int64_t n) {
    dtype = t;
    bytes.assign(size_t(n * size_bytes(t)), 0xff);  // NaN in every dtype: what is not written shows
  }
  void* at(int64_t i) { return bytes.data() + i * size_bytes(dtype); }
  double get(int64_t i) {
    if (dtype == DType::f32) return *static_cast<float*>(at(i));
    if (dtype == DType::f16) return float(*static_cast<f16*>(at(i)));
    return float(*static_cast<bf16*>(at(i)));
  }
  void set(int64_t i, double x) {
    if (dtype == DType::f32) *static_cast<float*>(at(i)) = float(x);
    if (dtype == DType::f16) *static_cast<f16*>(at(i)) = f16(float(x));
    if (dtype == DType::bf16) *static_cast<bf16*>(at(i)) = bf16(float(x));
  }
};

struct Problem {
  Row row;
  Values q, k, v, dout;  // dense, already rounded to the dtype
  std::vector<int32_t> q_segments, k_segments;
  std::vector<uint8_t> mask;  // [B,H,T,S]
  std::vector<float> bias;    // [H,S]
  int32_t start = 0;

  int64_t q_size() const { return row.B * row.T * row.H * row.D; }
  int64_t k_size() const { return row.B * row.S * row.G * row.D; }
  bool sees(int64_t b, int64_t h, int64_t t, int64_t s) const {
    const int64_t place = (row.start >= 0 ? start : row.S - row.T) + t;
    if (row.causal && s > place) return false;
    if (row.window > 0 && s <= place - row.window) return false;
    if (row.segments && q_segments[b * row.T + t] != k_segments[b * row.S + s]) return false;
    return !row.mask || mask[((b * row.H + h) * row.T + t) * row.S + s];
  }
};

Problem make_problem(const Row& row, unsigned seed = 1) {
  Problem p;
  p.row = row;
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  const auto fill = [&](Values& x, int64_t n) {
    x.resize(n);
    for (double& value : x) value = rounded(row.dtype, normal(random));
  };
  fill(p.q, p.q_size());
  fill(p.k, p.k_size());
  fill(p.v, p.k_size());
  fill(p.dout, p.q_size());
  p.start = row.start;
  for (int64_t b = 0; b < row.B; ++b) {
    for (int64_t t = 0; t < row.T; ++t) p.q_segments.push_back(int32_t((t + row.S - row.T) / 23 + b));
    for (int64_t s = 0; s < row.S; ++s) p.k_segments.push_back(int32_t(s / 23 + b));
  }
  p.mask.resize(row.B * row.H * row.T * row.S);
  for (uint8_t& bit : p.mask) bit = random() % 4 != 0;
  p.bias.resize(row.H * row.S);
  for (float& x : p.bias) x = float(normal(random));
  // The first query of every head sees nothing.
  for (int64_t bh = 0; bh < row.B * row.H && row.T > 0; ++bh)
    for (int64_t s = 0; s < row.S; ++s) p.mask[bh * row.T * row.S + s] = 0;
  return p;
}

struct Result {
  Values out, lse, dq, dk, dv;
  Values out_size, dq_size, dk_size, dv_size;  // the same sums with every term's absolute value: what errors scale with
};

double dot(const double* a, const double* b, int64_t n, bool absolute) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += absolute ? std::abs(a[i] * b[i]) : a[i] * b[i];
  return sum;
}

// The definition. A sum of no terms is 0.
Result reference(const Problem& p, double scale) {
  const auto [name, B, T, S, H, G, D, dtype, causal, start, segments, mask, fused, window, soft_cap, biased] = p.row;
  Result r;
  for (Values* x : {&r.out, &r.dq, &r.out_size, &r.dq_size}) x->assign(p.q_size(), 0);
  for (Values* x : {&r.dk, &r.dv, &r.dk_size, &r.dv_size}) x->assign(p.k_size(), 0);
  r.lse.assign(B * T * H, -INFINITY);
  for (int64_t b = 0; b < B; ++b)
    for (int64_t t = 0; t < T; ++t)
      for (int64_t h = 0; h < H; ++h) {
        const int64_t row = (b * T + t) * H + h, g = h * G / H;
        const auto key = [&](int64_t s) { return ((b * S + s) * G + g) * D; };
        const double *q = &p.q[row * D], *dout = &p.dout[row * D];
        Values score(S, -INFINITY), weight(S, 0), slope(S, 1);
        double max = -INFINITY, sum = 0, size = 0;
        for (int64_t s = 0; s < S; ++s) {
          if (!p.sees(b, h, t, s)) continue;
          score[s] = scale * dot(q, &p.k[key(s)], D, false);
          if (soft_cap > 0) {
            const double bent = std::tanh(score[s] / soft_cap);
            score[s] = soft_cap * bent;
            slope[s] = 1 - bent * bent;
          }
          if (biased) score[s] += p.bias[h * S + s];
          size = std::max(size, std::abs(scale) * dot(q, &p.k[key(s)], D, true));
          max = std::max(max, score[s]);
        }
        for (int64_t s = 0; s < S; ++s) sum += score[s] == -INFINITY ? 0 : std::exp(score[s] - max);
        if (sum == 0) continue;
        r.lse[row] = max + std::log(sum);
        for (int64_t s = 0; s < S; ++s) {
          if (score[s] == -INFINITY) continue;
          weight[s] = std::exp(score[s] - r.lse[row]);
          for (int64_t d = 0; d < D; ++d) {
            r.out[row * D + d] += weight[s] * p.v[key(s) + d];
            r.out_size[row * D + d] += weight[s] * (1 + size) * std::abs(p.v[key(s) + d]);
          }
        }
        const double delta = dot(dout, &r.out[row * D], D, false);
        double delta_size = 0;
        for (int64_t d = 0; d < D; ++d) delta_size += std::abs(dout[d]) * r.out_size[row * D + d];
        for (int64_t s = 0; s < S; ++s) {
          if (weight[s] == 0) continue;
          const double ds = slope[s] * scale * weight[s] * (dot(dout, &p.v[key(s)], D, false) - delta);
          const double ds_size =
              std::abs(scale) * weight[s] * (1 + size) * (dot(dout, &p.v[key(s)], D, true) + delta_size);
          for (int64_t d = 0; d < D; ++d) {
            r.dq[row * D + d] += ds * p.k[key(s) + d];
            r.dk[key(s) + d] += ds * q[d];
            r.dv[key(s) + d] += weight[s] * dout[d];
            r.dq_size[row * D + d] += std::abs(ds_size * p.k[key(s) + d]);
            r.dk_size[key(s) + d] += std::abs(ds_size * q[d]);
            r.dv_size[key(s) + d] += weight[s] * (1 + size) * std::abs(dout[d]);
          }
        }
      }
  return r;
}

// The problem in memory: dense tensors, or q, k, v as parts of one [B, T, (H+2G)*D].
struct Buffers {
  Store q, k, v, out, dout, dq, dk, dv;
  std::vector<float> lse;
  AttentionGradCall call;

  Buffers(const Problem& p, double scale) {
    const Row& r = p.row;
    AttentionCall& c = call.forward;
    c = {.batch = r.B, .tokens = r.T, .keys = r.S, .heads = r.H, .kv_heads = r.G, .head_size = r.D, .dtype = r.dtype};
    c.causal = r.causal;
    c.scale = float(scale);
    c.window = r.window;
    c.soft_cap = float(r.soft_cap);
    if (r.bias) c.key_bias = p.bias.data();
    if (r.start >= 0) c.start = &p.start;
    if (r.segments) c.q_segments = p.q_segments.data(), c.k_segments = p.k_segments.data();
    if (r.mask) {
      c.mask = p.mask.data();
      const int64_t strides[3] = {r.H * r.T * r.S, r.T * r.S, r.S};
      std::copy(strides, strides + 3, c.mask_stride);
    }
    const int64_t all = r.H + 2 * r.G;
    q.resize(r.dtype, r.fused ? r.B * r.T * all * r.D : p.q_size());
    if (!r.fused) k.resize(r.dtype, p.k_size()), v.resize(r.dtype, p.k_size());
    c.q = q.at(0);
    c.k = r.fused ? q.at(r.H * r.D) : k.at(0);
    c.v = r.fused ? q.at((r.H + r.G) * r.D) : v.at(0);
    const auto fill = [&](Store& to, int64_t offset, const Values& from, int64_t tokens, int64_t heads,
                          int64_t* stride) {
      const int64_t width = r.fused ? all : heads;
      const int64_t strides[3] = {tokens * width * r.D, width * r.D, r.D};
      std::copy(strides, strides + 3, stride);
      for (int64_t i = 0; i < int64_t(from.size()); ++i)
        to.set(offset + i / (heads * r.D) * width * r.D + i % (heads * r.D), from[i]);
    };
    fill(q, 0, p.q, r.T, r.H, c.q_stride);
    fill(r.fused ? q : k, r.fused ? r.H * r.D : 0, p.k, r.S, r.G, c.k_stride);
    fill(r.fused ? q : v, r.fused ? (r.H + r.G) * r.D : 0, p.v, r.S, r.G, c.v_stride);
    for (Store* x : {&out, &dout, &dq}) x->resize(r.dtype, p.q_size());
    for (Store* x : {&dk, &dv}) x->resize(r.dtype, p.k_size());
    for (int64_t i = 0; i < p.q_size(); ++i) dout.set(i, p.dout[i]);
    const int64_t strides[3] = {r.T * r.H * r.D, r.H * r.D, r.D};
    std::copy(strides, strides + 3, c.out_stride);
    std::copy(strides, strides + 3, call.dout_stride);
    lse.assign(r.B * r.T * r.H, NAN);
    c.out = out.at(0);
    c.lse = lse.data();
    call.dout = dout.at(0);
    call.dq = dq.at(0), call.dk = dk.at(0), call.dv = dv.at(0);
  }
  void run(Isa isa) {
    attention_forward_with(isa, call.forward);
    attention_backward_with(isa, call);
  }
};

// Error of a sum of n terms, some rounded to the dtype on the way: (2 eps(dtype) + 4 eps(f32) sqrt(n)) times the sum of
// the terms' sizes, and half a unit of the result. f16 and bf16 gradients also see the rounded `out`. aligned: how much
// of the terms' errors points the same way; in dq and dk, sums of products of sums, at most a quarter (measured: a
// tenth).
void expect_close(Store& got, const Values& want, const Values& size, int64_t n, double aligned, const char* what) {
  const double eps = epsilon(got.dtype), each = (got.dtype == DType::f32 ? 0 : 2 * eps) + 4 * 0x1p-24 * std::sqrt(n);
  const double smallest = got.dtype == DType::f16 ? 0x1p-24 : 0;  // f16 has few exponents
  int64_t wrong = 0;
  for (int64_t i = 0; i < int64_t(want.size()); ++i) {
    const double tolerance = each * size[i] * aligned + eps * std::abs(want[i]) + smallest;
    if (!(std::abs(got.get(i) - want[i]) <= tolerance) && ++wrong <= 3)
      ADD_FAILURE() << what << "[" << i << "] is " << got.get(i) << ", want " << want[i] << " +- " << tolerance;
  }
  EXPECT_EQ(wrong, 0) << what;
}

void check(const Problem& p, Isa isa) {
  SCOPED_TRACE(isa_name(isa));
  const double scale = float(1 / std::sqrt(double(p.row.D)));
  const Result want = reference(p, scale);
  Buffers got(p, scale);
  got.run(isa);
  const int64_t n = p.row.D + p.row.S;
  expect_close(got.out, want.out, want.out_size, n, 1, "out");
  expect_close(got.dq, want.dq, want.dq_size, n, 0.25, "dq");
  expect_close(got.dk, want.dk, want.dk_size, n * p.row.H / p.row.G, 0.25, "dk");
  expect_close(got.dv, want.dv, want.dv_size, n * p.row.H / p.row.G, 1, "dv");
  for (size_t i = 0; i < want.lse.size(); ++i) {
    if (want.lse[i] == -INFINITY) {
      EXPECT_EQ(got.lse[i], -INFINITY) << i;
    } else {
      ASSERT_NEAR(got.lse[i], want.lse[i], 16 * 0x1p-24 * std::sqrt(n) * (1 + std::abs(want.lse[i]))) << i;
    }
  }
}

std::vector<Isa> all_isas() {
  std::vector<Isa> all;
  for (int i = 0; i <= int(best_isa()); ++i) all.push_back(Isa(i));
  return all;
}

class FlashRows : public testing::TestWithParam<Row> {};
TEST_P(FlashRows, matches_definition) {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    SCOPED_TRACE(name(dtype));
    Row row = GetParam();
    row.dtype = dtype;
    const Problem problem = make_problem(row);
    for (Isa isa : all_isas()) check(problem, isa);
  }
}

const Row kRows[] = {
    {.name = "one", .D = 1},
    {.name = "one_key_many_queries", .T = 70, .S = 1, .causal = false},
    {.name = "square", .T = 64, .S = 64},
    {.name = "tile_minus_one", .B = 2, .T = 63, .S = 63, .H = 2, .G = 2},
    {.name = "tile_plus_one", .T = 65, .S = 65, .H = 2, .G = 1},
    {.name = "panel_plus_one", .T = 49, .S = 129, .causal = false},
    {.name = "panel_minus_one", .T = 47, .S = 127},
    {.name = "piece_minus_one", .T = 31, .S = 31, .D = 31},  // of the tiles of AMX
    {.name = "piece", .T = 32, .S = 32, .D = 32},
    {.name = "piece_plus_one", .T = 33, .S = 97, .H = 2, .G = 1, .D = 33},
    {.name = "block_and_a_bit", .T = 131, .S = 131, .H = 2, .G = 1, .D = 65, .causal = false},
    {.name = "segments_grouped", .T = 160, .S = 160, .H = 3, .G = 1, .D = 32, .segments = true},
    {.name = "two_blocks_and_a_bit", .T = 200, .S = 200, .D = 16},
    {.name = "grouped_3", .B = 2, .T = 50, .S = 50, .H = 6, .G = 2},
    {.name = "grouped_8", .T = 33, .S = 33, .H = 16, .G = 2, .D = 32},
    {.name = "multi_query", .T = 37, .S = 61, .H = 5, .G = 1, .D = 48},
    {.name = "head_64", .T = 70, .S = 70, .D = 64},
    {.name = "head_80", .T = 70, .S = 70, .D = 80},
    {.name = "head_96", .T = 30, .S = 70, .H = 2, .D = 96},
    {.name = "head_100", .T = 70, .S = 70, .H = 2, .G = 2, .D = 100},
    {.name = "head_128", .T = 70, .S = 70, .D = 128},
    {.name = "head_256", .T = 40, .S = 40, .D = 256},
    {.name = "head_odd", .T = 70, .S = 70, .H = 4, .G = 2, .D = 37},
    {.name = "head_3", .T = 20, .S = 20, .D = 3},
    {.name = "more_queries_than_keys", .T = 80, .S = 30},  // the first 50 see nothing
    {.name = "start", .T = 20, .S = 100, .start = 40},
    {.name = "start_zero", .T = 20, .S = 100, .start = 0},
    {.name = "start_past_the_end", .T = 20, .S = 30, .start = 25},
    {.name = "segments", .B = 2, .T = 150, .S = 150, .H = 2, .segments = true},
    {.name = "segments_not_causal", .T = 90, .S = 90, .H = 2, .causal = false, .segments = true},
    {.name = "mask", .B = 2, .T = 70, .S = 80, .H = 4, .G = 2, .D = 32, .causal = false, .mask = true},
    {.name = "mask_causal_segments", .T = 70, .S = 70, .H = 2, .D = 32, .segments = true, .mask = true},
    {.name = "fused", .B = 2, .T = 70, .S = 70, .H = 6, .G = 2, .D = 24, .fused = true},
    {.name = "window", .B = 2, .T = 200, .S = 200, .H = 2, .G = 1, .D = 32, .window = 20},
    {.name = "window_of_a_tile", .T = 300, .S = 300, .D = 24, .window = 64},
    {.name = "window_of_one", .T = 70, .S = 70, .D = 16, .window = 1},
    {.name = "window_longer_than_all", .T = 70, .S = 70, .H = 2, .window = 500},
    {.name = "window_start", .T = 40, .S = 300, .D = 32, .start = 200, .window = 90},
    {.name = "window_segments", .T = 160, .S = 160, .H = 3, .G = 1, .D = 32, .segments = true, .window = 13},
    {.name = "soft_cap", .B = 2, .T = 70, .S = 90, .H = 4, .G = 2, .D = 40, .soft_cap = 0.7},
    {.name = "soft_cap_loose", .T = 131, .S = 131, .D = 64, .soft_cap = 50},
    {.name = "bias", .B = 2, .T = 70, .S = 90, .H = 3, .G = 3, .D = 40, .bias = true},
    {.name = "bias_grouped", .T = 70, .S = 70, .H = 6, .G = 2, .D = 24, .bias = true},
    {.name = "bent_and_hidden",
     .T = 70,
     .S = 80,
     .H = 4,
     .G = 2,
     .D = 32,
     .mask = true,
     .window = 30,
     .soft_cap = 2,
     .bias = true},
    {.name = "decode_window", .B = 2, .S = 900, .H = 4, .G = 2, .window = 100},
    {.name = "decode_window_start", .T = 3, .S = 500, .H = 2, .D = 33, .start = 300, .window = 7},
    {.name = "decode_soft_cap", .S = 300, .H = 8, .G = 4, .soft_cap = 0.7},
    {.name = "decode_bias", .T = 2, .S = 200, .H = 4, .G = 4, .D = 40, .window = 150, .soft_cap = 3, .bias = true},
    {.name = "decode", .B = 2, .S = 300, .H = 8, .G = 4, .D = 64},
    {.name = "decode_one_head_long", .S = 2100, .D = 64},
    {.name = "decode_grouped_odd", .S = 130, .H = 7, .G = 1, .D = 100},
    {.name = "decode_start", .S = 300, .H = 4, .G = 1, .D = 33, .start = 170},
    {.name = "decode_three_tokens", .T = 3, .S = 200, .H = 4, .G = 2, .D = 128},
    {.name = "decode_mask", .B = 2, .T = 2, .S = 200, .H = 4, .G = 2, .D = 40, .mask = true},
    {.name = "decode_segments", .S = 200, .H = 2, .D = 40, .segments = true},
};
INSTANTIATE_TEST_SUITE_P(Flash, FlashRows, testing::ValuesIn(kRows), [](const auto& info) { return info.param.name; });

// The formulas in reference() against central differences of sum(out * dout).
TEST(Flash, reference_gradient_is_central_difference) {
  Row row{.name = "", .T = 5, .S = 6, .H = 4, .G = 2, .D = 3, .mask = true};
  Problem p = make_problem(row);
  const double scale = 0.7, step = 1e-5;
  const Result r = reference(p, scale);
  const auto value = [&] { return dot(reference(p, scale).out.data(), p.dout.data(), p.q_size(), false); };
  for (auto [x, gradient] : {std::pair{&p.q, &r.dq}, {&p.k, &r.dk}, {&p.v, &r.dv}})
    for (size_t i = 0; i < x->size(); ++i) {
      const double kept = (*x)[i];
      (*x)[i] = kept + step;
      const double above = value();
      (*x)[i] = kept - step;
      const double difference = (above - value()) / (2 * step);
      (*x)[i] = kept;
      EXPECT_NEAR(difference, (*gradient)[i], 1e-8);
    }
}

TEST(Flash, threads_and_repeats_give_the_same_bits) {
  const int before = num_threads();
  for (DType dtype : {DType::f32, DType::bf16})
    for (int threads : {1, 3}) {
      const Problem p = make_problem({.name = "", .B = 1, .T = 500, .S = 500, .H = 3, .G = 1, .D = 20, .dtype = dtype});
      set_num_threads(threads);
      for (Isa isa : all_isas()) {
        Buffers a(p, 0.2), b(p, 0.2);
        a.run(isa);
        b.run(isa);
        EXPECT_EQ(a.out.bytes, b.out.bytes);
        EXPECT_EQ(a.dq.bytes, b.dq.bytes);
        EXPECT_EQ(a.dk.bytes, b.dk.bytes);
        EXPECT_EQ(a.dv.bytes, b.dv.bytes);
      }
    }
  set_num_threads(before);
}

TEST(Flash, many_threads_match_definition) {
  const int before = num_threads();
  set_num_threads(7);
  for (Isa isa : all_isas()) {
    for (DType dtype : {DType::f32, DType::bf16})  // backward in parts
      check(make_problem({.name = "", .T = 300, .S = 300, .H = 3, .G = 1, .D = 20, .dtype = dtype}), isa);
    check(make_problem({.name = "", .S = 3000, .H = 2, .G = 1, .D = 20}), isa);  // decode in ranges of keys
  }
  set_num_threads(before);
}

// Error in units of the last place, over [-126, 0]; exactly 0 for what a mask writes, and NaN stays.
TEST(Flash, exp2_is_good_to_one_and_a_half_ulp) {
  std::vector<float> x(1 << 20), y(x.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = -126 * float(i) / float(x.size()) * (i % 3 ? 1.0f : 1e-3f);
  for (Isa isa : all_isas())
    for (DType dtype : {DType::f32, DType::bf16}) {
      const FlashKernels& kernels = flash_kernels(isa, dtype);
      kernels.exp2(x.data(), y.data(), int64_t(x.size()));
      double worst = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const double want = std::exp2(double(x[i]));
        worst = std::max(worst, std::abs(y[i] - want) / std::ldexp(1.0, std::ilogb(want) - 23));
      }
      EXPECT_LE(worst, 1.5) << isa_name(isa);
      const float odd[] = {-INFINITY, NAN, 0, -127, -1e30f};
      kernels.exp2(odd, y.data(), 5);
      EXPECT_EQ(y[0], 0);
      EXPECT_TRUE(std::isnan(y[1]));
      EXPECT_EQ(y[2], 1);
      EXPECT_EQ(y[3], 0);
      EXPECT_EQ(y[4], 0);
      RecordProperty(std::string("worst_ulp_") + isa_name(isa), std::to_string(worst));
    }
}

// A NaN or infinity may reach only the rows that see it, in value and in gradient.
TEST(Flash, not_finite_stays_where_it_belongs) {
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (Isa isa : all_isas())
      for (double bad : {double(NAN), double(INFINITY)})
        for (int where = 0; where < 4; ++where) {  // q, k, v, dout
          SCOPED_TRACE(std::string(isa_name(isa)) + " " + name(dtype) + " " + std::to_string(where));
          const int64_t T = 150, D = 20, at = 75;
          Problem p = make_problem({.name = "", .T = T, .S = T, .D = D, .dtype = dtype});
          (where == 0 ? p.q : where == 1 ? p.k : where == 2 ? p.v : p.dout)[at * D + 3] = bad;
          Buffers got(p, 0.2);
          got.run(isa);
          const auto finite = [&](Store& x, int64_t token) {
            for (int64_t d = 0; d < D; ++d)
              if (!std::isfinite(x.get(token * D + d))) return false;
            return true;
          };
          for (int64_t t = 0; t < T; ++t) {
            const bool sees = where == 1 || where == 2 ? t >= at : t == at && where == 0;
            if (!(where == 1 && std::isinf(bad))) {  // a score of -inf is a weight of 0
              EXPECT_EQ(finite(got.out, t), !sees) << "out " << t;
            }
            EXPECT_TRUE(t >= at || where == 3 || (finite(got.out, t) && finite(got.dq, t))) << t;
            EXPECT_TRUE(where != 3 || finite(got.dq, t) == (t != at)) << "dq " << t;
            EXPECT_TRUE(where == 1 || where == 2 || t <= at || (finite(got.dk, t) && finite(got.dv, t))) << "dk " << t;
          }
        }
}

// The cache past the last visible key may be anything, unmapped memory included; here NaN.
TEST(Flash, keys_past_the_last_visible_are_not_read) {
  for (Isa isa : all_isas())
    for (int64_t T : {1, 40}) {
      Row row{.name = "", .T = T, .S = 400, .H = 2, .G = 1, .D = 24, .start = 100};
      Problem p = make_problem(row);
      const Result want = reference(p, 0.2);
      for (int64_t i = (100 + T) * row.D; i < p.k_size(); ++i) p.k[i] = p.v[i] = NAN;
      Buffers got(p, 0.2);
      got.run(isa);
      expect_close(got.out, want.out, want.out_size, 424, 1, "out");
      expect_close(got.dq, want.dq, want.dq_size, 424, 0.25, "dq");
      expect_close(got.dk, want.dk, want.dk_size, 424, 0.25, "dk");
    }
}

TEST(Flash, masked_cache_slots_may_be_nan) {
  for (Isa isa : all_isas())
    for (int64_t T : {1, 20}) {
      Problem p = make_problem({.name = "", .T = T, .S = 100, .H = 2, .G = 1, .D = 24, .mask = true});
      for (size_t i = 0; i < p.mask.size(); ++i) p.mask[i] = i % 100 >= 10;  // left padding
      const Result want = reference(p, 0.2);
      for (int64_t i = 0; i < 10 * 24; ++i) p.k[i] = p.v[i] = NAN;
      Buffers got(p, 0.2);
      got.run(isa);
      expect_close(got.out, want.out, want.out_size, 124, 1, "out");
      expect_close(got.dq, want.dq, want.dq_size, 124, 0.25, "dq");
    }
}

TEST(Flash, large_scores_do_not_overflow) {
  for (Isa isa : all_isas()) {
    Problem p = make_problem({.name = "", .T = 70, .S = 70, .D = 8});
    for (double& x : p.q) x *= 1000;
    Buffers got(p, 1);
    got.run(isa);
    for (int64_t i = 0; i < p.q_size(); ++i) EXPECT_TRUE(std::isfinite(got.out.get(i)) && std::isfinite(got.dq.get(i)));
  }
}

TEST(Flash, negative_scale_matches_definition) {
  for (DType dtype : {DType::f32, DType::bf16})
    for (Isa isa : all_isas()) {
      SCOPED_TRACE(std::string(isa_name(isa)) + " " + name(dtype));
      Problem p = make_problem({.name = "", .T = 40, .S = 170, .D = 32, .dtype = dtype, .causal = false});
      for (double& x : p.q) x *= 16;  // so that the wrong maximum overflows
      const Result want = reference(p, -0.25);
      Buffers got(p, -0.25);
      got.run(isa);
      expect_close(got.out, want.out, want.out_size, 202, 1, "out");
      expect_close(got.dq, want.dq, want.dq_size, 202, 1, "dq");
      expect_close(got.dv, want.dv, want.dv_size, 202, 1, "dv");
    }
}

// Segments that come back: some queries see the keys before and after others' keys, which hold NaN.
TEST(Flash, not_finite_between_blocks_that_are_seen) {
  for (DType dtype : {DType::f32, DType::bf16})
    for (Isa isa : all_isas()) {
      SCOPED_TRACE(std::string(isa_name(isa)) + " " + name(dtype));
      const int64_t T = 192, D = 20;
      Problem p = make_problem({.name = "", .T = T, .S = T, .D = D, .dtype = dtype, .causal = false, .segments = true});
      const auto other = [](int64_t t) { return t >= 32 && t < 64; };
      for (int64_t t = 0; t < T; ++t) p.q_segments[t] = p.k_segments[t] = other(t);
      for (int64_t d = 0; d < D; ++d) p.q[40 * D + d] = p.k[40 * D + d] = p.v[40 * D + d] = p.dout[40 * D + d] = NAN;
      Buffers got(p, 0.2);
      got.run(isa);
      for (int64_t i = 0; i < T * D; ++i) {
        const bool finite = std::isfinite(got.out.get(i)) && std::isfinite(got.dq.get(i)) &&
                            std::isfinite(got.dk.get(i)) && std::isfinite(got.dv.get(i));
        ASSERT_EQ(finite, !other(i / D)) << "token " << i / D;
      }
    }
}

TEST(Flash, what_an_earlier_call_left_does_not_show) {
  const int before = num_threads();
  set_num_threads(1);  // so that both calls have the same scratch
  for (DType dtype : {DType::f32, DType::bf16, DType::f16})
    for (Isa isa : all_isas()) {
      Row row{.name = "", .B = 4, .T = 150, .S = 50, .D = 48, .dtype = dtype, .causal = false};
      Problem bad = make_problem(row);
      for (Values* x : {&bad.q, &bad.k, &bad.v, &bad.dout}) std::fill(x->begin(), x->end(), NAN);
      attention_forward_with(isa, Buffers(bad, 0.2).call.forward);
      row.causal = true;  // the first 100 queries see nothing
      check(make_problem(row), isa);
    }
  set_num_threads(before);
}

TEST(Flash, empty_sizes) {
  for (Isa isa : all_isas()) {
    for (int64_t T : {1, 30}) {
      const Problem none = make_problem({.name = "", .T = T, .S = 0});
      Buffers got(none, 1);
      got.run(isa);
      for (int64_t i = 0; i < none.q_size(); ++i) EXPECT_EQ(got.out.get(i), 0);
      for (int64_t i = 0; i < none.q_size(); ++i) EXPECT_EQ(got.dq.get(i), 0);
    }
    const Problem none = make_problem({.name = "", .T = 0, .S = 5});
    Buffers got(none, 1);
    got.run(isa);
    for (int64_t i = 0; i < none.k_size(); ++i) EXPECT_EQ(got.dk.get(i), 0);
  }
}

TEST(Flash, errors_name_the_sizes) {
  AttentionCall call{.batch = 1, .tokens = 2, .keys = 3, .heads = 5, .kv_heads = 2, .head_size = 4};
  try {
    attention_forward(call);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Kind::value);
    EXPECT_EQ(std::string(error.what()),
              "attention: kv heads must divide the query heads\n  q is f32[1,2,5,4], k and v are f32[1,3,2,4]");
  }
  call.heads = 4;
  call.dtype = DType::f64;
  EXPECT_THROW(attention_forward(call), Error);
}

}  // namespace
}  // namespace hearth
