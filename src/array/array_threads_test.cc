// SPDX-License-Identifier: Apache-2.0
// Arrays, jitted functions and control flow from several threads at once; `make tsan` runs these too.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "array/arrays.h"
#include "array/jit.h"
#include "array/plan_cache.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;
constexpr int kThreads = 4, kRounds = 20;

// f(thread, round) on every thread, all begun at once. An exception of one arrives here.
void on_threads(const std::function<void(int, int)>& f) {
  std::atomic<int> waiting = kThreads;
  std::vector<std::exception_ptr> failures(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      try {
        for (int i = 0; i < kRounds; ++i) f(t, i);
      } catch (...) {
        failures[size_t(t)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

TEST(ArrayThreads, share_a_jitted_function_and_its_captures) {
  const Array w = array({10.0f, 20.0f}), lazy = w + 1;
  std::atomic<int> traced = 0;
  const auto f = jit([&](const Array& x) {
    ++traced;
    return x * w + lazy;
  });
  on_threads([&](int t, int i) {
    const float x = float(t + i);
    EXPECT_EQ(f(array({x, 1.0f})).to_vector<float>(), (Floats{10 * x + 11, 41}));
    EXPECT_EQ(f(array({{1.0f, x}})).to_vector<float>(), (Floats{21, 20 * x + 21}));
  });
  EXPECT_EQ(traced, 2);
}

TEST(ArrayThreads, trace_derivatives_and_batches_of_their_own) {
  on_threads([&](int t, int i) {
    const auto cube = [&](const Array& x) { return sum(x * x * x) * float(t + 1); };
    const Array x = array({1.0f, float(i)});
    EXPECT_EQ(jit(grad(cube))(x).to_vector<float>(), (Floats{3.0f * float(t + 1), 3.0f * float(i * i * (t + 1))}));
    EXPECT_EQ(vmap(grad(cube))(array({{1.0f}, {2.0f}})).to_vector<float>(),
              (Floats{3.0f * float(t + 1), 12.0f * float(t + 1)}));
  });
}

TEST(ArrayThreads, run_loops_and_branches) {
  const auto collatz = jit([](const Array& n) {
    return while_loop([](const Arrays& s) { return s[0] > 1; },
                      [](const Arrays& s) -> Arrays {
                        const Array next = cond(
                            s[0] % 2 == 0, [](const Arrays& in) -> Arrays { return {floor_divide(in[0], 2)}; },
                            [](const Arrays& in) -> Arrays { return {in[0] * 3 + 1}; }, {s[0]})[0];
                        return {next.astype(DType::i32), s[1] + 1};
                      },
                      {n, Array(0).astype(DType::i32)})[1];
  });
  on_threads([&](int t, int i) {
    const int n = 1 + t + i;
    int steps = 0;
    for (int k = n; k > 1; ++steps) k = k % 2 ? 3 * k + 1 : k / 2;
    EXPECT_EQ(collatz(Array(n).astype(DType::i32)).item<int>(), steps) << n;
    const ArrayScan sums = scan(
        [](const Arrays& c, const Arrays& x) -> ArrayScan {
          const Array s = c[0] + x[0];
          return {{s}, {s}};
        },
        {Array(0.0f).astype(DType::f32)}, {array(Floats(5, float(n)))});
    EXPECT_EQ(sums.ys[0].to_vector<float>()[4], float(5 * n));
  });
}

TEST(ArrayThreads, read_the_same_lazy_arrays_and_drop_them) {
  const Array x = array(Floats(1000, 1.0f));
  for (int round = 0; round < 5; ++round) {
    const Array a = x + float(round), b = a * 2, c = b + a;  // one recording for all threads
    on_threads([&](int t, int) {
      const Array mine = t % 2 ? b : c;
      EXPECT_EQ((mine + 1).to_vector<float>()[999], float((t % 2 ? 2 : 3) * (1 + round) + 1));
    });
  }
}

TEST(ArrayThreads, products_and_solves_meet_in_the_worker_pool) {
  const Array a = ones({64, 64}), eye_plus = eye(16) * 2;
  on_threads([&](int t, int) {
    const Array p = matmul(a * float(t), a);
    EXPECT_EQ(p.to_vector<float>()[5], 64.0f * float(t));
    EXPECT_EQ(solve(eye_plus, ones({16, 1}) * float(t)).to_vector<float>()[3], 0.5f * float(t));
  });
}

}  // namespace
}  // namespace hearth
