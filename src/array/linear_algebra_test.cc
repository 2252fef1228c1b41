// SPDX-License-Identifier: Apache-2.0
#include "array/linear_algebra.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "array/einsum.h"
#include "array/numbers_test.h"
#include "array/statistics.h"
#include "base/error.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;

Array mixed_matrix(int64_t n) {  // well conditioned
  std::vector<double> values(size_t(n * n));
  for (int64_t i = 0; i < n * n; ++i) values[size_t(i)] = double(i * 7 % 11) / 11 + (i % (n + 1) == 0 ? 3 : 0);
  return array(values, {n, n});
}
void expect_near(const Array& a, const Array& b, double tolerance) {
  ASSERT_EQ(a.shape(), b.shape());
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], y[i], tolerance) << "element " << i;
}
template <class F>
std::string error_text(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(LinearAlgebra, matmul_of_every_rank) {
  const auto same = [](const Dims& a, const Dims& b, const char* text) {
    const Array x = numbers(a), y = numbers(b);
    const Array product = matmul(x, y), sum = einsum(text, {x, y});
    EXPECT_EQ(product.shape(), sum.shape()) << text;
    EXPECT_EQ(product.to_vector<float>(), sum.to_vector<float>()) << text;
  };
  same({4}, {4}, "k,k->");
  same({3, 4}, {4}, "mk,k->m");
  same({4}, {4, 5}, "k,kn->n");
  same({3, 4}, {4, 5}, "mk,kn->mn");
  same({2, 3, 4}, {4, 5}, "bmk,kn->bmn");
  same({3, 4}, {2, 4, 5}, "mk,bkn->bmn");
  same({4}, {2, 4, 5}, "k,bkn->bn");
  same({2, 3, 4}, {4}, "bmk,k->bm");
  same({2, 3, 4}, {2, 4, 5}, "bmk,bkn->bmn");
  same({2, 1, 3, 4}, {6, 4, 5}, "abmk,bkn->abmn");
  same({1, 3, 4}, {2, 4, 5}, "bmk,bkn->bmn");
}

TEST(LinearAlgebra, matmul_at_size_zero_and_k_one) {
  EXPECT_EQ(matmul(numbers({2, 0}), numbers({0, 3})).to_vector<float>(), Floats(6, 0.0f));
  EXPECT_EQ(matmul(numbers({0, 2}), numbers({2, 3})).shape(), (Dims{0, 3}));
  EXPECT_EQ(matmul(numbers({0}), numbers({0})).item<float>(), 0);
  EXPECT_EQ(matmul(numbers({0, 2, 3}), numbers({1, 3, 4})).shape(), (Dims{0, 2, 4}));
  EXPECT_EQ(matmul(numbers({2, 1}), numbers({1, 2})).to_vector<float>(), (Floats{25, -10, -10, 4}));
}

TEST(LinearAlgebra, matmul_promotes) {
  EXPECT_EQ(matmul(array({{1, 2}}), numbers({2, 2})).dtype(), DType::f32);
  EXPECT_EQ(matmul(array({1, 2}), array({3, 4})).dtype(), DType::i32);
  EXPECT_EQ(matmul(array({true, false}), array({true, true})).dtype(), DType::boolean);
  EXPECT_TRUE(matmul(array({true, true}), array({true, true})).item<bool>());
}

TEST(LinearAlgebra, matmul_says_what_does_not_fit) {
  EXPECT_EQ(error_text([] {
              matmul(numbers({3, 4}), numbers({5, 4}));
            }),
            "matmul: inner sizes differ: 4 != 5\n  a is f32[3,4]\n  b is f32[5,4]");
  EXPECT_EQ(error_text([] { matmul(numbers({}), numbers({4})); }),
            "matmul: needs at least 1 axis\n  a is f32[]\n  b is f32[4]\n  hint: a * b multiplies by a number");
  EXPECT_EQ(error_text([] {
              matmul(numbers({2, 3, 4}), numbers({3, 4, 5}));
            }),
            "matmul: leading axes do not broadcast: 2 and 3\n  a is f32[2,3,4]\n  b is f32[3,4,5]");
}

TEST(LinearAlgebra, products) {
  const Array a = numbers({2, 3}), b = numbers({4, 3}), c = numbers({3, 5, 2});
  expect_near(inner(a, b), einsum("ik,jk->ij", {a, b}), 0);
  expect_near(dot(a, c.reshape({5, 3, 2})), einsum("ik,jkl->ijl", {a, c.reshape({5, 3, 2})}), 0);
  expect_near(dot(a, Array(2.0f)), a * 2, 0);
  expect_near(tensordot(a, c, {1, 0}, {0, 2}), einsum("ik,kji->j", {a, c}), 0);
  expect_near(tensordot(a, c, 1), einsum("ik,kjl->ijl", {a, c}), 0);
  EXPECT_EQ(tensordot(a, b, 0).shape(), (Dims{2, 3, 4, 3}));
  expect_near(outer(a, b), einsum("i,j->ij", {a.reshape({6}), b.reshape({12})}), 0);
  expect_near(vecdot(a, numbers({4, 1, 3})), einsum("ik,jlk->ji", {a, numbers({4, 1, 3})}), 0);
  expect_near(vecdot(a, numbers({2, 1}), 0), einsum("ki,kj->i", {a, numbers({2, 1})}), 0);
  expect_near(kron(a, b), einsum("ij,kl->ikjl", {a, b}).reshape({8, 9}), 0);
  EXPECT_EQ(cross(array({1, 0, 0}), array({0, 1, 0})).to_vector<int>(), (std::vector<int>{0, 0, 1}));
  const std::complex<float> i(0, 1);
  EXPECT_EQ(vdot(array({i, i}), array({i, i})).item<std::complex<float>>(), std::complex<float>(2));
  EXPECT_EQ(vecdot(array({i}), array({i})).item<std::complex<float>>(), std::complex<float>(1));
  EXPECT_EQ(inner(array({i}), array({i})).item<std::complex<float>>(), std::complex<float>(-1));
  expect_near(multi_dot({a, c.reshape({3, 10}), numbers({10, 2})}),
              matmul(matmul(a, c.reshape({3, 10})), numbers({10, 2})), 1e-4);
}

TEST(LinearAlgebra, parts_of_matrices) {
  const Array x = numbers({2, 3, 4});
  expect_near(matrix_transpose(x), einsum("bij->bji", {x}), 0);
  EXPECT_EQ(diagonal(x, 1).shape(), (Dims{2, 3}));
  EXPECT_EQ(diagonal(x, -7).shape(), (Dims{2, 0}));
  expect_near(trace(mixed_matrix(4)), einsum("ii", {mixed_matrix(4)}), 1e-12);
  EXPECT_EQ(trace(array({{int8_t(100), int8_t(0)}, {int8_t(0), int8_t(100)}})).item<int>(), 200);
}

TEST(LinearAlgebra, systems) {
  const Array a = mixed_matrix(5), b = numbers({5, 2}).astype(DType::f64);
  expect_near(matmul(a, solve(a, b)), b, 1e-12);
  expect_near(matmul(a, inv(a)), einsum("ij->ij", {inv(a)}) * 0 + matrix_power(a, 0), 1e-12);
  const SignAndLogDet both = slogdet(a);
  EXPECT_NEAR(det(a).item<double>(), both.sign.item<double>() * std::exp(both.logabsdet.item<double>()), 1e-9);
  EXPECT_EQ(det(array({{1, 2}, {3, 4}})).dtype(), DType::f32);
  EXPECT_NEAR(det(array({{1, 2}, {3, 4}})).item<float>(), -2, 1e-6);
  expect_near(matrix_power(a, -2), inv(matmul(a, a)), 1e-12);
  const Array tall = numbers({6, 3}).astype(DType::f64);
  const LstsqResult fit = lstsq(tall, numbers({6}).astype(DType::f64));
  expect_near(fit.x, matmul(pinv(tall), numbers({6}).astype(DType::f64)), 1e-12);
  EXPECT_EQ(fit.rank.item<int>(), 3);
  EXPECT_EQ(matrix_rank(array({{1.0f, 2.0f}, {2.0f, 4.0f}})).item<int>(), 1);
}

TEST(LinearAlgebra, factorisations_give_the_matrix_back) {
  const Array a = mixed_matrix(4), spd = matmul(a, matrix_transpose(a));
  const Array low = cholesky(spd), up = cholesky(spd, {.upper = true});
  expect_near(matmul(low, matrix_transpose(low)), spd, 1e-12);
  expect_near(up, matrix_transpose(low), 1e-12);
  const QrResult f = qr(a);
  expect_near(matmul(f.q, f.r), a, 1e-12);
  EXPECT_EQ(qr(numbers({5, 3}), "complete").q.shape(), (Dims{5, 5}));
  const Array wide = numbers({3, 5}).astype(DType::f64);
  const SvdResult s = svd(wide, {.full_matrices = false});
  expect_near(matmul(s.u * s.s, s.vh), wide, 1e-12);
  EXPECT_EQ(svd(wide).vh.shape(), (Dims{5, 5}));
  expect_near(svdvals(wide), s.s, 1e-12);
  const EigResult e = eigh(spd);
  expect_near(matmul(spd, e.eigenvectors), e.eigenvectors * e.eigenvalues, 1e-12);
  expect_near(eigvalsh(spd), e.eigenvalues, 1e-12);
  EXPECT_EQ(eig(a).eigenvalues.dtype(), DType::complex128);
  EXPECT_NEAR(sum(eigvals(a)).item<double>(), trace(a).item<double>(), 1e-11);
  EXPECT_EQ(cholesky(spd.astype(DType::bf16)).dtype(), DType::bf16);
}

TEST(LinearAlgebra, norms) {
  const Array x = array({{3.0f, -4.0f}, {0.0f, 0.0f}});
  EXPECT_EQ(norm(x).item<float>(), 5);
  EXPECT_EQ(vector_norm(x, {.axis = 1, .keepdims = true}).to_vector<float>(), (Floats{5, 0}));
  EXPECT_EQ(vector_norm(x, {.ord = 1}).item<float>(), 7);
  EXPECT_EQ(vector_norm(x, {.ord = 0}).item<float>(), 2);
  EXPECT_EQ(vector_norm(x, {.ord = std::numeric_limits<double>::infinity()}).item<float>(), 4);
  EXPECT_NEAR(vector_norm(x, {.ord = 3}).item<float>(), std::cbrt(91.0), 1e-5);
  EXPECT_EQ(matrix_norm(x).item<float>(), 5);
  EXPECT_EQ(matrix_norm(x, "1").item<float>(), 4);
  EXPECT_EQ(matrix_norm(x, "inf").item<float>(), 7);
  EXPECT_EQ(matrix_norm(x, "inf", {1, 0}).item<float>(), 4);
  EXPECT_EQ(matrix_norm(numbers({2, 3, 4}), "fro", {0, 2}, true).shape(), (Dims{1, 3, 1}));
  EXPECT_NEAR(cond(array({{1.0f, 0.0f}, {0.0f, 4.0f}})).item<float>(), 4, 1e-6);
}

}  // namespace
}  // namespace hearth
