// SPDX-License-Identifier: Apache-2.0
// Window operations with random attributes, dtypes and sizes: the cpu's kernels against the plain loops, and batch
// rules against one example after the other.
#include "ops/random_axes_test.h"

namespace hearth {
namespace {

const DType kTypes[] = {DType::f32, DType::f32, DType::bf16, DType::f16, DType::f64,     DType::i8,
                        DType::i32, DType::i64, DType::u16,  DType::u64, DType::boolean, DType::complex64};

Attrs window_attributes(RandomNumbers& random, Dims& x) {
  const int64_t rank = random.below(5), long_axis = random.one_in(4) ? random.below(5) : -1;
  Dims size, strides, base, dilations, low, high;
  for (int64_t i = 0; i < rank; ++i) {
    const bool is_long = i == long_axis;
    x.push_back(is_long ? random.between(50, 300) : random.one_in(30) ? 0 : random.between(1, 7));
    if (random.one_in(3)) {  // an axis that windows leave alone
      size.push_back(1), strides.push_back(1), base.push_back(1), dilations.push_back(1), low.push_back(0);
      high.push_back(0);
      continue;
    }
    size.push_back(random.between(1, is_long && random.one_in(2) ? 60 : 4));
    strides.push_back(random.between(1, 3));
    base.push_back(random.one_in(3) ? random.between(1, 3) : 1);
    dilations.push_back(random.one_in(3) ? random.between(1, 3) : 1);
    low.push_back(random.between(-2, 4));
    high.push_back(random.between(-2, 4));
  }
  return {{"window_dimensions", size},     {"window_strides", strides}, {"base_dilations", base},
          {"window_dilations", dilations}, {"padding_low", low},        {"padding_high", high}};
}

RandomCall reduce_call(RandomNumbers& random) {
  Dims dims;
  Attrs attrs = window_attributes(random, dims);
  const TensorType x{kTypes[random.below(12)], dims};
  const std::vector<std::string> kinds = x.dtype == DType::boolean ? std::vector<std::string>{"and", "or"}
                                         : is_complex(x.dtype)     ? std::vector<std::string>{"sum", "product"}
                                         : is_float(x.dtype)
                                             ? std::vector<std::string>{"sum", "product", "max", "min"}
                                             : std::vector<std::string>{"sum", "product", "max", "min", "and", "or"};
  const std::string kind = kinds[size_t(random.below(int64_t(kinds.size())))];
  const bool zero_or_one = !is_inexact(x.dtype) && !is_signed_int(x.dtype);
  attrs.set("kind", kind);
  return {"reduce_window", attrs, {x}, {random.numbers(x, zero_or_one ? 0 : -1, 1)}};
}

// The result's type, from a graph: the test does not know the formula.
Dims windows_of(const TensorType& x, const Attrs& attrs) {
  Graph g;
  Attrs other = attrs;
  return g.add("reduce_window", {g.input("x", x)}, other.set("kind", std::string("max"))).dims();
}

RandomCall select_call(RandomNumbers& random) {
  Dims dims;
  Attrs attrs = window_attributes(random, dims);
  const TensorType x{kTypes[random.below(10)], dims};
  const bool scatters = random.one_in(2);
  const TensorType other{x.dtype, scatters ? windows_of(x, attrs) : dims};
  attrs.set("select", std::string(random.one_in(2) ? "GE" : "LE"));
  return {scatters ? "select_and_scatter" : "select_and_gather",
          attrs,
          {x, other},
          {random.numbers(x, 0, 9), random.numbers(other, 0, 2)}};
}

void expect_batch_rule(RandomCall (*make)(RandomNumbers&), uint64_t seeds) {
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    RandomNumbers random(seed + 5000);
    std::vector<RandomCall> examples(3, make(random));
    const bool all = random.one_in(2);
    std::vector<bool> batched;
    for (size_t i = 0; i < examples[0].types.size(); ++i) batched.push_back(all || i == 0);
    for (RandomCall& example : examples)
      for (size_t i = 0; i < batched.size(); ++i)
        if (batched[i]) example.in[i] = random.numbers(example.types[i], 0, 1);
    expect_same_batch(examples, batched);
  }
}

TEST(RandomWindow, cpu_is_like_the_reference) { expect_cpu_like_reference(reduce_call, 2000); }
TEST(RandomWindow, batch_rule) { expect_batch_rule(reduce_call, 150); }
TEST(RandomSelect, cpu_is_like_the_reference) { expect_cpu_like_reference(select_call, 1500); }
TEST(RandomSelect, batch_rule) { expect_batch_rule(select_call, 150); }

}  // namespace
}  // namespace hearth
