// SPDX-License-Identifier: Apache-2.0
// Creation, shape, contraction and dynamic operations.

#include <limits>

#include "ops/random/threefry.h"
#include "ops/reference/reference.h"
#include "ops/reference/test_kernel.h"

namespace hearth {
namespace {

using Ints = std::vector<int32_t>;
using Floats = std::vector<float>;
constexpr float kInf = std::numeric_limits<float>::infinity();

TensorType i32(Dims dims) { return {DType::i32, std::move(dims)}; }
TensorType f32(Dims dims) { return {DType::f32, std::move(dims)}; }
// i32[2,3] = 0 1 2 / 3 4 5
TestTensor grid() { return tensor<int32_t>({2, 3}, {0, 1, 2, 3, 4, 5}); }
Ints on_grid(const std::string& op, const Dims& dims, const Attrs& attrs) {
  return call("reference." + op, {grid()}, i32(dims), attrs).values<int32_t>();
}

TEST(ReferenceCreation, constant) {
  EXPECT_EQ(call("reference.constant", {}, i32({3}), {{"value", int64_t{-7}}}).values<int32_t>(), (Ints{-7, -7, -7}));
  EXPECT_EQ(call("reference.constant", {}, f32({2}), {{"value", 0.1}}).values<float>(), (Floats{0.1f, 0.1f}));
  EXPECT_EQ(call("reference.constant", {}, f32({}), {{"value", int64_t{3}}}).values<float>(), Floats{3});
  EXPECT_EQ(call("reference.constant", {}, i32({2}), {{"values", Dims{4, 5}}}).values<int32_t>(), (Ints{4, 5}));
  EXPECT_EQ(call("reference.constant", {}, f32({2}), {{"values", std::vector<double>{-kInf, 0.5}}}).values<float>(),
            (Floats{-kInf, 0.5f}));
  EXPECT_EQ(call("reference.constant", {}, {DType::boolean, {1}}, {{"value", int64_t{1}}}).values<uint8_t>(),
            std::vector<uint8_t>{1});
  EXPECT_THROW(call("reference.constant", {}, i32({3}), {{"values", Dims{4, 5}}}), Error);
  EXPECT_THROW(call("reference.constant", {}, i32({3})), Error);
  EXPECT_THROW(call("reference.constant", {}, i32({3}), {{"value", std::string("3")}}), Error);
}

TEST(ReferenceCreation, iota) {
  EXPECT_EQ(call("reference.iota", {}, i32({2, 3}), {{"dimension", int64_t{1}}}).values<int32_t>(),
            (Ints{0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(call("reference.iota", {}, f32({2, 2}), {{"dimension", int64_t{0}}}).values<float>(), (Floats{0, 0, 1, 1}));
  EXPECT_THROW(call("reference.iota", {}, i32({2}), {{"dimension", int64_t{1}}}), Error);
}

TEST(ReferenceShape, broadcast_in_dim) {
  const TestTensor x = row<int32_t>({1, 2, 3}), one = row<int32_t>({9});
  EXPECT_EQ(call("reference.broadcast_in_dim", {x}, i32({2, 3}), {{"dims", Dims{1}}}).values<int32_t>(),
            (Ints{1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(call("reference.broadcast_in_dim", {x}, i32({3, 2}), {{"dims", Dims{0}}}).values<int32_t>(),
            (Ints{1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(call("reference.broadcast_in_dim", {one}, i32({2}), {{"dims", Dims{0}}}).values<int32_t>(), (Ints{9, 9}));
  EXPECT_EQ(
      call("reference.broadcast_in_dim", {tensor<int32_t>({}, {4})}, i32({2}), {{"dims", Dims{}}}).values<int32_t>(),
      (Ints{4, 4}));
  EXPECT_EQ(on_grid("broadcast_in_dim", {3, 2}, {{"dims", Dims{1, 0}}}),
            (Ints{0, 3, 1, 4, 2, 5}));  // any order of axes
  EXPECT_THROW(call("reference.broadcast_in_dim", {x}, i32({2, 4}), {{"dims", Dims{1}}}), Error);
  EXPECT_THROW(call("reference.broadcast_in_dim", {x}, i32({2, 3}), {{"dims", Dims{2}}}), Error);
}

TEST(ReferenceShape, reshape_transpose_reverse) {
  EXPECT_EQ(on_grid("reshape", {3, 2}, {}), (Ints{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(on_grid("transpose", {3, 2}, {{"permutation", Dims{1, 0}}}), (Ints{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(on_grid("reverse", {2, 3}, {{"dims", Dims{0}}}), (Ints{3, 4, 5, 0, 1, 2}));
  EXPECT_EQ(on_grid("reverse", {2, 3}, {{"dims", Dims{0, 1}}}), (Ints{5, 4, 3, 2, 1, 0}));
  const TestTensor cube = tensor<int32_t>({2, 1, 3}, {0, 1, 2, 3, 4, 5});  // y[i,j,k] = x[j,k,i]
  EXPECT_EQ(call("reference.transpose", {cube}, i32({3, 2, 1}), {{"permutation", Dims{2, 0, 1}}}).values<int32_t>(),
            (Ints{0, 3, 1, 4, 2, 5}));
  EXPECT_THROW(on_grid("reshape", {5}, {}), Error);
  EXPECT_THROW(on_grid("transpose", {2, 3}, {{"permutation", Dims{0, 0}}}), Error);
  EXPECT_THROW(on_grid("reverse", {2, 3}, {{"dims", Dims{2}}}), Error);
}

TEST(ReferenceShape, slice) {
  EXPECT_EQ(on_grid("slice", {1, 2}, {{"start", Dims{1, 0}}, {"limit", Dims{2, 3}}, {"strides", Dims{1, 2}}}),
            (Ints{3, 5}));
  EXPECT_EQ(on_grid("slice", {2, 0}, {{"start", Dims{0, 3}}, {"limit", Dims{2, 3}}, {"strides", Dims{1, 1}}}), Ints{});
  EXPECT_THROW(on_grid("slice", {2, 2}, {{"start", Dims{0, 2}}, {"limit", Dims{2, 4}}, {"strides", Dims{1, 1}}}),
               Error);
  EXPECT_THROW(on_grid("slice", {2, 3}, {{"start", Dims{0, 0}}, {"limit", Dims{2, 3}}, {"strides", Dims{1, 0}}}),
               Error);
  EXPECT_THROW(on_grid("slice", {2, 3}, {{"start", Dims{0}}, {"limit", Dims{2, 3}}, {"strides", Dims{1, 1}}}), Error);
}

TEST(ReferenceShape, concatenate) {
  const TestTensor a = tensor<int32_t>({2, 1}, {1, 2}), b = tensor<int32_t>({2, 2}, {3, 4, 5, 6}),
                   none = tensor<int32_t>({2, 0}, {});
  EXPECT_EQ(call("reference.concatenate", {a, none, b}, i32({2, 3}), {{"dimension", int64_t{1}}}).values<int32_t>(),
            (Ints{1, 3, 4, 2, 5, 6}));
  EXPECT_EQ(call("reference.concatenate", {b, b}, i32({4, 2}), {{"dimension", int64_t{0}}}).values<int32_t>(),
            (Ints{3, 4, 5, 6, 3, 4, 5, 6}));
  EXPECT_THROW(call("reference.concatenate", {a, b}, i32({2, 4}), {{"dimension", int64_t{1}}}), Error);
  EXPECT_THROW(call("reference.concatenate", {a, b}, i32({4, 2}), {{"dimension", int64_t{0}}}), Error);
}

Ints padded(const Ints& x, int64_t low, int64_t high, int64_t interior, int64_t size) {
  return call("reference.pad", {row(x), tensor<int32_t>({}, {9})}, i32({size}),
              {{"low", Dims{low}}, {"high", Dims{high}}, {"interior", Dims{interior}}})
      .values<int32_t>();
}

TEST(ReferenceShape, pad) {
  EXPECT_EQ(padded({1, 2, 3}, 1, 2, 0, 6), (Ints{9, 1, 2, 3, 9, 9}));
  EXPECT_EQ(padded({1, 2, 3}, 0, 0, 2, 7), (Ints{1, 9, 9, 2, 9, 9, 3}));
  EXPECT_EQ(padded({1, 2, 3}, -1, -1, 0, 1), Ints{2});
  EXPECT_EQ(padded({1, 2, 3}, -1, 1, 1, 5), (Ints{9, 2, 9, 3, 9}));
  EXPECT_EQ(padded({}, 2, 1, 3, 3), (Ints{9, 9, 9}));
  EXPECT_EQ(padded({1, 2}, -2, 1, 0, 1), Ints{9});
  EXPECT_THROW(padded({1, 2, 3}, 1, 2, 0, 5), Error);
  EXPECT_THROW(padded({1, 2, 3}, INT64_MAX, INT64_MIN, 0, 2), Error);
  EXPECT_THROW(padded({1, 2, 3}, 0, 0, -1, 1), Error);
  EXPECT_THROW(padded({1, 2, 3}, 0, 0, INT64_MAX, 1), Error);
}

TEST(ReferenceShape, optimization_barrier_copies_all) {
  const auto out = call_all("reference.optimization_barrier", {grid(), row<float>({1})}, {i32({2, 3}), f32({1})});
  EXPECT_EQ(out[0].values<int32_t>(), (Ints{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(out[1].values<float>(), Floats{1});
}

template <class T>
std::vector<T> reduced(const TestTensor& x, const Dims& dims, const std::string& kind, const Dims& out) {
  return call("reference.reduce", {x}, {x.type.dtype, out}, {{"dims", dims}, {"kind", kind}}).template values<T>();
}

TEST(ReferenceReduce, kinds_and_axes) {
  EXPECT_EQ(reduced<int32_t>(grid(), {1}, "sum", {2}), (Ints{3, 12}));
  EXPECT_EQ(reduced<int32_t>(grid(), {0}, "max", {3}), (Ints{3, 4, 5}));
  EXPECT_EQ(reduced<int32_t>(grid(), {0, 1}, "min", {}), Ints{0});
  EXPECT_EQ(reduced<int32_t>(grid(), {}, "sum", {2, 3}), (Ints{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(reduced<float>(row<float>({2, 3, 4}), {0}, "product", {}), Floats{24});
  EXPECT_EQ(reduced<int8_t>(row<int8_t>({100, 100}), {0}, "sum", {}), std::vector<int8_t>{-56});
  EXPECT_EQ(reduced<uint64_t>(row<uint64_t>({1, UINT64_MAX}), {0}, "max", {}), std::vector<uint64_t>{UINT64_MAX});
  EXPECT_EQ(reduced<uint8_t>(bools({2, 2}, {1, 0, 1, 1}), {1}, "and", {2}), (std::vector<uint8_t>{0, 1}));
  EXPECT_EQ(reduced<uint8_t>(bools({2, 2}, {1, 0, 0, 0}), {1}, "or", {2}), (std::vector<uint8_t>{1, 0}));
  EXPECT_THROW(reduced<uint8_t>(bools({2}, {1, 0}), {0}, "sum", {}), Error);
  EXPECT_THROW(reduced<float>(row<float>({1}), {0}, "and", {}), Error);
  EXPECT_THROW(reduced<int32_t>(grid(), {1, 1}, "sum", {2}), Error);
  EXPECT_THROW(reduced<int32_t>(grid(), {2}, "sum", {2, 3}), Error);
  EXPECT_THROW(reduced<int32_t>(grid(), {1}, "sum", {3}), Error);
}

TEST(ReferenceReduce, empty_axes_give_the_start) {
  const TestTensor none = tensor<float>({2, 0}, {});
  EXPECT_EQ(reduced<float>(none, {1}, "sum", {2}), (Floats{0, 0}));
  EXPECT_EQ(reduced<float>(none, {1}, "product", {2}), (Floats{1, 1}));
  EXPECT_EQ(reduced<float>(none, {1}, "max", {2}), (Floats{-kInf, -kInf}));
  EXPECT_EQ(reduced<float>(none, {1}, "min", {2}), (Floats{kInf, kInf}));
  EXPECT_EQ(reduced<int8_t>(row<int8_t>({}), {0}, "max", {}), std::vector<int8_t>{-128});
  EXPECT_EQ(reduced<int64_t>(row<int64_t>({}), {0}, "max", {}), std::vector<int64_t>{INT64_MIN});
  EXPECT_EQ(reduced<int64_t>(row<int64_t>({}), {0}, "min", {}), std::vector<int64_t>{INT64_MAX});
  EXPECT_EQ(reduced<uint16_t>(row<uint16_t>({}), {0}, "min", {}), std::vector<uint16_t>{65535});
  EXPECT_EQ(reduced<uint8_t>(bools({0}, {}), {0}, "and", {}), std::vector<uint8_t>{1});
}

TEST(ReferenceReduce, nan_wins_and_16_bit_sums_keep_growing) {
  EXPECT_TRUE(std::isnan(reduced<float>(row<float>({1, NAN, 3}), {0}, "max", {})[0]));
  EXPECT_TRUE(std::isnan(reduced<float>(row<float>({1, NAN, 3}), {0}, "min", {})[0]));
  EXPECT_FALSE(std::signbit(reduced<float>(row<float>({-0.0f, 0.0f, -0.0f}), {0}, "max", {})[0]));
  EXPECT_TRUE(std::signbit(reduced<float>(row<float>({0.0f, -0.0f}), {0}, "min", {})[0]));
  EXPECT_EQ(float(reduced<bf16>(row(std::vector<bf16>(4096, bf16(1))), {0}, "sum", {})[0]), 4096);
}

Attrs dot(const Dims& lhs_batch, const Dims& rhs_batch, const Dims& lhs_contract, const Dims& rhs_contract) {
  return {{"lhs_batch", lhs_batch},
          {"rhs_batch", rhs_batch},
          {"lhs_contract", lhs_contract},
          {"rhs_contract", rhs_contract}};
}

TEST(ReferenceDotGeneral, matrices) {
  const TestTensor a = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}), b = tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(call("reference.dot_general", {a, b}, f32({2, 2}), dot({}, {}, {1}, {0})).values<float>(),
            (Floats{22, 28, 49, 64}));
  EXPECT_EQ(call("reference.dot_general", {a, a}, f32({2, 2}), dot({}, {}, {1}, {1})).values<float>(),
            (Floats{14, 32, 32, 77}));
  EXPECT_EQ(call("reference.dot_general", {a, a}, f32({}), dot({}, {}, {0, 1}, {0, 1})).values<float>(), Floats{91});
  EXPECT_EQ(call("reference.dot_general", {a, row<float>({10, 100})}, f32({2, 3, 2}), dot({}, {}, {}, {}))
                .values<float>()[11],
            600);
}

// y[b,i,j] = sum_k a[i,b,k] c[k,j,b]: batch axes come first wherever they stand.
TEST(ReferenceDotGeneral, batch_axes_in_the_middle) {
  const TestTensor a = tensor<int32_t>({1, 2, 2}, {1, 2, 3, 4}), c = tensor<int32_t>({2, 1, 2}, {5, 6, 7, 8});
  EXPECT_EQ(call("reference.dot_general", {a, c}, i32({2, 1, 1}), dot({1}, {2}, {2}, {0})).values<int32_t>(),
            (Ints{1 * 5 + 2 * 7, 3 * 6 + 4 * 8}));
}

TEST(ReferenceDotGeneral, other_dtypes_and_empty_sums) {
  const TestTensor bytes = row<int8_t>({100, 100, 100});
  EXPECT_EQ(call("reference.dot_general", {bytes, bytes}, i32({}), dot({}, {}, {0}, {0})).values<int32_t>(),
            Ints{30000});
  const TestTensor ones = row(std::vector<bf16>(1000, bf16(1)));
  EXPECT_EQ(call("reference.dot_general", {ones, ones}, f32({}), dot({}, {}, {0}, {0})).values<float>(), Floats{1000});
  const TestTensor none = tensor<float>({2, 0}, {});
  EXPECT_EQ(call("reference.dot_general", {none, none}, f32({2, 2}), dot({}, {}, {1}, {1})).values<float>(),
            (Floats{0, 0, 0, 0}));
  EXPECT_THROW(call("reference.dot_general", {ones, ones}, i32({}), dot({}, {}, {0}, {0})), Error);
}

TEST(ReferenceDotGeneral, refuses_what_does_not_fit) {
  const TestTensor a = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THROW(call("reference.dot_general", {a, a}, f32({2, 3}), dot({}, {}, {1}, {0})), Error);
  EXPECT_THROW(call("reference.dot_general", {a, a}, f32({2, 2}), dot({}, {}, {1}, {})), Error);
  EXPECT_THROW(call("reference.dot_general", {a, a}, f32({2, 2}), dot({}, {}, {2}, {1})), Error);
  EXPECT_THROW(call("reference.dot_general", {a, a}, f32({2, 2}), dot({1}, {1}, {1}, {1})), Error);
  EXPECT_THROW(call("reference.dot_general", {a, a}, f32({3, 2}), dot({}, {}, {1}, {1})), Error);
}

TEST(ReferenceDynamic, slices_are_clamped) {
  const auto at = [](int32_t row_start, int64_t column_start) {
    return call("reference.dynamic_slice",
                {grid(), tensor<int32_t>({}, {row_start}), tensor<int64_t>({}, {column_start})}, i32({1, 2}),
                {{"sizes", Dims{1, 2}}})
        .values<int32_t>();
  };
  EXPECT_EQ(at(1, 0), (Ints{3, 4}));
  EXPECT_EQ(at(-5, 1), (Ints{1, 2}));
  EXPECT_EQ(at(7, INT64_MAX), (Ints{4, 5}));
  const TestTensor start = tensor<int32_t>({}, {0});
  EXPECT_THROW(call("reference.dynamic_slice", {grid(), start, start}, i32({3, 2}), {{"sizes", Dims{3, 2}}}), Error);
  EXPECT_THROW(call("reference.dynamic_slice", {grid(), start}, i32({1, 2}), {{"sizes", Dims{1, 2}}}), Error);
  EXPECT_THROW(
      call("reference.dynamic_slice", {grid(), start, tensor<float>({}, {0})}, i32({1, 2}), {{"sizes", Dims{1, 2}}}),
      Error);
}

TEST(ReferenceDynamic, updates_are_clamped) {
  const TestTensor update = tensor<int32_t>({1, 2}, {8, 9}), zero = tensor<int32_t>({}, {0}),
                   big = tensor<int32_t>({}, {99});
  EXPECT_EQ(call("reference.dynamic_update_slice", {grid(), update, zero, zero}, i32({2, 3})).values<int32_t>(),
            (Ints{8, 9, 2, 3, 4, 5}));
  EXPECT_EQ(call("reference.dynamic_update_slice", {grid(), update, big, big}, i32({2, 3})).values<int32_t>(),
            (Ints{0, 1, 2, 3, 8, 9}));
  EXPECT_THROW(
      call("reference.dynamic_update_slice", {grid(), tensor<int32_t>({1, 4}, {1, 2, 3, 4}), zero, zero}, i32({2, 3})),
      Error);
}

// Known answers of the paper's own implementation (Random123, kat_vectors); JAX 0.10.2 gives the first and last alike.
TEST(Threefry, known_answers) {
  const auto expect = [](uint32_t k0, uint32_t k1, uint32_t c0, uint32_t c1, uint32_t x0, uint32_t x1) {
    const ThreefryBlock block = threefry2x32(k0, k1, c0, c1);
    EXPECT_EQ(block.x0, x0);
    EXPECT_EQ(block.x1, x1);
  };
  expect(0, 0, 0, 0, 0x6b200159, 0x99ba4efe);
  expect(~0u, ~0u, ~0u, ~0u, 0x1cb996fc, 0xbb002be7);
  expect(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0);
}

TEST(ReferenceDynamic, rng_bit_generator) {
  const uint64_t key = 0x0370734413198a2e, counter = 0xffffffff;  // the counter carries into its high word
  const TestTensor state = row<uint64_t>({key, counter});
  const auto out = call_all("reference.rng_bit_generator", {state}, {state.type, {DType::u32, {5}}});
  EXPECT_EQ(out[0].values<uint64_t>(), (std::vector<uint64_t>{key, counter + 3}));
  const auto bits = out[1].values<uint32_t>();
  const uint32_t counters[3][2] = {{0xffffffff, 0}, {0, 1}, {1, 1}};
  for (size_t i = 0; i < 5; ++i) {
    const ThreefryBlock block = threefry2x32(0x13198a2e, 0x03707344, counters[i / 2][0], counters[i / 2][1]);
    EXPECT_EQ(bits[i], i % 2 ? block.x1 : block.x0) << i;
  }
}

TEST(ReferenceKernels, are_all_registered_and_checked) {
  for (const KernelInfo& kernel : reference_kernels()) {
    EXPECT_EQ(kernel.name.rfind("reference.", 0), 0u) << kernel.name;
    EXPECT_NE(kernel.check, nullptr) << kernel.name;
    ASSERT_NE(find_kernel(kernel.name), nullptr) << kernel.name;
    EXPECT_THROW(kernel.check({}, {}, {}), Error) << kernel.name << " accepts nothing at all";
  }
}

}  // namespace
}  // namespace hearth
