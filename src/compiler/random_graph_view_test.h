// SPDX-License-Identifier: Apache-2.0
#pragma once
// Steps of random graphs that move elements: views, padding, joining, places that are known at run time.

#include <numeric>

#include "compiler/random_graph_element_test.h"
#include "ops/barrier/barrier.h"
#include "ops/dynamic_slice/dynamic_slice.h"

namespace hearth {

class ViewSteps : public ElementSteps {
 protected:
  using ElementSteps::ElementSteps;

  void view() {
    const Tracked x = pick();
    const Dims& dims = x.value.dims();
    const uint32_t rank = uint32_t(dims.size());
    switch (choose(6)) {
      case 0: {  // stretch ones, add an axis in front
        Dims to = dims, axes(rank);
        std::iota(axes.begin(), axes.end(), 1);
        for (int64_t& d : to) d = d == 1 ? 1 + choose(3) : d;
        to.insert(to.begin(), 1 + choose(3));
        return num_elements(to) > build_.style.most_elements ? void() : same(broadcast_in_dim(x.value, to, axes), x);
      }
      case 1: {  // an axis behind
        Dims to = dims, axes(rank);
        std::iota(axes.begin(), axes.end(), 0);
        to.push_back(1 + choose(4));
        return num_elements(to) > build_.style.most_elements ? void() : same(broadcast_in_dim(x.value, to, axes), x);
      }
      case 2: {
        Dims order(rank);
        std::iota(order.begin(), order.end(), 0);
        for (uint32_t i = rank; i > 1; --i) std::swap(order[i - 1], order[choose(i)]);
        return same(transpose(x.value, order), x);
      }
      case 3: {  // split off a divisor, join neighbours
        const int64_t n = x.value.type().elements();
        if (n == 0) return same(reshape(x.value, {3, 0}), x);
        constexpr int64_t divisors[] = {1, 2, 3, 4, 5};
        const int64_t d = divisors[choose(5)];
        return same(reshape(x.value, n % d ? Dims{n} : coin() ? Dims{d, n / d} : Dims{n / d, 1, d}), x);
      }
      case 4: {
        Dims start, limit, step;
        for (const int64_t d : dims) {
          start.push_back(d ? choose(uint32_t(d)) : 0);
          limit.push_back(start.back() + (d ? choose(uint32_t(d - start.back() + 1)) : 0));
          step.push_back(1 + choose(3));
          if (limit.back() == start.back() && d && choose(8)) limit.back() = d;  // rarely empty
        }
        return same(slice(x.value, start, limit, step), x);
      }
      default: {
        Dims axes;
        for (uint32_t i = 0; i < rank; ++i) {
          if (coin()) axes.push_back(i);
        }
        return same(reverse(x.value, axes), x);
      }
    }
  }

  void padded() {
    const Tracked x = pick();
    Padding p;
    for (const int64_t d : x.value.dims()) {
      p.interior.push_back(choose(3) == 0);
      p.low.push_back(int64_t(choose(4)) - 1);
      p.high.push_back(int64_t(choose(4)) - 1);
      if (p.low.back() + p.high.back() + d + std::max<int64_t>(d - 1, 0) * p.interior.back() < 0)
        p.low.back() = p.high.back() = 1;
    }
    same(pad(x.value, constant(graph_, 1, x.value.dtype()), p),
         {x.value, std::max(1.0, x.bound), std::min(1.0, x.unit), x.error});
  }

  void concatenated() {
    const Tracked a = pick(), picked = pick();
    if (a.value.rank() == 0) return;
    const uint32_t axis = choose(uint32_t(a.value.rank()));
    Dims dims = a.value.dims();
    dims[axis] = choose(4);
    const Tracked b = fitted(like(picked, a.value.dtype()), dims);
    if (!b.value.valid()) return;
    add(concatenate({a.value, b.value, a.value}, axis), std::max(a.bound, b.bound), std::min(a.unit, b.unit),
        a.error + b.error);
  }

  void dynamic() {
    const Tracked x = pick();
    std::vector<Value> starts;
    Dims sizes;
    for (const int64_t d : x.value.dims()) {
      sizes.push_back(d ? 1 + choose(uint32_t(d)) : 0);
      starts.push_back(reshape(whole_numbers({1}), {}));
    }
    if (coin()) return same(dynamic_slice(x.value, starts, sizes), x);
    const Tracked picked = pick();
    const Tracked update = fitted(like(picked, x.value.dtype()), sizes);
    if (!update.value.valid()) return;
    add(dynamic_update_slice(x.value, update.value, starts), std::max(x.bound, update.bound),
        std::min(x.unit, update.unit), x.error + update.error);
  }

  void barrier() {
    const Tracked a = pick(), b = pick();
    const std::vector<Value> passed = optimization_barrier({a.value, b.value});
    same(passed[0], a);
    same(passed[1], b);
  }
};

}  // namespace hearth
