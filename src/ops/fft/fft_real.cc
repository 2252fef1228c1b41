// SPDX-License-Identifier: Apache-2.0
#include "ops/fft/fft_real.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/threads.h"

namespace hearth::fourier {
namespace {

constexpr size_t kCachedTables = 128;

// e^(-2 pi i k / n), k <= n / 4: the others are mirrored.
template <class T>
std::shared_ptr<const Numbers<T>> roots_for(int64_t n) {
  static std::mutex mutex;
  static std::map<int64_t, std::shared_ptr<const Numbers<T>>> tables;
  const std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<const Numbers<T>>& table = tables[n];
  if (table) return table;
  auto made = std::make_shared<Numbers<T>>();
  for (int64_t k = 0; k <= n / 4; ++k) {
    const Root w = root_of_unity(k, n);
    made->push_back(T(w.re));
    made->push_back(T(w.im));
  }
  const std::shared_ptr<const Numbers<T>> result = made;
  if (tables.size() > kCachedTables) tables.clear();
  return tables[n] = result;
}

// Calls body(first row, rows) for blocks that fill a strip; a single row may use the pool itself.
template <class T, class Body>
void for_blocks(const Plan<T>& plan, int64_t count, const Body& body) {
  const int64_t block = plan.rows_at_once();
  if (count <= block) return body(0, count, true);
  parallel_for((count + block - 1) / block,
               [&](int64_t i, int) { body(i * block, std::min(block, count - i * block), false); });
}

template <class T>
void forward_even(const RealRows<T>& rows) {
  const int64_t h = rows.n / 2;
  const auto plan = plan_for<T>(h);
  const auto w = roots_for<T>(rows.n);
  for_blocks(*plan, rows.count, [&](int64_t first, int64_t count, bool use_pool) {
    T* out = rows.out + 2 * first * (h + 1);
    plan->run({rows.in + first * rows.n, out, count, h, h + 1, {}, use_pool});
    for (int64_t r = 0; r < count; ++r) engine<T>().unpack(out + 2 * r * (h + 1), h, w->data());
  });
}

template <class T>
void backward_even(const RealRows<T>& rows) {
  const int64_t h = rows.n / 2;
  const auto plan = plan_for<T>(h);
  const auto w = roots_for<T>(rows.n);
  for_blocks(*plan, rows.count, [&](int64_t first, int64_t count, bool use_pool) {
    T* out = rows.out + first * rows.n;
    for (int64_t r = 0; r < count; ++r)
      engine<T>().pack(rows.in + 2 * (first + r) * (h + 1), out + r * rows.n, h, w->data());
    plan->run({out, out, count, h, h, {.inverse = true, .scale = 1.0 / double(rows.n)}, use_pool});
  });
}

template <class T>
void forward_odd(const RealRows<T>& rows) {
  const int64_t n = rows.n, half = n / 2 + 1;
  const auto plan = plan_for<T>(n);
  for_blocks(*plan, rows.count, [&](int64_t first, int64_t count, bool use_pool) {
    Scratch<T> memory(Scratch<T>::lines, 2 * n * count);
    T* z = memory.data();
    for (int64_t i = 0; i < n * count; ++i) {
      z[2 * i] = rows.in[first * n + i];
      z[2 * i + 1] = 0;
    }
    plan->run({z, z, count, n, n, {}, use_pool});
    for (int64_t r = 0; r < count; ++r) {
      T* to = rows.out + 2 * (first + r) * half;
      std::copy_n(z + 2 * r * n, 2 * half, to);
      to[1] = 0;
    }
  });
}

template <class T>
void backward_odd(const RealRows<T>& rows) {
  const int64_t n = rows.n, half = n / 2 + 1;
  const auto plan = plan_for<T>(n);
  for_blocks(*plan, rows.count, [&](int64_t first, int64_t count, bool use_pool) {
    Scratch<T> memory(Scratch<T>::lines, 2 * n * count);
    T* z = memory.data();
    for (int64_t r = 0; r < count; ++r) {
      const T* from = rows.in + 2 * (first + r) * half;
      T* row = z + 2 * r * n;
      std::copy_n(from, 2 * half, row);
      row[1] = 0;
      for (int64_t k = 1; k < half; ++k) {
        row[2 * (n - k)] = from[2 * k];
        row[2 * (n - k) + 1] = -from[2 * k + 1];
      }
    }
    plan->run({z, z, count, n, n, {.inverse = true, .scale = 1.0 / double(n)}, use_pool});
    for (int64_t i = 0; i < n * count; ++i) rows.out[first * n + i] = z[2 * i];
  });
}

}  // namespace

template <class T>
void real_to_complex(const RealRows<T>& rows) {
  if (rows.count > 0) rows.n % 2 == 0 ? forward_even(rows) : forward_odd(rows);
}
template <class T>
void complex_to_real(const RealRows<T>& rows) {
  if (rows.count > 0) rows.n % 2 == 0 ? backward_even(rows) : backward_odd(rows);
}

template void real_to_complex<float>(const RealRows<float>&);
template void real_to_complex<double>(const RealRows<double>&);
template void complex_to_real<float>(const RealRows<float>&);
template void complex_to_real<double>(const RealRows<double>&);

}  // namespace hearth::fourier
