// SPDX-License-Identifier: Apache-2.0
#pragma once
// Steps of random graphs that pick and place elements by number.

#include "compiler/random_graph_pool_test.h"
#include "ops/along_axis/along_axis.h"
#include "ops/gather/gather.h"
#include "ops/scatter/scatter.h"

namespace hearth {

class IndexSteps : public RandomPool {
 protected:
  using RandomPool::RandomPool;

  // Negative numbers and such beyond the end on purpose.
  void taken() {
    const Tracked x = pick();
    if (x.value.rank() == 0 || x.value.type().elements() == 0) return;
    const int64_t axis = choose(uint32_t(x.value.rank()));
    if (choose(3) == 0) return taken_along(x, axis);
    const Value indices = whole_numbers(few_dims());
    constexpr TakeMode modes[] = {TakeMode::clip, TakeMode::wrap, TakeMode::fill};
    const Value y = take(x.value, indices, axis, {.mode = modes[choose(3)], .fill = 1.0});
    add(y, std::max(1.0, x.bound), std::min(1.0, x.unit), x.error);
  }

  void taken_along(const Tracked& x, int64_t axis) {
    Dims dims = x.value.dims();
    dims[size_t(axis)] = 1 + choose(4);
    const Value indices = whole_numbers(dims);
    const double terms = double(dims[size_t(axis)]);
    switch (choose(3)) {
      case 0: return same(take_along_axis(x.value, indices, axis), x);
      case 1: return same(gather_along_axis(x.value, indices, axis), x);
      default: {
        if (x.value.dtype() == DType::boolean) return;
        const Tracked rows = fitted(x, dims);
        add(scatter_add_along_axis(rows.value, indices, axis, 1 + choose(5)), terms * x.bound, x.unit, terms * x.error,
            terms * x.bound);
      }
    }
  }

  void gathered() {
    const Tracked x = pick();
    if (x.value.rank() == 0 || x.value.type().elements() == 0) return;
    const Places places = places_in(x.value.dims());
    GatherOptions options;
    if (coin()) options.out_of_range = OutOfRange::drop;
    same(gather(x.value, places.indices, places.dims, places.sizes, options), x);
  }

  void scattered() {
    const Tracked x = pick(), picked = pick();
    const DType t = x.value.dtype();
    if (x.value.rank() == 0 || x.value.type().elements() == 0) return;
    const Places places = places_in(x.value.dims());
    constexpr const char* kinds[] = {"set", "add", "multiply", "minimum", "maximum"};
    ScatterOptions options{.kind = kinds[choose(t == DType::boolean ? 1 : 5)]};
    if (coin()) options.out_of_range = OutOfRange::clamp;
    const bool decides = options.kind[0] == 'm' && options.kind[1] != 'u', product = options.kind == "multiply";
    Tracked operand = product && is_float(t) ? small(t, x.value.dims()) : x;
    Tracked updates = fitted(product && is_float(t) ? small(t, {2}) : like(picked, t), places.result);
    if (!updates.value.valid()) return;
    if (decides && (!may_decide(operand, true) || !may_decide(updates, true, 1))) return;
    const Value y = scatter(operand.value, places.indices, updates.value, as_scatter(places.dims), options);
    const double count = double(updates.value.type().elements());
    if (options.kind == "add")
      add(y, operand.bound + count * updates.bound, std::min(operand.unit, updates.unit),
          operand.error + count * updates.error, operand.bound + count * updates.bound);
    else if (product)
      add(y, 1, 1, operand.error + count * (updates.error + 2 * epsilon(t)) + epsilon(t));
    else
      add(y, std::max(operand.bound, updates.bound), std::min(operand.unit, updates.unit),
          operand.error + updates.error);
  }

 private:
  // Which slices of an operand: a vector of starts for each index of a batch.
  struct Places {
    GatherDims dims;
    Dims sizes, result;
    Value indices;
  };

  Dims few_dims() {
    Dims dims;
    for (uint32_t i = choose(3); i > 0; --i) dims.push_back(1 + choose(3));
    return dims;
  }

  Places places_in(const Dims& operand) {
    Places p;
    Dims batch = few_dims();
    std::vector<int64_t> window;
    for (int64_t axis = 0; axis < int64_t(operand.size()); ++axis) {
      const int64_t n = operand[size_t(axis)];
      const uint32_t what = choose(4);
      if (what != 0) p.dims.start_index_map.push_back(axis);
      p.sizes.push_back(what == 1 ? 1 : what == 0 ? n : 1 + choose(uint32_t(n)));
      if (what == 1)
        p.dims.collapsed_slice_dims.push_back(axis);
      else
        window.push_back(p.sizes.back());
    }
    if (p.dims.start_index_map.size() > 1 && coin())
      std::swap(p.dims.start_index_map.front(), p.dims.start_index_map.back());
    // The axes of the slices stand behind, in front of or around those of the batch.
    const int64_t in_front = coin() ? 0 : int64_t(choose(uint32_t(window.size() + 1)));
    for (int64_t i = 0; i < int64_t(window.size()); ++i)
      p.dims.offset_dims.push_back(i < in_front ? i : i + int64_t(batch.size()));
    p.result.assign(window.begin(), window.begin() + in_front);
    p.result.insert(p.result.end(), batch.begin(), batch.end());
    p.result.insert(p.result.end(), window.begin() + in_front, window.end());
    p.dims.index_vector_dim = choose(uint32_t(batch.size() + 1));
    batch.insert(batch.begin() + p.dims.index_vector_dim, int64_t(p.dims.start_index_map.size()));
    p.indices = whole_numbers(batch);
    if (coin()) p.indices = convert(p.indices, DType::i64);
    return p;
  }

  static ScatterDims as_scatter(const GatherDims& g) {
    return {.update_window_dims = g.offset_dims,
            .inserted_window_dims = g.collapsed_slice_dims,
            .scatter_dims_to_operand_dims = g.start_index_map,
            .index_vector_dim = g.index_vector_dim};
  }
};

}  // namespace hearth
