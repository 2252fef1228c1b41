// SPDX-License-Identifier: Apache-2.0
// gather and scatter with random axes, dtypes and sizes: the cpu's kernels against the plain loops, and batch rules
// against one example after the other.
#include "ops/random_axes_test.h"

namespace hearth {
namespace {

// Axes of a random gather; scatter has the same under other names.
struct RandomAxes {
  Dims operand, indices, data, sizes;
  Dims window, inserted, operand_batching, indices_batching, index_map;
  int64_t index_vector = 0;

  explicit RandomAxes(RandomNumbers& random) {
    const int64_t rank = random.below(5), long_axis = random.one_in(6) ? random.below(5) : -1;
    for (int64_t i = 0; i < rank; ++i)
      operand.push_back(i == long_axis ? random.between(50, 200) : random.one_in(25) ? 0 : random.between(1, 5));
    choose_roles(random);
    choose_indices(random, random.one_in(6) ? 100 : 4);
  }

 private:
  Dims batching_slots_;

  void choose_roles(RandomNumbers& random) {
    for (size_t i = 0; i < operand.size(); ++i) {
      const int64_t axis = int64_t(i), role = random.below(6);  // 0: batching, 1, 2: indexed and inserted, 3: indexed
      sizes.push_back(role <= 2 ? std::min<int64_t>(1, operand[i]) : random.between(operand[i] / 2, operand[i]));
      if (role == 0) operand_batching.push_back(axis);
      if (role == 1 || role == 2) inserted.push_back(axis);
      if (role >= 1 && role <= 3) index_map.push_back(axis);
      if (role > 3 && random.one_in(2)) sizes[i] = operand[i];
    }
    random.shuffle(operand_batching);
    random.shuffle(index_map);
  }

  void choose_indices(RandomNumbers& random, int64_t largest) {
    const int64_t slots = int64_t(operand_batching.size()) + random.below(3);
    Dims slot_of = random.some(slots, int64_t(operand_batching.size())), batch;
    random.shuffle(slot_of);
    for (int64_t i = 0; i < slots; ++i) batch.push_back(random.one_in(25) ? 0 : random.between(1, largest));
    for (size_t k = 0; k < slot_of.size(); ++k) batch[size_t(slot_of[k])] = operand[size_t(operand_batching[k])];
    indices = batch;
    const bool implicit = index_map.size() == 1 && random.one_in(2);
    index_vector = implicit ? slots : random.between(0, slots);
    if (!implicit) indices.insert(indices.begin() + index_vector, int64_t(index_map.size()));
    for (const int64_t slot : slot_of) indices_batching.push_back(slot + (!implicit && slot >= index_vector));
    const int64_t windows = int64_t(operand.size() - inserted.size() - operand_batching.size());
    window = random.some(slots + windows, windows);
    size_t next_slot = 0, next_axis = 0;
    for (int64_t i = 0; i < slots + windows; ++i) {
      if (!std::binary_search(window.begin(), window.end(), i)) {
        data.push_back(batch[next_slot++]);
        continue;
      }
      while (is(inserted, next_axis) || is(operand_batching, next_axis)) ++next_axis;
      data.push_back(sizes[next_axis++]);
    }
  }
  static bool is(const Dims& list, size_t axis) {
    return std::find(list.begin(), list.end(), int64_t(axis)) != list.end();
  }
};

const DType kIndexTypes[] = {DType::i32, DType::i64, DType::i8,  DType::u8,
                             DType::i16, DType::u16, DType::u32, DType::u64};
const DType kTypes[] = {DType::f32, DType::bf16, DType::f16,     DType::f64,       DType::i8,
                        DType::i32, DType::u64,  DType::boolean, DType::complex64, DType::complex128};

Bytes index_values(RandomNumbers& random, const RandomAxes& a, const TensorType& type) {
  int64_t largest = 4;
  for (const int64_t axis : a.index_map) largest = std::max(largest, a.operand[size_t(axis)]);
  return random.numbers(type, is_signed_int(type.dtype) ? -2 : 0,
                        std::min<int64_t>(largest + 1, size_bytes(type.dtype) == 1 ? 127 : largest + 1));
}

std::string mode(RandomNumbers& random) { return random.one_in(2) ? "clamp" : "drop"; }

RandomCall gather_call(RandomNumbers& random) {
  const RandomAxes a(random);
  const TensorType x{kTypes[random.below(10)], a.operand}, indices{kIndexTypes[random.below(8)], a.indices};
  return {"gather",
          {{"offset_dims", a.window},
           {"collapsed_slice_dims", a.inserted},
           {"operand_batching_dims", a.operand_batching},
           {"start_indices_batching_dims", a.indices_batching},
           {"start_index_map", a.index_map},
           {"index_vector_dim", a.index_vector},
           {"slice_sizes", a.sizes},
           {"indices_are_sorted", int64_t(0)},
           {"out_of_range", mode(random)}},
          {x, indices},
          {random.numbers(x, 0, 100), index_values(random, a, indices)}};
}

RandomCall scatter_call(RandomNumbers& random) {
  const RandomAxes a(random);
  const DType t = kTypes[random.below(10)];
  const std::vector<std::string> kinds =
      t == DType::boolean ? std::vector<std::string>{"set", "and", "or"}
      : is_complex(t)     ? std::vector<std::string>{"set", "add", "multiply"}
      : is_float(t)       ? std::vector<std::string>{"set", "add", "multiply", "minimum", "maximum"}
                          : std::vector<std::string>{"set", "add", "multiply", "minimum", "maximum", "and", "or"};
  const std::string kind = kinds[size_t(random.below(int64_t(kinds.size())))];
  const TensorType x{t, a.operand}, indices{kIndexTypes[random.below(8)], a.indices}, updates{t, a.data};
  const int64_t low = t == DType::boolean || t == DType::u64 ? 0 : -1;  // products stay powers of two
  return {"scatter",
          {{"update_window_dims", a.window},
           {"inserted_window_dims", a.inserted},
           {"input_batching_dims", a.operand_batching},
           {"scatter_indices_batching_dims", a.indices_batching},
           {"scatter_dims_to_operand_dims", a.index_map},
           {"index_vector_dim", a.index_vector},
           {"kind", kind},
           {"indices_are_sorted", int64_t(0)},
           {"unique_indices", int64_t(0)},
           {"out_of_range", mode(random)}},
          {x, indices, updates},
          {random.numbers(x, low, 1), index_values(random, a, indices), random.numbers(updates, low, 1)}};
}

void expect_batch_rule(RandomCall (*make)(RandomNumbers&), uint64_t seeds) {
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    RandomNumbers random(seed + 5000);
    std::vector<RandomCall> examples(3, make(random));
    std::vector<bool> batched;
    const int64_t which = random.between(1, (int64_t{1} << examples[0].types.size()) - 1);
    for (size_t i = 0; i < examples[0].types.size(); ++i) batched.push_back(which >> i & 1);
    for (RandomCall& example : examples) {
      for (size_t i = 0; i < batched.size(); ++i) {
        const bool index = i == 1;
        if (batched[i]) example.in[i] = random.numbers(example.types[i], index ? 0 : -1, index ? 4 : 1);
        if (batched[i] && !index && !is_signed_int(example.types[i].dtype) && !is_inexact(example.types[i].dtype))
          example.in[i] = random.numbers(example.types[i], 0, 1);
      }
    }
    expect_same_batch(examples, batched);
  }
}

TEST(RandomGather, cpu_is_like_the_reference) { expect_cpu_like_reference(gather_call, 1200); }
TEST(RandomGather, batch_rule) { expect_batch_rule(gather_call, 100); }
TEST(RandomScatter, cpu_is_like_the_reference) { expect_cpu_like_reference(scatter_call, 1200); }
TEST(RandomScatter, batch_rule) { expect_batch_rule(scatter_call, 100); }

}  // namespace
}  // namespace hearth
