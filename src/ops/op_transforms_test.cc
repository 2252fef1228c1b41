// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/error.h"
#include "ops/op_row_test.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

constexpr int64_t kExamples = 3;
constexpr int64_t kMostElements = 3000;  // of all inputs of a case: larger ones prove no more here

int64_t elements(const Row& row) {
  int64_t sum = 0;
  for (const TestInput& in : row.one.in) sum += num_elements(in.dims);
  return sum;
}

DType dtype_for(const Row& row) { return is_float(row.test.dtypes.front()) ? DType::f64 : row.test.dtypes.front(); }

Value example_of(const Value& x, int64_t e) {
  return reshape(slice_axis(x, 0, e, e + 1), Dims(x.dims().begin() + 1, x.dims().end()));
}

// Outputs of the batched function, then those of each example, in one graph.
void check_batch(const Row& row, const std::vector<bool>& batched, const char* which) {
  const DType dtype = dtype_for(row);
  Graph graph;
  std::vector<Value> in;
  std::vector<Bytes> bytes;
  BatchAxes axes;
  for (size_t i = 0; i < batched.size(); ++i) {
    Dims dims = row.one.in[i].dims;
    std::vector<double> values;
    for (int64_t e = 0; e < (batched[i] ? kExamples : 1); ++e) {
      const Reals x = row.inputs(dtype, uint64_t(e))[i];
      values.insert(values.end(), x.at.begin(), x.at.end());
    }
    if (batched[i]) dims.insert(dims.begin(), kExamples);
    axes.push_back(batched[i] ? std::optional<int64_t>(0) : std::nullopt);
    in.push_back(graph.input("x" + std::to_string(i), {row.dtype_of(i, dtype), dims}));
    bytes.push_back(to_bytes(row.dtype_of(i, dtype), values));
  }
  const Function f = [&](const std::vector<Value>& x) { return row.test.build(*x[0].graph, x); };
  const std::vector<Value> together = vmap(f, axes)(in);
  std::vector<Value> all = together;
  for (int64_t e = 0; e < kExamples; ++e) {
    std::vector<Value> one = in;
    for (size_t i = 0; i < in.size(); ++i) {
      if (batched[i]) one[i] = example_of(in[i], e);
    }
    for (const Value& out : f(one)) all.push_back(out);
  }
  for (size_t o = 0; o < all.size(); ++o) graph.output("y" + std::to_string(o), all[o]);
  const std::vector<Bytes> results = run_graph(graph, bytes, kReferenceOnly);
  for (size_t o = 0; o < together.size(); ++o) {
    std::vector<double> wanted;
    for (size_t e = 1; e <= size_t(kExamples); ++e) {
      const std::vector<double> one = to_doubles(together[o].dtype(), results[e * together.size() + o]);
      wanted.insert(wanted.end(), one.begin(), one.end());
    }
    const std::vector<double> got = to_doubles(together[o].dtype(), results[o]);
    ASSERT_EQ(got.size(), wanted.size()) << row.name() << " vmap" << which << ", output " << o;
    const double tolerance = 64 * epsilon(together[o].dtype()) * std::sqrt(std::max(1.0, row.one.terms));
    for (size_t e = 0; e < got.size(); ++e) {
      const double scale = std::max(1.0, std::isfinite(wanted[e]) ? std::fabs(wanted[e]) : 1.0);
      ASSERT_LE(difference(got[e], wanted[e]) / scale, tolerance)
          << row.name() << " vmap" << which << ": output " << o << " element " << e << " is " << got[e]
          << ", one example alone gives " << wanted[e];
    }
  }
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

std::vector<double> random_values(int64_t count, uint64_t seed) {
  std::vector<double> values;
  for (int64_t e = 0; e < count; ++e) values.push_back(random_unit(seed, uint64_t(e)) * 2 - 1);
  return values;
}

void check_tangents(const Row& row) {
  Graph graph;
  std::vector<Value> in, wrt, tangents;
  std::vector<Bytes> bytes;
  std::vector<std::vector<double>> t, u;
  const auto add_input = [&](const std::string& name, const TensorType& type, const std::vector<double>& values) {
    bytes.push_back(to_bytes(type.dtype, values));
    return graph.input(name, type);
  };
  const std::vector<Reals> x = row.inputs(DType::f64);
  for (size_t i = 0; i < x.size(); ++i) {
    in.push_back(add_input("x" + std::to_string(i), {row.dtype_of(i, DType::f64), x[i].dims}, x[i].at));
    if (row.differentiable(i)) wrt.push_back(in.back());
  }
  for (size_t i = 0; i < wrt.size(); ++i) {
    t.push_back(random_values(wrt[i].type().elements(), 300 + i));
    tangents.push_back(add_input("t" + std::to_string(i), wrt[i].type(), t.back()));
  }
  const Function of_wrt = [&](const std::vector<Value>& chosen) {
    std::vector<Value> all = in;
    for (size_t i = 0, next = 0; i < in.size(); ++i) {
      if (row.differentiable(i)) all[i] = chosen[next++];
    }
    std::vector<Value> floats;
    for (const Value& out : row.test.build(graph, all)) {
      if (is_float(out.dtype())) floats.push_back(out);
    }
    return floats;
  };
  const Jvp forward = jvp(of_wrt, wrt, tangents);
  std::vector<Value> cotangents, outputs = forward.tangents;
  for (size_t o = 0; o < forward.outputs.size(); ++o) {
    u.push_back(random_values(forward.outputs[o].type().elements(), 400 + o));
    cotangents.push_back(add_input("u" + std::to_string(o), forward.outputs[o].type(), u.back()));
  }
  for (const Value& grad : vjp(of_wrt, wrt).pull_back(cotangents)) outputs.push_back(grad);
  for (size_t o = 0; o < outputs.size(); ++o) graph.output("y" + std::to_string(o), outputs[o]);
  const std::vector<Bytes> results = run_graph(graph, bytes, kReferenceOnly);
  double ahead = 0, back = 0, scale = 1;
  for (size_t o = 0; o < outputs.size(); ++o) {
    const std::vector<double> value = to_doubles(outputs[o].dtype(), results[o]);
    const double part = product(value, o < u.size() ? u[o] : t[o - u.size()]);
    (o < u.size() ? ahead : back) += part;
    scale = std::max({scale, std::fabs(part), std::sqrt(product(value, value))});
  }
  const bool all_f64 =
      std::all_of(outputs.begin(), outputs.end(), [](const Value& y) { return y.dtype() == DType::f64; });
  EXPECT_LE(difference(ahead, back) / scale, all_f64 ? 1e-10 : 1e-5)
      << row.name() << ": forward derivatives give <u, J t> = " << ahead << ", reverse ones <J^T u, t> = " << back;
}

}  // namespace

void check_transforms(const Row& row, bool with_tangents) {
  const size_t inputs = row.one.in.size();
  if (inputs == 0 || elements(row) > kMostElements || is_complex(row.test.dtypes.front())) return;
  std::vector<bool> all(inputs, true), first_only(inputs, false), all_but_first(inputs, true);
  first_only[0] = true;
  all_but_first[0] = false;
  check_batch(row, all, "");
  if (inputs > 1) {
    check_batch(row, first_only, " of the first input");
    check_batch(row, all_but_first, " of all inputs but the first");
  }
  if (with_tangents) check_tangents(row);
}

}  // namespace hearth
