// SPDX-License-Identifier: Apache-2.0
#include "ops/random/random.h"

#include <array>
#include <cmath>

#include "array/run_graph.h"
#include "ops/op_test.h"
#include "ops/random/threefry.h"

namespace hearth {
namespace {

// The paper's definition: 20 rounds of add, rotate, xor; every four rounds the next of three keys is added.
std::array<uint32_t, 2> threefry(uint64_t key, uint64_t counter) {
  const uint32_t keys[] = {uint32_t(key), uint32_t(key >> 32), uint32_t(key) ^ uint32_t(key >> 32) ^ 0x1BD11BDA};
  const int rotation[] = {13, 15, 26, 6, 17, 29, 16, 24};
  uint32_t x = uint32_t(counter) + keys[0], y = uint32_t(counter >> 32) + keys[1];
  for (uint32_t round = 0; round < 20; ++round) {
    x += y;
    y = (y << rotation[round % 8] | y >> (32 - rotation[round % 8])) ^ x;
    if (round % 4 != 3) continue;
    const uint32_t step = round / 4 + 1;
    x += keys[step % 3];
    y += keys[(step + 1) % 3] + step;
  }
  return {x, y};
}

double bits_at(const Reals& state, int64_t site, int64_t element) {
  return double(threefry(uint64_t(state[0]),
                         uint64_t(state[1]) + (uint64_t(site) << 40) + uint64_t(element / 2))[size_t(element % 2)]);
}

OpTest bits_test(const std::string& name, const Dims& dims, int64_t site, const std::vector<double>& state) {
  return {.op = "rng_bit_generator",
          .cases = {{name, {{{2}, 0, 0, DType::u64, state}}}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {random_bits(in[0], dims, site)};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y(dims);
            for (size_t i = 0; i < y.at.size(); ++i) y.at[i] = bits_at(in[0], site, int64_t(i));
            return {y};
          },
          .dtypes = {DType::u64},
          .grad = false};
}

// Element i of key k: the words of counter + i, joined as its width wants.
OpTest threefry_test(const std::string& name, const Dims& keys, const Dims& dims, DType dtype) {
  Dims key_dims = keys;
  key_dims.push_back(2);
  return {.op = "threefry_bits",
          .cases = {{name, {{key_dims, 0, 4e9, DType::u32}, {keys, 0, 9e15, DType::u64}}}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            // In pieces that f64 holds exactly.
            if (dtype == DType::u64) return {threefry_words(in[0], dims, in[1])};
            return {threefry_bits(in[0], dims, dtype, in[1])};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Dims out = keys;
            out.insert(out.end(), dims.begin(), dims.end());
            if (dtype == DType::u64) out.push_back(2);
            Reals y(out);
            const size_t each = size_t(num_elements(dims)), groups = in[1].at.size();
            for (size_t i = 0; i < each * groups; ++i) {
              const size_t g = i / each;
              const uint64_t at = uint64_t(in[1].at[g]) + i % each;
              const auto x =
                  threefry(uint64_t(in[0].at[2 * g]) | uint64_t(in[0].at[2 * g + 1]) << 32, at >> 32 | at << 32);
              const uint32_t joined = x[0] ^ x[1];
              if (dtype == DType::u64) y.at[2 * i] = x[0], y.at[2 * i + 1] = x[1];
              if (dtype == DType::u32) y.at[i] = joined;
              if (dtype == DType::u16) y.at[i] = uint16_t(joined);
              if (dtype == DType::u8) y.at[i] = uint8_t(joined);
            }
            return {y};
          },
          .dtypes = {DType::u32},
          .grad = false};
}

OpTest dropout_test(const std::string& name, const Dims& dims, double rate) {
  return {.op = "rng_bit_generator",
          .cases = {{name, {{dims}, {{2}, 0, 0, DType::u64, {7, 3}}}}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {dropout(in[0], rate, in[1], 2)};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y(dims);
            for (size_t i = 0; i < y.at.size(); ++i) {
              const bool kept = bits_at(in[1], 2, int64_t(i)) >= std::floor(rate * 4294967296.0);
              y.at[i] = kept ? in[0].at[i] / (1 - rate) : 0;
            }
            return {y};
          }};
}

std::vector<OpTest> rows() {
  return {bits_test("one", {1}, 0, {1, 0}),
          bits_test("odd_count", {7}, 0, {123, 9}),
          bits_test("even_count", {4, 3}, 0, {123, 9}),
          bits_test("another_site", {4, 3}, 5, {123, 9}),
          bits_test("counter_passes_32_bits", {9}, 0, {1, 4294967294.0}),
          bits_test("large_key", {9}, 1, {9007199254740991.0, 0}),
          bits_test("empty", {0}, 0, {1, 0}),
          bits_test("many", {3, 1001}, 0, {42, 0}),
          threefry_test("threefry_scalar", {}, {}, DType::u32),
          threefry_test("threefry_tile", {}, {64}, DType::u32),
          threefry_test("threefry_one_beyond_tile", {}, {5, 13}, DType::u16),
          threefry_test("threefry_many", {}, {3, 5001}, DType::u8),
          threefry_test("threefry_words", {}, {70}, DType::u64),
          threefry_test("threefry_keys", {2, 3}, {129}, DType::u32),
          threefry_test("threefry_a_key_each", {131}, {}, DType::u64),
          threefry_test("threefry_no_keys", {0}, {3}, DType::u32),
          threefry_test("threefry_empty", {2}, {0}, DType::u32),
          dropout_test("dropout_tenth", {5, 129}, 0.1),
          dropout_test("dropout_most", {64}, 0.9)};
}

HEARTH_OP_TESTS(random, rows)

// The known answers of the paper's own library (Random123, kat_vectors, threefry2x32 with 20 rounds).
TEST(Threefry, known_answers) {
  const struct {
    uint32_t counter[2], key[2], answer[2];
  } known[] = {{{0, 0}, {0, 0}, {0x6b200159, 0x99ba4efe}},
               {{0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x1cb996fc, 0xbb002be7}},
               {{0x243f6a88, 0x85a308d3}, {0x13198a2e, 0x03707344}, {0xc4923a9c, 0x483df7a0}}};
  for (const auto& k : known) {
    const ThreefryBlock block = threefry2x32(k.key[0], k.key[1], k.counter[0], k.counter[1]);
    EXPECT_EQ(block.x0, k.answer[0]);
    EXPECT_EQ(block.x1, k.answer[1]);
    const auto mine = threefry(k.key[0] | uint64_t(k.key[1]) << 32, k.counter[0] | uint64_t(k.counter[1]) << 32);
    EXPECT_EQ(mine[0], k.answer[0]);
    EXPECT_EQ(mine[1], k.answer[1]);
  }
}

TEST(Dropout, falls_as_often_as_asked) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {100000}}), state = g.input("state", {DType::u64, {2}});
  g.output("y", dropout(x, 0.25, state, 0));
  g.output("z", dropout(x, 0.25, state, 1));
  const std::vector<Bytes> out =
      run_graph(g, {to_bytes(DType::f32, std::vector<double>(100000, 1)), to_bytes(DType::u64, {5, 0})});
  const std::vector<double> y = to_doubles(DType::f32, out[0]), z = to_doubles(DType::f32, out[1]);
  int fallen = 0, both = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    EXPECT_TRUE(y[i] == 0 || std::fabs(y[i] - 4.0 / 3) < 1e-6);
    fallen += y[i] == 0;
    both += y[i] == 0 && z[i] == 0;
  }
  EXPECT_NEAR(fallen, 25000, 5 * std::sqrt(100000 * 0.25 * 0.75));  // five standard deviations
  EXPECT_NEAR(both, 6250, 5 * std::sqrt(100000 * 0.0625));          // two sites are independent
}

}  // namespace
}  // namespace hearth
