// SPDX-License-Identifier: Apache-2.0
// Random index expressions: reading, updating, and both under jit, grad and vmap, against plain loops.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "array/indexing_definition_test.h"
#include "array/jit.h"
#include "array/recording.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

using Doubles = std::vector<double>;

Array total(const Array& x) {
  return record(
      [](const Value& v) {
        Dims axes(size_t(v.rank()));
        std::iota(axes.begin(), axes.end(), 0);
        return reduce_sum(v, axes);
      },
      x);
}

IndexList index_list(const IndexParts& parts) {
  IndexList list;
  for (const IndexPart& part : parts) list.push_back(index_of(part));
  return list;
}

// Integer arrays as arguments of the function that is traced, the rest of the index as it is.
Arrays traced_arguments(const Array& x, const IndexParts& parts) {
  Arrays in = {x};
  for (const IndexPart& part : parts)
    if (part.kind == IndexPart::integers) in.push_back(integers_of(part));
  return in;
}
IndexList index_list(const IndexParts& parts, const Arrays& in, size_t next) {
  IndexList list;
  for (const IndexPart& part : parts)
    list.push_back(part.kind == IndexPart::integers ? Index(in.at(next++)) : index_of(part));
  return list;
}

void expect_close(const Doubles& got, const Doubles& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    if (got[i] == wanted[i]) continue;  // infinite, too
    ASSERT_NEAR(got[i], wanted[i], 1e-12 * std::fabs(wanted[i])) << "element " << i;
  }
}

// One random index, what it means, and an array to use it on.
struct Case {
  explicit Case(uint32_t seed) : random(seed), shape(random.shape()), parts(random.parts(shape)) {
    meaning = indexed_places(shape, parts);
    x = numbers(num_elements(shape), 5);
  }
  Doubles numbers(int64_t count, int64_t most) {
    Doubles values;
    for (int64_t i = 0; i < count; ++i) values.push_back(double(1 + random.up_to(most - 1)));
    return values;
  }
  Array x_array() const { return array(x, shape); }
  // Of a shape that broadcasts to that of the result; `full`: each element of the result gets one.
  Array values(Doubles& full) {
    Dims dims(meaning.dims.begin() + random.up_to(int64_t(meaning.dims.size())), meaning.dims.end());
    for (int64_t& n : dims)
      if (random.up_to(2) == 0) n = 1;
    if (random.up_to(5) == 0 && dims.size() == meaning.dims.size()) dims.insert(dims.begin(), 2, 1);
    const Doubles own = numbers(num_elements(dims), 3);
    const Dims strides = row_major_strides(meaning.dims);
    for (int64_t e = 0; e < num_elements(meaning.dims); ++e) {
      Dims at(dims.size() > meaning.dims.size() ? dims.size() - meaning.dims.size() : 0, 0);
      for (size_t k = 0; k < strides.size(); ++k) at.push_back(e / strides[k] % meaning.dims[k]);
      full.push_back(own[size_t(detail::broadcast_place(dims, at))]);
    }
    return array(own, dims);
  }

  RandomIndex random;
  Dims shape;
  IndexParts parts;
  IndexedPlaces meaning;
  Doubles x;
};

TEST(RandomIndexing, reading) {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    Case c(seed);
    SCOPED_TRACE(cat("seed ", seed, " ", text_of(c.parts), " of ", ShowDims{c.shape}));
    Doubles wanted;
    for (const int64_t place : c.meaning.places) wanted.push_back(c.x[size_t(place)]);
    const Array y = IndexedArray(c.x_array(), index_list(c.parts)).get();
    ASSERT_EQ(y.shape(), c.meaning.dims);
    ASSERT_EQ(y.to_vector<double>(), wanted);
    if (seed % 4 != 0) continue;
    const ArrayFunction read = [&](const Arrays& in) -> Arrays {
      return {get_indexed(in[0], index_list(c.parts, in, 1))};
    };
    const Array traced = jit(read)(traced_arguments(c.x_array(), c.parts))[0];
    ASSERT_EQ(traced.shape(), c.meaning.dims);
    ASSERT_EQ(traced.to_vector<double>(), wanted);
    const Array filled = IndexedArray(c.x_array(), index_list(c.parts)).get({.mode = IndexMode::fill});
    ASSERT_EQ(filled.to_vector<double>(), wanted);  // everything lies inside
  }
}

double update(const std::string& op, double a, double b) {
  if (op == "add") return a + b;
  if (op == "subtract") return a - b;
  if (op == "multiply") return a * b;
  if (op == "divide") return a / b;
  if (op == "power") return std::pow(a, b);
  if (op == "min") return std::min(a, b);
  return op == "max" ? std::max(a, b) : b;
}
Array update(const std::string& op, const IndexedArray& at, const Array& v) {
  if (op == "add") return at.add(v);
  if (op == "subtract") return at.subtract(v);
  if (op == "multiply") return at.multiply(v);
  if (op == "divide") return at.divide(v);
  if (op == "power") return at.power(v);
  if (op == "min") return at.min(v);
  return op == "max" ? at.max(v) : at.set(v);
}
const std::vector<std::string>& updates() {
  static const std::vector<std::string> all = {"set", "add", "subtract", "multiply", "divide", "power", "min", "max"};
  return all;
}

TEST(RandomIndexing, updating) {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    Case c(seed);
    const std::string op = updates()[seed % 8];
    SCOPED_TRACE(cat("seed ", seed, " ", op, " ", text_of(c.parts), " of ", ShowDims{c.shape}));
    Doubles full, wanted = c.x;
    const Array v = c.values(full);
    for (size_t e = 0; e < full.size(); ++e) {
      double& place = wanted[size_t(c.meaning.places[e])];
      place = update(op, place, full[e]);
    }
    const Array y = update(op, IndexedArray(c.x_array(), index_list(c.parts)), v);
    ASSERT_EQ(y.shape(), c.shape);
    expect_close(y.to_vector<double>(), wanted);
    if (seed % 4 >= 2 || HasFatalFailure()) continue;
    Arrays in = traced_arguments(c.x_array(), c.parts);
    in.insert(in.begin() + 1, v);
    const ArrayFunction write = [&](const Arrays& a) -> Arrays {
      return {update(op, IndexedArray(a[0], index_list(c.parts, a, 2)), a[1])};
    };
    expect_close(jit(write)(in)[0].to_vector<double>(), wanted);
  }
}

// d/dx of sum w x[index] is w added up where it was read.
TEST(RandomIndexing, derivative_of_reading) {
  for (uint32_t seed = 0; seed < 600; ++seed) {
    Case c(seed);
    SCOPED_TRACE(cat("seed ", seed, " ", text_of(c.parts), " of ", ShowDims{c.shape}));
    const Doubles w = c.numbers(int64_t(c.meaning.places.size()), 9);
    Doubles wanted(c.x.size(), 0);
    for (size_t e = 0; e < w.size(); ++e) wanted[size_t(c.meaning.places[e])] += w[e];
    const Array weights = array(w, c.meaning.dims);
    const auto g =
        grad([&](const Array& x) { return total(get_indexed(x, index_list(c.parts)) * weights); })(c.x_array());
    ASSERT_EQ(g.to_vector<double>(), wanted);
  }
}

// By x and by the values, and of a derivative, against central differences.
TEST(RandomIndexing, derivatives_of_updating) {
  for (uint32_t seed = 0; seed < 240; ++seed) {
    Case c(seed);
    const std::string op = updates()[seed % 6];  // min and max have kinks
    SCOPED_TRACE(cat("seed ", seed, " ", op, " ", text_of(c.parts), " of ", ShowDims{c.shape}));
    Doubles full, weight;
    Array v = c.values(full);
    if (op == "power" && c.meaning.places.size() > 4) continue;  // powers of powers: the differences lose all digits
    v = v * 0.25 + 0.5;
    for (size_t i = 0; i < c.x.size(); ++i) weight.push_back(0.3 + double(i % 7) / 5);
    const Array w = array(weight, c.shape);
    const auto loss = [&](const Array& x, const Array& values) {
      const Array y = update(op, IndexedArray(x, index_list(c.parts)), values);
      return total(y * y * w);
    };
    const Arrays point = {c.x_array() * 0.25, v};
    const Arrays exact = grad(loss, {0, 1})(point[0], point[1]);
    for (size_t argument = 0; argument < 2; ++argument) {
      const Doubles at = point[argument].to_vector<double>(), slopes = exact[argument].to_vector<double>();
      for (size_t i = 0; i < at.size(); ++i) {
        const auto moved = [&](double by) {
          Doubles there = at;
          there[i] += by;
          Arrays in = point;
          in[argument] = array(there, point[argument].shape());
          return loss(in[0], in[1]).item<double>();
        };
        const double difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        ASSERT_NEAR(slopes[i], difference, 1e-6 * (1 + std::fabs(difference))) << "argument " << argument << " " << i;
      }
    }
  }
}

// A batch of x, index arrays and values gives what one after the other gives.
TEST(RandomIndexing, vmap) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    Case c(seed);
    const std::string op = updates()[seed % 8];
    SCOPED_TRACE(cat("seed ", seed, " ", op, " ", text_of(c.parts), " of ", ShowDims{c.shape}));
    Doubles full;
    const Array v = c.values(full);
    const ArrayFunction f = [&](const Arrays& in) -> Arrays {
      const IndexList index = index_list(c.parts, in, 2);
      return {get_indexed(in[0], index), update(op, IndexedArray(in[0], index), in[1])};
    };
    Arrays one = traced_arguments(c.x_array(), c.parts), other, both;
    one.insert(one.begin() + 1, v);
    for (size_t i = 0; i < one.size(); ++i) {  // i < 2: x and values; then indices, whose negation - 1 is inside, too
      other.push_back(i < 2 ? one[i] + 1 : -one[i] - 1);
      Dims dims = one[i].shape();
      dims.insert(dims.begin(), 2);
      Array pair = array(Doubles(size_t(num_elements(dims)), 0), dims);
      pair = pair.at(0).set(one[i]).at(1).set(other[i]);
      both.push_back(i < 2 ? pair : pair.astype(DType::i32));
    }
    const Arrays got = vmap(f)(both), first = f(one), second = f(other);
    for (size_t o = 0; o < 2; ++o) {
      expect_close(got[o](0).to_vector<double>(), first[o].to_vector<double>());
      expect_close(got[o](1).to_vector<double>(), second[o].to_vector<double>());
    }
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace hearth
