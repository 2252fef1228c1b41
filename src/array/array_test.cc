// SPDX-License-Identifier: Apache-2.0
#include "array/array.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "array/buffer.h"
#include "array/plan_cache.h"
#include "array/promote.h"
#include "array/recording.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;

TEST(Array, operators_broadcast_and_promote) {
  const Array x = array({1.0f, 2.0f, 3.0f}), m = array({{1, 2, 3}, {4, 5, 6}});
  EXPECT_EQ((x * 2 + 1).to_vector<float>(), (Floats{3, 5, 7}));
  EXPECT_EQ((m + x).to_vector<float>(), (Floats{2, 4, 6, 5, 7, 9}));
  EXPECT_EQ((m / 2).dtype(), DType::f32);
  EXPECT_EQ((m * 2).dtype(), DType::i32);
  EXPECT_EQ((m % array({-2, 3, 4})).to_vector<int>(), (std::vector<int>{-1, 2, 3, 0, 2, 2}));
  EXPECT_EQ((x > 1.5).to_vector<bool>(), (std::vector<bool>{false, true, true}));
  EXPECT_EQ((-x).to_vector<float>(), (Floats{-1, -2, -3}));
}

TEST(Array, plain_numbers_adapt) {
  const Array half = array({1.5f}).astype(DType::bf16), wide = array({1.0}), small = array({int8_t(3)});
  EXPECT_EQ((half * 2.5).dtype(), DType::bf16);
  EXPECT_EQ((wide * 0.1).to_vector<double>()[0], 0.1);  // the number is not rounded to f32 on the way
  EXPECT_EQ((small + 1).dtype(), DType::i8);
  EXPECT_EQ((small + 1.5).dtype(), DType::f32);
  EXPECT_TRUE((Array(2) * 3).weak());
  EXPECT_EQ(Array(int64_t{1} << 40).item<int64_t>(), int64_t{1} << 40);
}

TEST(Array, is_computed_when_it_is_read) {
  const Array x = array(std::vector<float>(1000, 1.0f));
  Array y = x;
  const PlanCacheStatistics before = plan_cache_statistics();
  for (int i = 0; i < 20; ++i) y = y * 0.5f + 1;
  EXPECT_EQ(plan_cache_statistics().misses, before.misses);
  EXPECT_NEAR(y.to_vector<float>()[999], 2.0f - 0x1p-20, 1e-6);
  EXPECT_EQ(plan_cache_statistics().misses, before.misses + 1);
}

TEST(Array, the_same_structure_compiles_once_whatever_the_numbers) {
  clear_plan_cache();
  const int64_t misses = plan_cache_statistics().misses;
  float sum = 0;
  for (int i = 0; i < 50; ++i) sum += (array({float(i)}) * float(i) + 1).item<float>();
  EXPECT_EQ(sum, 40475.0f);
  EXPECT_EQ(plan_cache_statistics().misses, misses + 1);
}

TEST(Array, what_the_user_holds_is_computed_once) {
  const Array x = array({1.0f, 2.0f});
  const Array y = x + 1, z = y * 2;
  EXPECT_EQ(z.to_vector<float>(), (Floats{4, 6}));
  const int64_t runs = plan_cache_statistics().hits + plan_cache_statistics().misses;
  EXPECT_EQ(y.to_vector<float>(), (Floats{2, 3}));
  EXPECT_EQ(plan_cache_statistics().hits + plan_cache_statistics().misses, runs);
}

TEST(Array, ten_thousand_steps_at_flat_memory) {
  Array x = array(std::vector<float>(1 << 14, 1.0f));
  for (int i = 0; i < 10; ++i) x = (x * 0.5f + 1).eval();
  const BufferStatistics before = buffer_statistics();
  for (int i = 0; i < 10000; ++i) x = (x * 0.5f + 1).eval();
  EXPECT_EQ(buffer_statistics().live_bytes, before.live_bytes);
  EXPECT_LE(buffer_statistics().kept_bytes, before.kept_bytes);
}

TEST(Array, a_block_that_comes_again_is_kept_before_small_ones_of_long_ago) {
  release_kept_buffers();
  const Buffer held(1 << 20);
  { const Buffer number(64); }
  { const Buffer result(2 << 20); }
  EXPECT_EQ(buffer_statistics().kept_bytes, 2 << 20);
  release_kept_buffers();
}

TEST(Array, what_waits_keeps_its_inputs_when_another_result_is_read) {
  Array x = array(std::vector<float>(1 << 14, 1.0f));
  const Array waiting = x * 2;
  x = x + 1;
  EXPECT_EQ(x.to_vector<float>()[5], 2);  // may not be written over the old x
  EXPECT_EQ(waiting.to_vector<float>()[5], 2);
}

TEST(Array, results_read_one_after_the_other_in_any_order) {
  const Array x = array({1.0f, 2.0f}), a = x + 1, b = a * 2, c = a + x, again = a.reshape({2});
  EXPECT_EQ(b.to_vector<float>(), (Floats{4, 6}));
  EXPECT_EQ(again.to_vector<float>(), (Floats{2, 3}));
  EXPECT_EQ(c.to_vector<float>(), (Floats{3, 5}));
  EXPECT_EQ(a.to_vector<float>(), (Floats{2, 3}));
}

// The update is written over the old array, unless somebody still holds that.
TEST(Array, another_holder_keeps_the_old_elements) {
  Array x = array(std::vector<float>(1 << 14, 1.0f));
  const Array old = x;
  x = (x + 1).eval();
  x = (x + 1).eval();
  EXPECT_EQ(old.to_vector<float>()[5], 1.0f);
  EXPECT_EQ(x.to_vector<float>()[5], 3.0f);
}

TEST(Array, errors_come_at_the_call) {
  const auto message = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message([] {
              array({1.0f, 2.0f}) + array({1.0f, 2.0f, 3.0f});
            }).substr(0, 36),
            "add: shapes do not broadcast: 2 != 3");
  EXPECT_EQ(message([] { Array() + 1; }), "array: is used before it was given a value");
  EXPECT_EQ(message([] { array({1, 2}).item<int>(); }), "item: needs an array of one element; it is i32[2]");
  EXPECT_EQ(message([] { array(std::vector<int>{1, 2, 3}, {2, 2}); }), "array: 3 values do not fill i32[2,2]");
}

TEST(Array, a_failed_evaluation_fails_again_and_the_process_lives) {
  const Array x = array({1.0f});
  const Array huge = record([](const Value& v) { return broadcast_to(v, {int64_t{1} << 42}) + 1.0; }, x);
  for (int i = 0; i < 2; ++i) {
    try {
      huge.eval();
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Kind::memory);
      EXPECT_NE(std::string(error.what()).find("out of memory: wanted 16.00 TiB"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("biggest: "), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ((x + 1).item<float>(), 2);
}

TEST(Array, threads_may_share_arrays) {
  const Array x = array(std::vector<float>(100, 2.0f)), lazy = x * x;
  std::vector<float> sums(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) sums[t] += (lazy + float(t)).to_vector<float>()[3];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sums, (Floats{200, 250, 300, 350}));
}

// JAX's table: rows and columns of pairs that surprise.
TEST(Promotion, follows_jax) {
  using enum DType;
  EXPECT_EQ(promote_types(u8, i8), i16);
  EXPECT_EQ(promote_types(u32, i32), i64);
  EXPECT_EQ(promote({u64}, {i8}), (PromotedType{f32, true}));
  EXPECT_EQ(promote_types(f16, bf16), f32);
  EXPECT_EQ(promote_types(i64, f16), f16);
  EXPECT_EQ(promote_types(boolean, u16), u16);
  EXPECT_EQ(promote_types(f64, complex64), complex128);
  EXPECT_EQ(promote({complex64, true}, {f64}), (PromotedType{complex128}));
  EXPECT_EQ(promote({f32, true}, {i64}), (PromotedType{f32, true}));
  EXPECT_EQ(promote({f32, true}, {bf16}), (PromotedType{bf16}));
  EXPECT_EQ(promote({i32, true}, {u8}), (PromotedType{u8}));
}

}  // namespace
}  // namespace hearth
