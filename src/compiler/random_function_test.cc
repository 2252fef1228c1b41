// SPDX-License-Identifier: Apache-2.0
// Random graphs as functions under transforms: values, derivatives of both directions, batches, batches of derivatives
// and second derivatives, compiled against the reference evaluator. How far two right evaluations may differ is
// measured: by how much the reference's result differs from the one of the same graph in f64.
#include <gtest/gtest.h>

#include <cmath>

#include "array/transforms.h"
#include "base/error.h"
#include "compiler/random_function_widen_test.h"
#include "compiler/random_graph_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/op_row_test.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

constexpr int64_t kExamples = 3;
constexpr double kSlack = 16;         // times the difference to f64
constexpr double kRoundings = 16;     // of the least precise dtype, of the largest number
constexpr double kOfDoubles = 1e-11;  // where all is f64, which measures no difference
constexpr double kSmallest = 0.01;    // numbers below are what large ones left

using Reals = std::vector<double>;

// The function that a recipe describes, and its arguments.
class RandomFunction {
 public:
  RandomFunction(const Recipe& recipe, RandomStyle style) : recipe_(recipe), style_(std::move(style)) {
    Graph graph;
    RandomBuild build{graph, style_};
    build_random(recipe_, build);
    inputs = build.inputs;
    reversible = build.reversible;
    for (const RandomBuild::Output& out : build.outputs) float_outputs += is_float(out.value.value.dtype());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (is_float(inputs[i].type.dtype)) floats.push_back(i);
    }
  }

  Values operator()(const Values& in) const {
    RandomBuild build{graph_of(in), style_, &in};
    build_random(recipe_, build);
    Values out;
    for (const RandomBuild::Output& output : build.outputs) out.push_back(output.value.value);
    return out;
  }

  bool is_whole(size_t i) const {
    const Reals& all = inputs[i].values;
    return std::all_of(all.begin(), all.end(), [](double x) { return x == std::floor(x); });
  }

  // Values of input i: its own, or in their place those of another example.
  Reals values(size_t i, int64_t example = 0) const {
    Reals all = inputs[i].values;
    if (example == 0 || all.empty()) return all;
    const size_t turn = size_t(example) % all.size();  // of integers: the same numbers elsewhere
    std::rotate(all.begin(), all.begin() + long(turn), all.end());
    if (!is_whole(i)) {
      for (size_t k = 0; k < all.size(); ++k)
        all[k] = rounded(inputs[i].type.dtype, random_unit(uint64_t(example) * 77 + i, k) * 4 - 2);
    }
    return all;
  }

  std::vector<RandomBuild::Input> inputs;
  std::vector<size_t> floats;  // inputs with derivatives
  int float_outputs = 0;
  bool reversible = true;

 private:
  Recipe recipe_;
  RandomStyle style_;
};

// A graph of a transformed function, with the numbers of its inputs.
struct Problem {
  Graph graph;
  std::vector<Reals> numbers;

  Value input(const std::string& name, const TensorType& type, Reals values) {
    numbers.push_back(std::move(values));
    return graph.input(name, type);
  }
  Values arguments(const RandomFunction& f) {
    Values in;
    for (size_t i = 0; i < f.inputs.size(); ++i) in.push_back(input(f.inputs[i].name, f.inputs[i].type, f.values(i)));
    return in;
  }
  // One more input for each of these, of random numbers.
  Values directions(const std::string& name, const Values& like) {
    Values all;
    for (const Value& x : like) {
      Reals values;
      for (int64_t i = 0; i < x.type().elements(); ++i)
        values.push_back(rounded(x.dtype(), random_unit(numbers.size() + 500, uint64_t(i)) * 2 - 1));
      all.push_back(input(cat(name, all.size()), x.type(), values));
    }
    return all;
  }
  void outputs(const Values& values) {
    for (const Value& y : values) graph.output(cat("y", graph.outputs().size()), y);
  }
};

class Evaluator {
 public:
  Evaluator(const Graph& graph, const CompileOptions& options) : graph_(graph), plan_(compile(graph, options)) {}
  std::vector<Reals> operator()(const std::vector<Reals>& numbers) const {
    std::vector<Bytes> in;
    for (size_t i = 0; i < numbers.size(); ++i)
      in.push_back(to_bytes(graph_.node(graph_.inputs()[i].node).types[0].dtype, numbers[i]));
    const std::vector<Bytes> out = run_random_plan(plan_, in);
    std::vector<Reals> results;
    for (size_t o = 0; o < out.size(); ++o) results.push_back(to_doubles(graph_.outputs()[o].value.dtype(), out[o]));
    return results;
  }

 private:
  const Graph& graph_;
  const Plan plan_;
};

// Results of a problem on the reference, with what they may differ by.
struct Results {
  std::vector<Reals> reference, wide;
  Reals tolerance;  // per output
};

double largest_of(const Reals& values) {
  double most = 0;
  for (const double x : values) {
    if (std::isfinite(x)) most = std::max(most, std::fabs(x));
  }
  return most;
}

// The coarsest float on the way to each node.
Reals epsilons(const Graph& graph) {
  Reals all;
  for (int32_t id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    double eps = 0;
    for (const TensorType& type : node.types) eps = std::max(eps, epsilon(real_part(type.dtype)));
    for (const Value& in : node.inputs) eps = std::max(eps, all[size_t(in.node)]);
    for (const auto& body : node.bodies) {
      for (const double inside : epsilons(*body)) eps = std::max(eps, inside);
    }
    all.push_back(eps);
  }
  return all;
}

// Differences between two evaluations that the numbers allow, per output.
Reals tolerances(const Graph& graph, const std::vector<Reals>& reference, const std::vector<Reals>& wide) {
  const Reals eps = epsilons(graph);
  Reals all;
  for (size_t o = 0; o < wide.size(); ++o) {
    const Value& y = graph.outputs()[o].value;
    if (!is_inexact(y.dtype())) {
      all.push_back(0);
      continue;
    }
    double difference = 0;
    for (size_t i = 0; i < wide[o].size(); ++i) {
      const double d = std::fabs(reference[o][i] - wide[o][i]);
      if (std::isfinite(d)) difference = std::max(difference, d);
    }
    const double rounding = std::max(kOfDoubles, eps[size_t(y.node)]);
    all.push_back(kSlack * difference + kRoundings * rounding * std::max(kSmallest, largest_of(wide[o])));
  }
  return all;
}

bool alike(double a, double b, double tolerance) {
  return a == b || (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= tolerance;
}

// f16 ends at 65504; whether a value on the way lies beyond is for its roundings to say.
bool overflows(DType t, double value, double wide) {
  return t == DType::f16 && (!std::isfinite(value) || std::fabs(wide) > 3e4);
}

Results reference_results(const Problem& p) {
  Results r;
  r.reference = Evaluator(p.graph, kReferenceOnly)(p.numbers);
  const std::shared_ptr<Graph> wide = widened(p.graph);
  r.wide = Evaluator(*wide, kReferenceOnly)(p.numbers);
  r.tolerance = tolerances(p.graph, r.reference, r.wide);
  return r;
}

// Empty, or where the compiled graph and the reference disagree.
std::string compare_devices(const Problem& p, const Results& r) {
  const std::vector<Reals> got = Evaluator(p.graph, {})(p.numbers);
  for (size_t o = 0; o < got.size(); ++o) {
    const DType t = p.graph.outputs()[o].value.dtype();
    for (size_t i = 0; i < got[o].size(); ++i) {
      if (overflows(t, r.reference[o][i], r.wide[o][i]) || alike(got[o][i], r.reference[o][i], r.tolerance[o]))
        continue;
      return cat("output ", o, " ", p.graph.outputs()[o].value.type(), " element ", i, " is ", got[o][i],
                 ", the reference gives ", r.reference[o][i], ", in f64 ", r.wide[o][i], " (may differ by ",
                 r.tolerance[o], ")");
    }
  }
  return "";
}
std::string compare_devices(const Problem& p) {
  return p.graph.outputs().empty() ? "" : compare_devices(p, reference_results(p));
}

// --- the transforms -------------------------------------------------------------------------------------------------

// The sum of the floats among these, weighted so that no two elements count alike, in the widest of their dtypes.
Value weighted_sum(Graph& graph, const Values& values) {
  Value sum = constant(graph, 0, DType::f32);
  for (const Value& y : values) {
    if (!is_float(y.dtype()) || y.type().elements() == 0) continue;
    const DType t = y.dtype() == DType::f64 || sum.dtype() == DType::f64 ? DType::f64 : DType::f32;
    Reals weights;
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
BatchedArguments batched_arguments(Problem& p, const RandomFunction& f, uint64_t seed) {
  BatchedArguments all;
  for (size_t i = 0; i < f.inputs.size(); ++i) {
    const bool batched = i == 0 || (seed >> i) % 3 != 0;
    TensorType type = f.inputs[i].type;
    Reals values;
    for (int64_t e = 0; e < (batched ? kExamples : 1); ++e) {
      const Reals one = f.values(i, e);
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
  Problem p;
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
  const Results r = reference_results(p);
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

double product(const Reals& a, const Reals& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// <u, J t> = <J^T u, t>, in f64.
std::string check_dot(const RandomFunction& f) {
  if (!f.reversible || f.float_outputs == 0 || f.floats.empty()) return "";
  Problem p;
  const Values in = p.arguments(f), wrt = floats_of(f, in);
  const size_t first_t = p.numbers.size();
  const Values t = p.directions("t", wrt);
  const Jvp ahead = jvp(of_floats(f, in), wrt, t);
  const size_t first_u = p.numbers.size();
  const Values u = p.directions("u", ahead.outputs);
  p.outputs(ahead.tangents);
  p.outputs(vjp(of_floats(f, in), wrt).pull_back(u));
  const std::shared_ptr<Graph> wide = widened(p.graph);
  const std::vector<Reals> results = Evaluator(*wide, kReferenceOnly)(p.numbers);
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
  Problem p;
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
  const Evaluator evaluate(*wide, kReferenceOnly);
  const auto moved = [&](double h) {
    std::vector<Reals> numbers = p.numbers;
    for (size_t k = 0; k < f.floats.size(); ++k) {
      for (size_t i = 0; i < numbers[f.floats[k]].size(); ++i) numbers[f.floats[k]][i] += h * p.numbers[first_t + k][i];
    }
    return evaluate(numbers);
  };
  const auto slope = [&](double h) { return (moved(h)[0][0] - moved(-h)[0][0]) / (2 * h); };
  const std::vector<Reals> here = moved(0);
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
  Problem p;
  p.outputs(transformed(p.arguments(f)));
  return compare_devices(p);
}

const Check kChecks[] = {
    {"jvp", false,
     [](const RandomFunction& f, uint64_t) {
       Problem p;
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
  Problem p;
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
