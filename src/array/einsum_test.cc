// SPDX-License-Identifier: Apache-2.0
#include "array/einsum.h"

#include <gtest/gtest.h>

#include "array/numbers_test.h"
#include "array/statistics.h"
#include "base/error.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;

// The definition: loops over all labels. Shapes and labels of operands without ellipses.
Floats by_loops(const std::vector<std::string>& terms, const std::string& out, const Arrays& in) {
  std::string labels = out;
  for (const std::string& term : terms)
    for (const char c : term)
      if (labels.find(c) == std::string::npos) labels += c;
  Dims sizes(labels.size(), 1), out_dims;
  for (size_t k = 0; k < in.size(); ++k)
    for (size_t i = 0; i < terms[k].size(); ++i) {
      int64_t& size = sizes[labels.find(terms[k][i])];
      size = size == 1 ? in[k].dim(int64_t(i)) : size;
    }
  for (size_t i = 0; i < out.size(); ++i) out_dims.push_back(sizes[i]);
  std::vector<Floats> values;
  for (const Array& x : in) values.push_back(x.to_vector<float>());
  Floats sums(size_t(num_elements(out_dims)), 0.0f);
  for (int64_t n = 0; n < num_elements(sizes); ++n) {
    Dims at(sizes.size());
    for (size_t i = sizes.size(), rest = size_t(n); i-- > 0; rest /= size_t(sizes[i])) at[i] = int64_t(rest) % sizes[i];
    float term = 1;
    for (size_t k = 0; k < in.size(); ++k) {
      int64_t flat = 0;
      for (size_t i = 0; i < terms[k].size(); ++i) {
        const int64_t d = in[k].dim(int64_t(i));
        flat = flat * d + (d == 1 ? 0 : at[labels.find(terms[k][i])]);
      }
      term *= values[k][size_t(flat)];
    }
    int64_t flat = 0;
    for (size_t i = 0; i < out.size(); ++i) flat = flat * out_dims[i] + at[i];
    sums[size_t(flat)] += term;
  }
  return sums;
}

void expect_loops(const std::vector<std::string>& terms, const std::string& out, const std::vector<Dims>& shapes) {
  std::string text;
  Arrays in;
  for (size_t i = 0; i < terms.size(); ++i) {
    text += (i ? "," : "") + terms[i];
    in.push_back(numbers(shapes[i]));
  }
  EXPECT_EQ(einsum(text + "->" + out, in).to_vector<float>(), by_loops(terms, out, in)) << text << "->" << out;
}

TEST(Einsum, is_its_definition) {
  expect_loops({"ij", "jk"}, "ik", {{3, 4}, {4, 5}});
  expect_loops({"ij", "jk"}, "ki", {{3, 4}, {4, 5}});
  expect_loops({"ij", "kj"}, "", {{3, 4}, {5, 4}});
  expect_loops({"bij", "bjk"}, "bik", {{2, 3, 4}, {2, 4, 5}});
  expect_loops({"ibj", "jkb"}, "kbi", {{3, 2, 4}, {4, 5, 2}});
  expect_loops({"ij"}, "ji", {{3, 4}});
  expect_loops({"ijk"}, "j", {{3, 4, 2}});
  expect_loops({"i", "j"}, "ij", {{3}, {4}});
  expect_loops({"ij", "ij"}, "ij", {{3, 4}, {3, 4}});
  expect_loops({"ij", ""}, "ij", {{3, 4}, {}});
  expect_loops({"ijkl", "kmln", "pn"}, "ipjm", {{2, 3, 2, 3}, {2, 4, 3, 2}, {5, 2}});
  expect_loops({"ab", "bc", "cd", "de", "ef", "fg"}, "ga", {{2, 3}, {3, 2}, {2, 4}, {4, 2}, {2, 3}, {3, 2}});
}

TEST(Einsum, repeated_letters_are_diagonals) {
  expect_loops({"ii"}, "i", {{4, 4}});
  expect_loops({"ii"}, "", {{4, 4}});
  expect_loops({"iji"}, "ji", {{3, 2, 3}});
  expect_loops({"iii"}, "i", {{3, 3, 3}});
  expect_loops({"iijj"}, "ij", {{3, 3, 2, 2}});
  expect_loops({"ii", "ij"}, "j", {{3, 3}, {3, 2}});
}

TEST(Einsum, sizes_of_one_stretch) {
  expect_loops({"bij", "bjk"}, "bik", {{1, 3, 4}, {2, 4, 5}});
  expect_loops({"ij", "jk"}, "ik", {{3, 1}, {4, 5}});
  expect_loops({"ij", "ij"}, "ij", {{3, 1}, {1, 4}});
  expect_loops({"ij", "jk"}, "ik", {{3, 1}, {1, 5}});  // K = 1
}

TEST(Einsum, broadcast_batch_axes) {
  const Array a = numbers({2, 1, 3, 4}), b = numbers({5, 4, 2});
  const Array y = einsum("...ij,...jk->...ik", {a, b});
  EXPECT_EQ(y.shape(), (Dims{2, 5, 3, 2}));
  EXPECT_EQ(y.to_vector<float>(), by_loops({"abij", "bjk"}, "abik", {a, b}));
  EXPECT_EQ(einsum("...ij,jk", {a, numbers({4, 2})}).shape(), (Dims{2, 1, 3, 2}));
  EXPECT_EQ(einsum("i...->...", {numbers({3, 4})}).to_vector<float>(), by_loops({"ij"}, "j", {numbers({3, 4})}));
  EXPECT_EQ(einsum("...,...", {numbers({3}), numbers({2, 3})}).shape(), (Dims{2, 3}));
  EXPECT_EQ(einsum("...i->i...", {numbers({2, 3, 4})}).shape(), (Dims{4, 2, 3}));
}

TEST(Einsum, implicit_results_are_alphabetical) {
  EXPECT_EQ(einsum("ba", {numbers({2, 3})}).shape(), (Dims{3, 2}));
  EXPECT_EQ(einsum("ij,jh", {numbers({2, 3}), numbers({3, 4})}).shape(), (Dims{4, 2}));
  EXPECT_EQ(einsum("ii", {numbers({3, 3})}).shape(), (Dims{}));
  EXPECT_EQ(einsum(" i , i ", {numbers({3}), numbers({3})}).shape(), (Dims{}));
  EXPECT_EQ(einsum("bB", {numbers({2, 3})}).shape(), (Dims{3, 2}));  // B before b
}

TEST(Einsum, of_nothing) {
  EXPECT_EQ(einsum("ij,jk->ik", {numbers({2, 0}), numbers({0, 3})}).to_vector<float>(), Floats(6, 0.0f));
  EXPECT_EQ(einsum("ij,jk->ik", {numbers({0, 2}), numbers({2, 3})}).shape(), (Dims{0, 3}));
  EXPECT_EQ(einsum("i->", {numbers({0})}).item<float>(), 0.0f);
  EXPECT_EQ(einsum("ij,jk->ik", {numbers({2, 0}), numbers({1, 3})}).to_vector<float>(), Floats(6, 0.0f));
  EXPECT_EQ(einsum(",->", {Array(2.0f), array({3.0f}).reshape({})}).item<float>(), 6.0f);
}

TEST(Einsum, of_integers_and_bool) {
  const Array i = array({{1, 2}, {3, 4}});
  EXPECT_EQ(einsum("ij,jk", {i, i}).dtype(), DType::i32);
  EXPECT_EQ(einsum("ij,jk", {i, i}).to_vector<int>(), (std::vector<int>{7, 10, 15, 22}));
  const Array t = array({{true, false}, {true, true}});
  EXPECT_EQ(einsum("ij,jk", {t, t}).to_vector<bool>(), (std::vector<bool>{true, false, true, true}));
}

TEST(Einsum, takes_the_cheapest_order) {
  // (ab)(bc) first costs 2*100*3, the other way 100*3*1000.
  const Arrays in = {numbers({2, 100}), numbers({100, 3}), numbers({3, 1000})};
  EXPECT_EQ(einsum_path("ab,bc,cd->ad", in), (std::vector<std::pair<int64_t, int64_t>>{{0, 1}, {0, 1}}));
  EXPECT_EQ(einsum_path("ab,bc,cd->ad", {numbers({1000, 100}), numbers({100, 3}), numbers({3, 2})}),
            (std::vector<std::pair<int64_t, int64_t>>{{1, 2}, {0, 1}}));
  const Arrays many(6, numbers({2, 2}));
  EXPECT_EQ(einsum_path("ab,bc,cd,de,ef,fg", many).size(), 5u);
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

TEST(Einsum, says_what_does_not_fit) {
  const Array a = numbers({3, 4}), b = numbers({5, 2});
  EXPECT_EQ(error_text([&] {
              einsum("ij,jk->ik", {a, b});
            }),
            "einsum: sizes of 'j' differ: 4 != 5\n  equation is 'ij,jk->ik'\n  operand 1 is [5,2]");
  EXPECT_EQ(error_text([&] { einsum("ijk->i", {a}); }),
            "einsum: term 'ijk' of 'ijk->i' does not fit operand 0, which is [3,4]");
  EXPECT_EQ(error_text([&] { einsum("ij->k", {a}); }),
            "einsum: cannot read 'ij->k': 'k' of the result is in no operand");
  EXPECT_EQ(error_text([&] { einsum("ij->ii", {a}); }), "einsum: cannot read 'ij->ii': 'i' is twice in the result");
  EXPECT_EQ(error_text([&] { einsum("i.j", {a}); }),
            "einsum: cannot read 'i.j': an ellipsis is three dots, once in a term");
  EXPECT_EQ(error_text([&] { einsum("i1", {a}); }), "einsum: cannot read 'i1': '1' is no letter");
  EXPECT_EQ(error_text([&] { einsum("ij,jk", {a}); }), "einsum: 'ij,jk' names 2 operands, given 1");
  EXPECT_EQ(error_text([&] { einsum("", {}); }), "einsum: needs at least one operand");
}

}  // namespace
}  // namespace hearth
