// SPDX-License-Identifier: Apache-2.0
// Random graphs as functions under transforms: values, derivatives of both directions, batches, batches of derivatives
// and second derivatives, compiled against the reference evaluator.
#include "compiler/random_function_test.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/transforms.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

constexpr int64_t kExamples = 3;

// --- the transforms -------------------------------------------------------------------------------------------------

// The sum of the floats among these, weighted so that no two elements count alike, in the widest of their dtypes.
Value weighted_sum(Graph& graph, const Values& values) {
  Value sum = constant(graph, 0, DType::f32);
  for (const Value& y : values) {
    if (!is_float(y.dtype()) || y.type().elements() == 0) continue;
    const DType t = y.dtype() == DType::f64 || sum.dtype() == DType::f64 ? DType::f64 : DType::f32;
    Doubles weights;
    for (int64_t i = 0; i < y.type().elements(); ++i) weights.push_back(random_unit(9, uint64_t(i)) + 0.5);
    const Value weighted = convert(y, t) * constant_list(graph, weights, t, y.dims());
    sum = convert(sum, t) + reduce_sum(reshape(weighted, {y.type().elements()}), {0});
  }
  return sum;
}

// Both of all arguments.
Function loss_of(const RandomFunction& f) {
  return [&f](const Values& in) -> Values { return {weighted_sum(graph_of(in), f(in))}; };
}
Function gradient_of_gradient(const RandomFunction& f) {
  const Function slope = [&f](const Values& in) -> Values {
    return {weighted_sum(graph_of(in), grad(loss_of(f), f.floats)(in))};
  };
  return grad(slope, f.floats);
}

Values floats_of(const RandomFunction& f, const Values& in) {
  Values all;
  for (const size_t i : f.floats) all.push_back(in[i]);
  return all;
}

// f of its float arguments alone, giving its float results alone.
Function of_floats(const RandomFunction& f, const Values& in) {
  return [&f, in](const Values& chosen) {
    Values all = in, out;
    for (size_t k = 0; k < chosen.size(); ++k) all[f.floats[k]] = chosen[k];
    for (const Value& y : f(all)) {
      if (is_float(y.dtype())) out.push_back(y);
    }
    return out;
  };
}

// Some of the arguments batched, of kExamples examples.
struct BatchedArguments {
  Values in;
  BatchAxes axes;
};
BatchedArguments batched_arguments(RandomProblem& p, const RandomFunction& f, uint64_t seed) {
  BatchedArguments all;
  for (size_t i = 0; i < f.inputs.size(); ++i) {
    const bool batched = i == 0 || (seed >> i) % 3 != 0;
    TensorType type = f.inputs[i].type;
    Doubles values;
    for (int64_t e = 0; e < (batched ? kExamples : 1); ++e) {
      const Doubles one = f.values(i, e);
      values.insert(values.end(), one.begin(), one.end());
    }
    if (batched) type.dims.insert(type.dims.begin(), kExamples);
    all.axes.push_back(batched ? std::optional<int64_t>(0) : std::nullopt);
    all.in.push_back(p.input(f.inputs[i].name, type, values));
  }
  return all;
}

// vmap(f) beside f of each example, all in one graph.
std::string check_batch(const RandomFunction& f, const Function& transformed, uint64_t seed) {
  RandomProblem p;
  const BatchedArguments batch = batched_arguments(p, f, seed);
  const Values together = vmap(transformed, batch.axes)(batch.in);
  p.outputs(together);
  for (int64_t e = 0; e < kExamples; ++e) {
    Values one = batch.in;
    for (size_t i = 0; i < one.size(); ++i) {
      if (batch.axes[i]) one[i] = reshape(slice_axis(one[i], 0, e, e + 1), f.inputs[i].type.dims);
    }
    p.outputs(transformed(one));
  }
  if (p.graph.outputs().empty()) return "";
  const RandomResults r = reference_results(p);
  for (size_t o = 0; o < together.size(); ++o) {
    const size_t size = r.reference[o].size() / size_t(kExamples);
    for (size_t i = 0; i < r.reference[o].size(); ++i) {
      const size_t alone = (i / size + 1) * together.size() + o;
      const double got = r.reference[o][i], wanted = r.reference[alone][i % size];
      if (overflows(together[o].dtype(), wanted, r.wide[o][i])) continue;
      if (!alike(got, wanted, std::max(r.tolerance[o], r.tolerance[alone])))
        return cat("output ", o, " of example ", i / size, ", element ", i % size, " is ", got, " in the batch, ",
                   wanted, " alone (may differ by ", r.tolerance[o], ")");
    }
  }
  return compare_devices(p, r);
}

double product(const Doubles& a, const Doubles& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// <u, J t> = <J^T u, t>, in f64.
std::string check_dot(const RandomFunction& f) {
  if (!f.reversible || f.float_outputs == 0 || f.floats.empty()) return "";
  RandomProblem p;
  const Values in = p.arguments(f), wrt = floats_of(f, in);
  const size_t first_t = p.numbers.size();
  const Values t = p.directions("t", wrt);
  const Jvp ahead = jvp(of_floats(f, in), wrt, t);
  const size_t first_u = p.numbers.size();
  const Values u = p.directions("u", ahead.outputs);
  p.outputs(ahead.tangents);
  p.outputs(vjp(of_floats(f, in), wrt).pull_back(u));
  const std::shared_ptr<Graph> wide = widened(p.graph);
  const std::vector<Doubles> results = RandomEvaluator(*wide, kReferenceOnly)(p.numbers);
  double forward = 0, reverse = 0, scale = 1;
  for (size_t o = 0; o < results.size(); ++o) {
    const bool is_tangent = o < u.size();
    const double part = product(results[o], p.numbers[is_tangent ? first_u + o : first_t + o - u.size()]);
    (is_tangent ? forward : reverse) += part;
    scale = std::max({scale, std::fabs(part), std::sqrt(product(results[o], results[o]))});
  }
  if (!std::isfinite(forward) || !std::isfinite(reverse) || std::fabs(forward - reverse) <= 1e-9 * scale) return "";
  return cat("<u, J t> = ", forward, " by forward derivatives, ", reverse, " by reverse ones (scale ", scale, ")");
}

// The derivative along a direction against a central difference, in f64. Arguments that are whole numbers stay: they
// may sit on an edge.
std::string check_difference(const RandomFunction& f) {
  if (f.float_outputs == 0 || f.floats.empty()) return "";
  RandomProblem p;
  const Values in = p.arguments(f), wrt = floats_of(f, in);
  const size_t first_t = p.numbers.size();
  const Values t = p.directions("t", wrt);
  for (size_t k = 0; k < wrt.size(); ++k) {
    if (f.is_whole(f.floats[k])) std::fill(p.numbers[first_t + k].begin(), p.numbers[first_t + k].end(), 0);
  }
  const Function loss = [&](const Values& chosen) {
    Values all = in;
    for (size_t k = 0; k < chosen.size(); ++k) all[f.floats[k]] = chosen[k];
    return loss_of(f)(all);
  };
  const Jvp ahead = jvp(loss, wrt, t);
  p.outputs({ahead.outputs[0], ahead.tangents[0]});
  const std::shared_ptr<Graph> wide = widened(p.graph);
  const RandomEvaluator evaluate(*wide, kReferenceOnly);
  const auto moved = [&](double h) {
    std::vector<Doubles> numbers = p.numbers;
    for (size_t k = 0; k < f.floats.size(); ++k) {
      for (size_t i = 0; i < numbers[f.floats[k]].size(); ++i) numbers[f.floats[k]][i] += h * p.numbers[first_t + k][i];
    }
    return evaluate(numbers);
  };
  const auto slope = [&](double h) { return (moved(h)[0][0] - moved(-h)[0][0]) / (2 * h); };
  const std::vector<Doubles> here = moved(0);
  const double h = 1e-5, wanted = slope(h), coarse = slope(2 * h);
  // Error of the difference: rounding, and a third of what doubling h does, of the numbers' order h^2.
  const double tolerance = 1e-13 * std::max(1.0, std::fabs(here[0][0])) / h + 2 * std::fabs(coarse - wanted) +
                           1e-7 * std::max(1.0, std::fabs(wanted));
  if (alike(here[1][0], wanted, tolerance)) return "";
  return cat("the derivative along a direction is ", here[1][0], ", a central difference gives ", wanted, ", with 2h ",
             coarse);
}

// --- all of one seed ------------------------------------------------------------------------------------------------

struct Check {
  const char* name;
  bool reverse;  // needs reverse derivatives
  std::string (*failure)(const RandomFunction& f, uint64_t seed);
};

std::string transformed_on_devices(const RandomFunction& f, const Function& transformed) {
  RandomProblem p;
  p.outputs(transformed(p.arguments(f)));
  return compare_devices(p);
}

const Check kChecks[] = {
    {"jvp", false,
     [](const RandomFunction& f, uint64_t) {
       RandomProblem p;
       const Values in = p.arguments(f), wrt = floats_of(f, in);
       if (f.float_outputs == 0 || wrt.empty()) return std::string();
       const Jvp ahead = jvp(of_floats(f, in), wrt, p.directions("t", wrt));
       p.outputs(ahead.outputs);
       p.outputs(ahead.tangents);
       return compare_devices(p);
     }},
    {"vmap", false, [](const RandomFunction& f, uint64_t seed) { return check_batch(f, std::cref(f), seed); }},
    {"grad", true,
     [](const RandomFunction& f, uint64_t) { return transformed_on_devices(f, value_and_grad(loss_of(f), f.floats)); }},
    {"vmap of grad", true,
     [](const RandomFunction& f, uint64_t seed) { return check_batch(f, grad(loss_of(f), f.floats), seed); }},
    {"grad of grad", true,
     [](const RandomFunction& f, uint64_t) { return transformed_on_devices(f, gradient_of_gradient(f)); }},
    {"jvp against vjp", true, [](const RandomFunction& f, uint64_t) { return check_dot(f); }},
    {"jvp against differences", false, [](const RandomFunction& f, uint64_t) { return check_difference(f); }},
};

RandomStyle style_of(uint64_t seed) {
  RandomStyle style{.real_inputs = true, .most_elements = 200};
  switch (seed % 4) {
    case 0: style.floats = {DType::f64}; break;
    case 1: style.floats = {DType::f32}; break;
    case 2: style.floats = {DType::bf16, DType::f32}; break;
    default: style.floats = {DType::f32, DType::f16, DType::f64, DType::bf16}; break;
  }
  return style;
}

std::string failure_of(uint64_t seed, const Recipe& recipe, bool all) {
  const char* stage = "building it";
  try {
    const RandomFunction f(recipe, style_of(seed));
    if (f.inputs.empty()) return "";
    for (size_t k = 0; k < std::size(kChecks); ++k) {
      stage = kChecks[k].name;
      if (!all && (seed / 4 + k) % std::size(kChecks) >= 2) continue;
      if (kChecks[k].reverse && (!f.reversible || f.floats.empty() || f.float_outputs == 0)) continue;
      const std::string failure = kChecks[k].failure(f, seed);
      if (!failure.empty()) return cat(stage, ": ", failure);
    }
    return "";
  } catch (const std::exception& error) {
    return cat(stage, ": ", error.what());
  }
}

std::string shown(uint64_t seed, const Recipe& recipe) {
  const RandomFunction f(recipe, style_of(seed));
  if (f.inputs.empty()) return "";
  RandomProblem p;
  p.outputs(f(p.arguments(f)));
  return live_text(p.graph);
}

// Two of the checks for each seed; all of them for seeds that HEARTH_RANDOM_GRAPHS names.
TEST(RandomFunctions, transformed_and_compiled_equal_the_reference) {
  const auto [first, count] = random_seeds(2500);
  const bool all = std::getenv("HEARTH_RANDOM_GRAPHS") != nullptr;
  int failures = 0, reversible = 0;
  for (uint64_t seed = first; seed < first + count && failures < 5; ++seed) {
    const Recipe recipe = random_recipe(seed + (uint64_t{1} << 40), 8 + int(seed % 20));
    const std::string failure = failure_of(seed, recipe, all);
    reversible += RandomFunction(recipe, style_of(seed)).reversible;
    if (failure.empty()) continue;
    ++failures;
    const auto same_stage = [&](const Recipe& part) {
      const std::string text = failure_of(seed, part, all);
      return text.substr(0, text.find(':')) == failure.substr(0, failure.find(':')) ? text : "";
    };
    ADD_FAILURE() << "random function " << seed << " (HEARTH_RANDOM_GRAPHS=" << seed << " runs it alone):\n"
                  << shrunk_failure(recipe, same_stage, [&](const Recipe& part) { return shown(seed, part); });
  }
  std::printf("%llu functions, %d of them with reverse derivatives\n", static_cast<unsigned long long>(count),
              reversible);
  if (count >= 100) {
    EXPECT_GT(reversible * 10, int(count) * 8);
  }
}

}  // namespace
}  // namespace hearth
