// SPDX-License-Identifier: Apache-2.0
#include "ops/op_test.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "ir/op.h"
#include "ops/op_row_test.h"
#include "ops/shape/shape.h"

namespace hearth {

double epsilon(DType dtype) {
  switch (dtype) {
    case DType::f64: return 0x1p-52;
    case DType::f32: return 0x1p-23;
    case DType::f16: return 0x1p-10;
    case DType::bf16: return 0x1p-7;
    default: return 0;
  }
}

double rounded(DType dtype, double x) { return to_doubles(dtype, to_bytes(dtype, {x}))[0]; }

double random_unit(uint64_t seed, uint64_t index) {  // splitmix64
  uint64_t z = seed * 0x9e3779b97f4a7c15u + (index + 1) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return double((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static std::vector<OpTests>& registered() {
  static std::vector<OpTests> all;
  return all;
}
bool register_op_tests(OpTests rows) {
  registered().push_back(rows);
  return true;
}
const std::vector<OpTests>& all_op_tests() { return registered(); }

static uint64_t seed_of(const std::string& text) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ uint8_t(c)) * 1099511628211u;
  return hash;
}

std::vector<Reals> Row::inputs(DType row_dtype, uint64_t example) const {
  std::vector<Reals> all;
  for (size_t i = 0; i < one.in.size(); ++i) {
    const TestInput& in = one.in[i];
    const DType dtype = dtype_of(i, row_dtype);
    Reals x(in.dims);
    for (size_t e = 0; e < x.at.size(); ++e) {
      const double u = in.low + (in.high - in.low) * random_unit(seed_of(name()) + i + 1000 * example, e);
      x.at[e] = !in.values.empty() ? in.values[(e + example) % in.values.size()] : is_float(dtype) ? u : std::floor(u);
      if (is_float(dtype)) x.at[e] = rounded(dtype, x.at[e]);
      if (dtype == DType::boolean) x.at[e] = std::fmod(x.at[e], 2) != 0;  // no other byte is a bool
    }
    all.push_back(std::move(x));
  }
  return all;
}

double difference(double got, double wanted) {
  if (std::isnan(wanted) || std::isnan(got)) return std::isnan(wanted) && std::isnan(got) ? 0 : INFINITY;
  return got == wanted ? 0 : std::fabs(got - wanted);
}

namespace {

const CompileOptions kBoth = {};
constexpr size_t kSampledElements = 24;  // of each input that central differences look at

// x as a transposed slice with steps of a larger tensor, whose other elements are NaN or a large number.
struct Strided {
  Dims dims;
  std::vector<double> values;
};
Strided enlarged(const Reals& x, DType dtype) {
  Strided big;
  for (size_t axis = x.dims.size(); axis-- > 0;) big.dims.push_back(2 * x.dims[axis] + 1);
  big.values.assign(size_t(num_elements(big.dims)), is_float(dtype) ? std::nan("") : dtype == DType::boolean ? 1 : 77);
  for_each_index(x.dims, [&](const Dims& index, int64_t i) {
    Dims at;
    for (size_t axis = index.size(); axis-- > 0;) at.push_back(2 * index[axis] + 1);
    big.values[size_t(reference::position(at, big.dims))] = x[i];
  });
  return big;
}
Value shrunk(const Value& big) {
  Dims start(size_t(big.rank()), 1), limit = big.dims(), order(size_t(big.rank()));
  std::iota(order.rbegin(), order.rend(), 0);
  return transpose(slice(big, start, limit, Dims(start.size(), 2)), order);
}

bool has_op(const Graph& graph, const std::string& op) {
  for (int32_t id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op->name == op) return true;
  }
  return false;
}

// Largest error relative to max(1, |wanted|).
double check_values(const Row& row, DType dtype, const CompileOptions& options, bool strided) {
  const std::string where = cat(row.name(), " ", dtype, " on ", options.devices[0], strided ? ", strided inputs" : "");
  Graph graph;
  std::vector<Value> values;
  std::vector<Bytes> bytes;
  const std::vector<Reals> inputs = row.inputs(dtype);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const DType type = row.dtype_of(i, dtype);
    const std::string name = "x" + std::to_string(i);
    if (strided) {
      const Strided big = enlarged(inputs[i], type);
      values.push_back(shrunk(graph.input(name, {type, big.dims})));
      bytes.push_back(to_bytes(type, big.values));
    } else {
      values.push_back(graph.input(name, {type, inputs[i].dims}));
      bytes.push_back(to_bytes(type, inputs[i].at));
    }
  }
  const std::vector<Value> outputs = row.test.build(graph, values);
  EXPECT_TRUE(has_op(graph, row.test.op)) << where << ": the row does not build its operation";
  for (size_t o = 0; o < outputs.size(); ++o) graph.output("y" + std::to_string(o), outputs[o]);
  const std::vector<Bytes> results = run_graph(graph, bytes, options);
  const std::vector<Reals> wanted = row.test.definition(inputs);
  EXPECT_EQ(results.size(), wanted.size()) << where;
  double worst = 0;
  for (size_t o = 0; o < std::min(results.size(), wanted.size()); ++o) {
    EXPECT_EQ(outputs[o].dims(), wanted[o].dims) << where << ", output " << o;
    const DType out = outputs[o].dtype();
    const std::vector<double> got = to_doubles(out, results[o]);
    const double tolerance =
        is_float(out) ? row.test.c * std::max(epsilon(out), epsilon(dtype)) * std::sqrt(std::max(1.0, row.one.terms))
                      : 0;
    int shown = 0;
    for (size_t e = 0; e < std::min(got.size(), wanted[o].at.size()); ++e) {
      const double want = is_float(out) ? rounded(out, wanted[o].at[e]) : wanted[o].at[e];
      const double error = difference(got[e], want) / std::max(1.0, std::isfinite(want) ? std::fabs(want) : 1.0);
      worst = std::max(worst, error);
      if (!(error <= tolerance) && ++shown <= 3) {
        ADD_FAILURE() << where << ": output " << o << " element " << e << " is " << got[e] << " instead of " << want
                      << ", error " << error << " > " << tolerance << "\n"
                      << to_text(graph);
      }
    }
  }
  return worst;
}

// Derivatives of sum(u * outputs) by each input of the row's dtype.
struct Derivatives {
  std::vector<Reals> u;      // per output; empty for those that are no floats
  std::vector<Reals> grads;  // per input; empty where there is none
};

Derivatives derivatives(const Row& row, DType dtype, const std::vector<Reals>& inputs, const CompileOptions& options) {
  Derivatives result;
  Graph graph;
  std::vector<Value> values, wrt, differentiated, cotangents;
  std::vector<Bytes> bytes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const DType type = row.dtype_of(i, dtype);
    values.push_back(graph.input("x" + std::to_string(i), {type, inputs[i].dims}));
    bytes.push_back(to_bytes(type, inputs[i].at));
    if (row.differentiable(i)) wrt.push_back(values.back());
  }
  const std::vector<Value> outputs = row.test.build(graph, values);
  for (size_t o = 0; o < outputs.size(); ++o) {
    result.u.emplace_back(outputs[o].dims());
    if (!is_float(outputs[o].dtype())) continue;
    for (size_t e = 0; e < result.u[o].at.size(); ++e)
      result.u[o].at[e] = rounded(DType::bf16, random_unit(99 + o, e) * 2 - 1);
    differentiated.push_back(outputs[o]);
    cotangents.push_back(graph.input("u" + std::to_string(o), outputs[o].type()));
    bytes.push_back(to_bytes(outputs[o].dtype(), result.u[o].at));
  }
  const std::vector<Value> grads = vjp(differentiated, cotangents, wrt);
  for (size_t i = 0; i < grads.size(); ++i) graph.output("d" + std::to_string(i), grads[i]);
  const std::vector<Bytes> results = run_graph(graph, bytes, options);
  for (size_t i = 0, next = 0; i < inputs.size(); ++i) {
    result.grads.emplace_back(inputs[i].dims);
    if (row.differentiable(i)) result.grads[i].at = to_doubles(dtype, results[next++]);
  }
  return result;
}

double largest(const Reals& x) {
  double most = 1;
  for (const double v : x.at) most = std::max(most, std::fabs(v));
  return most;
}

double weighted_sum(const std::vector<Reals>& outputs, const std::vector<Reals>& u) {
  double sum = 0;
  for (size_t o = 0; o < outputs.size(); ++o) {
    for (size_t e = 0; e < outputs[o].at.size(); ++e) sum += u[o].at[e] == 0 ? 0 : outputs[o].at[e] * u[o].at[e];
  }
  return sum;
}

// Largest difference to central differences of the definition, relative to the largest derivative.
double check_differences(const Row& row, const std::vector<Reals>& inputs, const Derivatives& exact) {
  double worst = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!row.differentiable(i)) continue;
    const double scale = largest(exact.grads[i]);
    const size_t count = inputs[i].at.size(), step = std::max<size_t>(1, count / kSampledElements);
    for (size_t e = 0; e < count; e += step) {
      std::vector<Reals> moved = inputs;
      const double x = inputs[i].at[e], h = 1e-5 * std::max(1.0, std::fabs(x));
      moved[i].at[e] = x + h;
      const double above = weighted_sum(row.test.definition(moved), exact.u);
      moved[i].at[e] = x - h;
      const double below = weighted_sum(row.test.definition(moved), exact.u);
      const double wanted = (above - below) / (2 * h), error = difference(exact.grads[i].at[e], wanted) / scale;
      worst = std::max(worst, error);
      EXPECT_LE(error, 1e-6) << row.name() << ": derivative by input " << i << " element " << e << " is "
                             << exact.grads[i].at[e] << ", central differences give " << wanted;
    }
  }
  return worst;
}

void check_cpu_derivatives(const Row& row, DType dtype, const std::vector<Reals>& inputs, const Derivatives& exact) {
  const Derivatives cpu = derivatives(row, dtype, inputs, kBoth);
  const double tolerance = row.test.grad_c * epsilon(dtype) * std::sqrt(std::max(1.0, row.one.terms));
  for (size_t i = 0; i < inputs.size(); ++i) {
    const double scale = largest(exact.grads[i]);
    int shown = 0;
    for (size_t e = 0; e < inputs[i].at.size(); ++e) {
      const double error = difference(cpu.grads[i].at[e], exact.grads[i].at[e]) / scale;
      if (!(error <= tolerance) && ++shown <= 3) {
        ADD_FAILURE() << row.name() << ": " << dtype << " derivative by input " << i << " element " << e << " is "
                      << cpu.grads[i].at[e] << " on the cpu, " << exact.grads[i].at[e] << " in f64: error " << error
                      << " > " << tolerance;
      }
    }
  }
}

int failures() { return testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count(); }

void run_row(const Row& row) {
  const int failures_before = failures();
  double value = 0;
  const std::vector<DType>& dtypes = row.test.dtypes;
  for (const DType dtype : dtypes) {
    value = std::max(value, check_values(row, dtype, kBoth, false) / (is_float(dtype) ? epsilon(dtype) / 0x1p-23 : 1));
    check_values(row, dtype, kReferenceOnly, false);
  }
  check_values(row, dtypes.front(), kBoth, true);
  check_values(row, dtypes.front(), kReferenceOnly, true);
  const bool floats = is_float(dtypes.front());
  if (floats) check_values(row, DType::f64, kReferenceOnly, false);
  std::string line = cat("ok ", row.name());
  char number[64];
  std::snprintf(number, sizeof number, " value %.1e", value);
  line += number;
  if (floats && row.test.grad && row.one.grad) {
    for (const DType dtype : dtypes) {
      const std::vector<Reals> inputs = row.inputs(dtype);
      const Derivatives exact = derivatives(row, DType::f64, inputs, kReferenceOnly);
      check_cpu_derivatives(row, dtype, inputs, exact);
      if (dtype != dtypes.front()) continue;
      std::snprintf(number, sizeof number, " grad %.1e", check_differences(row, inputs, exact));
      line += number;
    }
  }
  check_transforms(row, floats && row.test.grad && row.one.grad);
  if (failures() == failures_before) std::printf("%s\n", line.c_str());
}

}  // namespace

void run_op_tests(const std::vector<OpTest>& tests) {
  for (const OpTest& test : tests) {
    for (const OpCase& one : test.cases) {
      const Row row{test, one};
      try {
        run_row(row);
      } catch (const std::exception& error) {
        ADD_FAILURE() << row.name() << ": " << error.what();
      }
    }
  }
}

}  // namespace hearth
