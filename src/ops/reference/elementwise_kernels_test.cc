// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "ops/reference/test_kernel.h"

namespace hearth {
namespace {

using Reals = std::vector<double>;
constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

Reals unary(const std::string& op, const Reals& x) {
  const TestTensor in = row(x);
  return call("reference." + op, {in}, in.type).values<double>();
}
Reals binary(const std::string& op, const Reals& a, const Reals& b) {
  const TestTensor in = row(a);
  return call("reference." + op, {in, row(b)}, in.type).values<double>();
}
template <class T>
std::vector<T> integers(const std::string& op, const std::vector<T>& a, const std::vector<T>& b) {
  const TestTensor in = row(a);
  return call("reference." + op, {in, row(b)}, in.type).template values<T>();
}
template <class T>
std::vector<T> integers(const std::string& op, const std::vector<T>& a) {
  const TestTensor in = row(a);
  return call("reference." + op, {in}, in.type).template values<T>();
}

TEST(ReferenceUnary, reals) {
  expect_same(unary("negate", {1, 0, -kInf, kNan}), {-1, -0.0, kInf, kNan});
  expect_same(unary("abs", {-1.5, -0.0, -kInf, kNan}), {1.5, 0, kInf, kNan});
  expect_same(unary("sign", {-3, -0.0, 0, 7, kInf, kNan}), {-1, -0.0, 0, 1, 1, kNan});
  expect_same(unary("exponential", {0, -kInf, kInf, 1}), {1, 0, kInf, std::exp(1)});
  expect_same(unary("exponential_minus_one", {0, -kInf, 1e-20}), {0, -1, 1e-20});
  expect_same(unary("log", {1, 0, -1, kInf}), {0, -kInf, kNan, kInf});
  expect_same(unary("log_plus_one", {0, -1, -2, 1e-20}), {0, -kInf, kNan, 1e-20});
  expect_same(unary("sqrt", {4, -0.0, -1, kInf}), {2, -0.0, kNan, kInf});
  expect_same(unary("rsqrt", {4, 0, -0.0, kInf, -1}), {0.5, kInf, -kInf, 0, kNan});
  expect_same(unary("logistic", {0, -kInf, kInf, -800}), {0.5, 0, 1, 0});
  expect_same(unary("tanh", {0, kInf, -kInf}), {0, 1, -1});
  expect_same(unary("sine", {0, kInf, 1}), {0, kNan, std::sin(1)});
  expect_same(unary("cosine", {0, kInf, 1}), {1, kNan, std::cos(1)});
  expect_same(unary("floor", {-1.5, 1.5, -0.0, kInf}), {-2, 1, -0.0, kInf});
  expect_same(unary("ceil", {-1.5, 1.5, -0.5}), {-1, 2, -0.0});
  const TestTensor finite = call("reference.is_finite", {row<double>({1, kInf, kNan})}, {DType::boolean, {3}});
  EXPECT_EQ(finite.values<uint8_t>(), (std::vector<uint8_t>{1, 0, 0}));
}

TEST(ReferenceUnary, integers) {
  EXPECT_EQ(integers<int8_t>("negate", {5, -128, 0}), (std::vector<int8_t>{-5, -128, 0}));
  EXPECT_EQ(integers<uint32_t>("negate", {1}), (std::vector<uint32_t>{0xffffffffu}));
  EXPECT_EQ(integers<int32_t>("abs", {-7, INT32_MIN}), (std::vector<int32_t>{7, INT32_MIN}));
  EXPECT_EQ(integers<uint64_t>("abs", {UINT64_MAX}), (std::vector<uint64_t>{UINT64_MAX}));
  EXPECT_EQ(integers<int16_t>("sign", {-7, 0, 9}), (std::vector<int16_t>{-1, 0, 1}));
  EXPECT_EQ(integers<uint64_t>("sign", {UINT64_MAX, 0}), (std::vector<uint64_t>{1, 0}));
  EXPECT_EQ(integers<uint8_t>("not", {0, 0xf0}), (std::vector<uint8_t>{255, 0x0f}));
  const TestTensor inverted = call("reference.not", {bools({2}, {0, 1})}, {DType::boolean, {2}});
  EXPECT_EQ(inverted.values<uint8_t>(), (std::vector<uint8_t>{1, 0}));
}

TEST(ReferenceBinary, reals) {
  expect_same(binary("add", {1, kInf}, {2, -kInf}), {3, kNan});
  expect_same(binary("subtract", {1, 0}, {2, 0}), {-1, 0});
  expect_same(binary("multiply", {3, 0}, {-2, kInf}), {-6, kNan});
  expect_same(binary("divide", {1, -1, 0}, {0, 0, 0}), {kInf, -kInf, kNan});
  expect_same(binary("remainder", {5, -5, 5.5, 1}, {3, 3, -2, 0}), {2, -2, 1.5, kNan});  // sign of the dividend
  expect_same(binary("maximum", {1, kNan, -0.0, 0}, {2, 1, 0, -0.0}), {2, kNan, 0, 0});
  expect_same(binary("minimum", {1, 1, -0.0, 0}, {2, kNan, 0, -0.0}), {1, kNan, -0.0, -0.0});
  expect_same(binary("power", {2, 0, -8, kNan, 0}, {-1, 0, 0.5, 0, -1}), {0.5, 1, kNan, 1, kInf});
  expect_same(binary("atan2", {0, -0.0, 1}, {-1, -1, 0}), {M_PI, -M_PI, M_PI / 2});
}

TEST(ReferenceBinary, integer_division) {
  EXPECT_EQ(integers<int32_t>("divide", {7, -7, 7, 1, INT32_MIN}, {2, 2, -2, 0, -1}),
            (std::vector<int32_t>{3, -3, -3, -1, INT32_MIN}));
  EXPECT_EQ(integers<int32_t>("remainder", {7, -7, 7, 5, INT32_MIN}, {2, 2, -2, 0, -1}),
            (std::vector<int32_t>{1, -1, 1, 5, 0}));
  EXPECT_EQ(integers<int8_t>("divide", {-128}, {-1}), (std::vector<int8_t>{-128}));
  EXPECT_EQ(integers<int64_t>("divide", {INT64_MIN}, {-1}), (std::vector<int64_t>{INT64_MIN}));
  EXPECT_EQ(integers<uint64_t>("divide", {UINT64_MAX, 3}, {2, 0}), (std::vector<uint64_t>{UINT64_MAX / 2, UINT64_MAX}));
  EXPECT_EQ(integers<uint8_t>("remainder", {200, 9}, {7, 0}), (std::vector<uint8_t>{4, 9}));
}

TEST(ReferenceBinary, integers_wrap_around) {
  EXPECT_EQ(integers<int8_t>("add", {127}, {1}), (std::vector<int8_t>{-128}));
  EXPECT_EQ(integers<uint16_t>("subtract", {0}, {1}), (std::vector<uint16_t>{65535}));
  EXPECT_EQ(integers<int32_t>("multiply", {1 << 20}, {1 << 12}), (std::vector<int32_t>{0}));
  EXPECT_EQ(integers<uint64_t>("maximum", {UINT64_MAX}, {1}), (std::vector<uint64_t>{UINT64_MAX}));
  EXPECT_EQ(integers<int64_t>("minimum", {-1}, {1}), (std::vector<int64_t>{-1}));
  EXPECT_EQ(integers<int32_t>("power", {3, 2, 1, -1, -1, 0, 7}, {4, -1, -5, -3, -2, -1, 0}),
            (std::vector<int32_t>{81, 0, 1, -1, 1, 0, 1}));
  EXPECT_EQ(integers<uint8_t>("power", {3}, {6}), (std::vector<uint8_t>{729 & 255}));
}

TEST(ReferenceBinary, bits_and_shifts) {
  EXPECT_EQ(integers<uint8_t>("and", {0xf0}, {0x3c}), (std::vector<uint8_t>{0x30}));
  EXPECT_EQ(integers<uint8_t>("or", {0xf0}, {0x3c}), (std::vector<uint8_t>{0xfc}));
  EXPECT_EQ(integers<int32_t>("xor", {-1}, {5}), (std::vector<int32_t>{-6}));
  EXPECT_EQ(integers<int8_t>("shift_left", {1, 1, 64, 1}, {3, 8, 1, -1}), (std::vector<int8_t>{8, 0, -128, 0}));
  EXPECT_EQ(integers<int8_t>("shift_right_logical", {-1, -1, -128}, {4, 8, 7}), (std::vector<int8_t>{15, 0, 1}));
  EXPECT_EQ(integers<int8_t>("shift_right_arithmetic", {-128, -128, 64}, {4, 9, 8}), (std::vector<int8_t>{-8, -1, 0}));
  EXPECT_EQ(integers<uint8_t>("shift_right_arithmetic", {128}, {7}), (std::vector<uint8_t>{255}));
  EXPECT_EQ(integers<int64_t>("shift_right_logical", {-1}, {63}), (std::vector<int64_t>{1}));
}

TEST(ReferenceBinary, booleans) {
  const TestTensor a = bools({4}, {0, 0, 1, 1}), b = bools({4}, {0, 1, 0, 1});
  const auto of = [&](const std::string& op) { return call("reference." + op, {a, b}, a.type).values<uint8_t>(); };
  using Bytes = std::vector<uint8_t>;
  EXPECT_EQ(of("add"), (Bytes{0, 1, 1, 1}));
  EXPECT_EQ(of("multiply"), (Bytes{0, 0, 0, 1}));
  EXPECT_EQ(of("maximum"), (Bytes{0, 1, 1, 1}));
  EXPECT_EQ(of("minimum"), (Bytes{0, 0, 0, 1}));
  EXPECT_EQ(of("and"), (Bytes{0, 0, 0, 1}));
  EXPECT_EQ(of("or"), (Bytes{0, 1, 1, 1}));
  EXPECT_EQ(of("xor"), (Bytes{0, 1, 1, 0}));
  EXPECT_THROW(of("subtract"), Error);
  EXPECT_THROW(of("shift_left"), Error);
}

template <class T>
std::vector<uint8_t> compare(const std::string& direction, const std::vector<T>& a, const std::vector<T>& b) {
  const TensorType out{DType::boolean, {int64_t(a.size())}};
  return call("reference.compare", {row(a), row(b)}, out, {{"direction", direction}}).template values<uint8_t>();
}

TEST(ReferenceCompare, all_directions) {
  using Bytes = std::vector<uint8_t>;
  const std::vector<float> a{1, 2, 3, NAN, 0}, b{2, 2, 2, NAN, -0.0f};
  EXPECT_EQ(compare("EQ", a, b), (Bytes{0, 1, 0, 0, 1}));
  EXPECT_EQ(compare("NE", a, b), (Bytes{1, 0, 1, 1, 0}));
  EXPECT_EQ(compare("LT", a, b), (Bytes{1, 0, 0, 0, 0}));
  EXPECT_EQ(compare("LE", a, b), (Bytes{1, 1, 0, 0, 1}));
  EXPECT_EQ(compare("GT", a, b), (Bytes{0, 0, 1, 0, 0}));
  EXPECT_EQ(compare("GE", a, b), (Bytes{0, 1, 1, 0, 1}));
  EXPECT_EQ(compare<uint64_t>("LT", {1}, {UINT64_MAX}), Bytes{1});
  EXPECT_EQ(compare<int64_t>("LT", {1}, {-1}), Bytes{0});
  EXPECT_THROW(compare<float>("TOTALORDER", {1}, {2}), Error);
}

TEST(ReferenceSelect, per_element_and_scalar) {
  const TestTensor a = row<int32_t>({1, 2, 3}), b = row<int32_t>({4, 5, 6});
  using Ints = std::vector<int32_t>;
  EXPECT_EQ(call("reference.select", {bools({3}, {1, 0, 1}), a, b}, a.type).values<int32_t>(), (Ints{1, 5, 3}));
  EXPECT_EQ(call("reference.select", {bools({}, {0}), a, b}, a.type).values<int32_t>(), (Ints{4, 5, 6}));
  EXPECT_THROW(call("reference.select", {bools({2}, {0, 1}), a, b}, a.type), Error);
}

template <class To, class From>
std::vector<To> convert(const std::vector<From>& x) {
  return call("reference.convert", {row(x)}, {dtype_of<To>, {int64_t(x.size())}}).template values<To>();
}

TEST(ReferenceConvert, reals_to_integers_truncate_and_saturate) {
  EXPECT_EQ((convert<int8_t, float>({1.9f, -1.9f, 300, -300, NAN})), (std::vector<int8_t>{1, -1, 127, -128, 0}));
  EXPECT_EQ((convert<uint32_t, double>({-1, 4294967295.0, 1e10})), (std::vector<uint32_t>{0, UINT32_MAX, UINT32_MAX}));
  EXPECT_EQ((convert<int64_t, float>({INFINITY, -INFINITY})), (std::vector<int64_t>{INT64_MAX, INT64_MIN}));
  EXPECT_EQ((convert<uint64_t, double>({0x1p63, 0x1p64})), (std::vector<uint64_t>{uint64_t{1} << 63, UINT64_MAX}));
  const TestTensor flags = call("reference.convert", {row<float>({0, -0.0f, 1e-45f, NAN})}, {DType::boolean, {4}});
  EXPECT_EQ(flags.values<uint8_t>(), (std::vector<uint8_t>{0, 0, 1, 1}));
}

TEST(ReferenceConvert, integers) {
  EXPECT_EQ((convert<uint8_t, int32_t>({-1, 256, 257})), (std::vector<uint8_t>{255, 0, 1}));
  EXPECT_EQ((convert<int64_t, uint64_t>({UINT64_MAX})), (std::vector<int64_t>{-1}));
  EXPECT_EQ((convert<int64_t, int8_t>({-1})), (std::vector<int64_t>{-1}));
  EXPECT_EQ((convert<int64_t, uint8_t>({255})), (std::vector<int64_t>{255}));
  EXPECT_EQ((convert<double, uint64_t>({UINT64_MAX})), (std::vector<double>{0x1p64}));
}

// Rounding to f64 first and then to the result would give other numbers.
TEST(ReferenceConvert, rounds_once) {
  EXPECT_EQ((convert<float, int64_t>({(int64_t{1} << 60) + (int64_t{1} << 36) + 1})),
            (std::vector<float>{0x1p60f + 0x1p37f}));
  const auto bf = convert<bf16, double>({1 + 0x1p-8 + 0x1p-40, 1 + 0x1p-8, 0x1p-133, 0x1p-134, 1e39, 3.5e38});
  const std::vector<float> wanted{1 + 0x1p-7f, 1, 0x1p-133f, 0, INFINITY, INFINITY};
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(float(bf[i]), wanted[i]) << i;
  const auto half =
      convert<f16, double>({1 + 0x1p-11 + 0x1p-40, 1 + 0x1p-11, 0x1p-24, 0x1p-25, 65519, 65520, 1.5 * 0x1p-24});
  const std::vector<float> halves{1 + 0x1p-10f, 1, 0x1p-24f, 0, 65504, INFINITY, 0x1p-23f};
  for (size_t i = 0; i < halves.size(); ++i) EXPECT_EQ(float(half[i]), halves[i]) << i;
}

// The two 16-bit dtypes against their conversions from f32, for every number they have.
TEST(ReferenceConvert, every_16_bit_float_survives) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    bf16 b;
    f16 h;
    b.bits = h.bits = uint16_t(bits);
    EXPECT_TRUE(std::isnan(float(b)) || (convert<bf16, float>({float(b)})[0].bits) == bits) << bits;
    EXPECT_TRUE(std::isnan(float(h)) || (convert<f16, float>({float(h)})[0].bits) == bits) << bits;
  }
}

TEST(ReferenceElementwise, low_precision_computes_in_f64) {
  const TestTensor a = row<bf16>({bf16(1), bf16(3)}), b = row<bf16>({bf16(0x1p-9f), bf16(7)});
  const auto sum = call("reference.add", {a, b}, a.type).values<bf16>();
  EXPECT_EQ(float(sum[0]), 1);
  EXPECT_EQ(float(sum[1]), 10);
  const auto quotient = call("reference.divide", {a, b}, a.type).values<bf16>();
  EXPECT_EQ(float(quotient[1]), float(bf16(3.0f / 7.0f)));
}

TEST(ReferenceElementwise, refuses_wrong_types) {
  const TestTensor x = row<int32_t>({1}), y = row<float>({1});
  EXPECT_THROW(call("reference.exponential", {x}, x.type), Error);
  EXPECT_THROW(call("reference.not", {y}, y.type), Error);
  EXPECT_THROW(call("reference.and", {y, y}, y.type), Error);
  EXPECT_THROW(call("reference.atan2", {x, x}, x.type), Error);
  EXPECT_THROW(call("reference.add", {x, y}, x.type), Error);
  EXPECT_THROW(call("reference.add", {x}, x.type), Error);
  EXPECT_THROW(call("reference.negate", {x}, {DType::i32, {2}}), Error);
}

}  // namespace
}  // namespace hearth
