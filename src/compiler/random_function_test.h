// SPDX-License-Identifier: Apache-2.0
#pragma once
// Random graphs as functions, problems made of them, and how their results are compared. How far two right evaluations
// may differ is measured: by how much the reference's result differs from the one of the same graph in f64.

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "compiler/random_function_widen_test.h"
#include "compiler/random_graph_test.h"
#include "ops/op_row_test.h"

namespace hearth {

inline constexpr double kSlack = 16;         // times the difference to f64
inline constexpr double kRoundings = 16;     // of the least precise dtype, of the largest number
inline constexpr double kOfDoubles = 1e-11;  // where all is f64, which measures no difference
inline constexpr double kSmallest = 0.01;    // numbers below are what large ones left

using Doubles = std::vector<double>;

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
    const Doubles& all = inputs[i].values;
    return std::all_of(all.begin(), all.end(), [](double x) { return x == std::floor(x); });
  }

  // Values of input i: its own, or in their place those of another example.
  Doubles values(size_t i, int64_t example = 0) const {
    Doubles all = inputs[i].values;
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
struct RandomProblem {
  Graph graph;
  std::vector<Doubles> numbers;

  Value input(const std::string& name, const TensorType& type, Doubles values) {
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
      Doubles values;
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

class RandomEvaluator {
 public:
  RandomEvaluator(const Graph& graph, const CompileOptions& options) : graph_(graph), plan_(compile(graph, options)) {}
  std::vector<Doubles> operator()(const std::vector<Doubles>& numbers) const {
    std::vector<Bytes> in;
    for (size_t i = 0; i < numbers.size(); ++i)
      in.push_back(to_bytes(graph_.node(graph_.inputs()[i].node).types[0].dtype, numbers[i]));
    const std::vector<Bytes> out = run_random_plan(plan_, in);
    std::vector<Doubles> results;
    for (size_t o = 0; o < out.size(); ++o) results.push_back(to_doubles(graph_.outputs()[o].value.dtype(), out[o]));
    return results;
  }

 private:
  const Graph& graph_;
  const Plan plan_;
};

// RandomResults of a problem on the reference, with what they may differ by.
struct RandomResults {
  std::vector<Doubles> reference, wide;
  Doubles tolerance;  // per output
};

inline double largest_of(const Doubles& values) {
  double most = 0;
  for (const double x : values) {
    if (std::isfinite(x)) most = std::max(most, std::fabs(x));
  }
  return most;
}

// The coarsest float on the way to each node.
inline Doubles epsilons(const Graph& graph) {
  Doubles all;
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
inline Doubles tolerances(const Graph& graph, const std::vector<Doubles>& reference, const std::vector<Doubles>& wide) {
  const Doubles eps = epsilons(graph);
  Doubles all;
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

inline bool alike(double a, double b, double tolerance) {
  return a == b || (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= tolerance;
}

// f16 ends at 65504; whether a value on the way lies beyond is for its roundings to say.
inline bool overflows(DType t, double value, double wide) {
  return t == DType::f16 && (!std::isfinite(value) || std::fabs(wide) > 3e4);
}

inline RandomResults reference_results(const RandomProblem& p) {
  RandomResults r;
  r.reference = RandomEvaluator(p.graph, kReferenceOnly)(p.numbers);
  const std::shared_ptr<Graph> wide = widened(p.graph);
  r.wide = RandomEvaluator(*wide, kReferenceOnly)(p.numbers);
  r.tolerance = tolerances(p.graph, r.reference, r.wide);
  return r;
}

// Empty, or where the compiled graph and the reference disagree.
inline std::string compare_devices(const RandomProblem& p, const RandomResults& r) {
  const std::vector<Doubles> got = RandomEvaluator(p.graph, {})(p.numbers);
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
inline std::string compare_devices(const RandomProblem& p) {
  return p.graph.outputs().empty() ? "" : compare_devices(p, reference_results(p));
}

}  // namespace hearth
