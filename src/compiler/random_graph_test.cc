// SPDX-License-Identifier: Apache-2.0
#include "compiler/random_graph_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "compiler/passes.h"
#include "plan/plan_file.h"
#include "runtime/session.h"

namespace hearth {
namespace {

constexpr double kSlack = 8;  // times the error that the builder knows of

}  // namespace

std::vector<Bytes> run_random_plan(const Plan& plan, const std::vector<Bytes>& inputs) {
  constexpr size_t kLine = 64;
  Session session(plan);
  std::vector<Bytes> memory, outputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    memory.emplace_back(inputs[i].size() + kLine);
    void* data = memory.back().data();
    size_t space = memory.back().size();
    std::align(kLine, inputs[i].size(), data, space);
    std::copy(inputs[i].begin(), inputs[i].end(), static_cast<std::byte*>(data));
    session.bind_input(i, data);
  }
  session.run();
  for (size_t o = 0; o < session.outputs(); ++o) {
    outputs.emplace_back(size_t(session.output_type(o).bytes()));
    session.read_output(o, outputs.back().data());
  }
  return outputs;
}

namespace {

std::string compare_outputs(const RandomGraph& random, const std::vector<Bytes>& got, const std::vector<Bytes>& wanted,
                            const std::string& what) {
  for (size_t o = 0; o < wanted.size(); ++o) {
    const TensorType& type = random.graph.outputs()[o].value.type();
    const std::vector<double> a = to_doubles(type.dtype, got[o]), b = to_doubles(type.dtype, wanted[o]);
    for (size_t i = 0; i < b.size(); ++i) {
      if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])) || std::fabs(a[i] - b[i]) <= kSlack * random.errors[o])
        continue;
      return cat(what, ": output ", random.graph.outputs()[o].name, " element ", i, " is ", a[i],
                 ", the reference alone gives ", b[i], " (may differ by ", kSlack * random.errors[o], ")");
    }
  }
  return "";
}

std::string different_bits(const RandomGraph& random, const std::vector<Bytes>& a, const std::vector<Bytes>& b) {
  for (size_t o = 0; o < a.size(); ++o) {
    if (a[o] == b[o]) continue;
    const TensorType& type = random.graph.outputs()[o].value.type();
    const std::vector<double> x = to_doubles(type.dtype, a[o]), y = to_doubles(type.dtype, b[o]);
    const int64_t size = size_bytes(type.dtype);
    for (size_t i = 0; i < x.size(); ++i) {
      if (std::memcmp(&a[o][i * size_t(size)], &b[o][i * size_t(size)], size_t(size)) == 0) continue;
      return cat("two runs give different bits: output ", random.graph.outputs()[o].name, " element ", i, ": ", x[i],
                 " and ", y[i], ", difference ", x[i] - y[i]);
    }
  }
  return "";
}

std::string check(const RandomGraph& random) {
  const std::vector<Bytes> wanted = run_random_plan(compile(random.graph, {.devices = {"reference"}}), random.inputs);
  const Plan plan = compile(random.graph);
  validate(plan);
  const std::vector<Bytes> got = run_random_plan(plan, random.inputs);
  std::string failure = compare_outputs(random, got, wanted, "cpu");
  if (!failure.empty()) return failure + "\n" + to_text(plan);
  const std::vector<std::byte> bytes = plan_to_bytes(plan);
  const Plan loaded = plan_from_bytes(bytes, "plan");
  if (plan_to_bytes(loaded) != bytes) return "the plan read back differs";
  const std::string difference = different_bits(random, run_random_plan(loaded, random.inputs), got);
  if (!difference.empty()) return difference + "\n" + to_text(plan);
  if (random.only_reference.empty()) return "";
  CompileOptions mixed;
  mixed.only_reference = random.only_reference;
  const Plan moves = compile(random.graph, mixed);
  failure = compare_outputs(random, run_random_plan(moves, random.inputs), wanted, "mixed devices");
  return failure.empty() ? "" : failure + "\n" + to_text(moves);
}

}  // namespace

std::string check_random_graph(const RandomGraph& random) {
  try {
    return check(random);
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string live_text(const Graph& graph) {
  const std::vector<bool> live = live_nodes(graph);
  std::istringstream lines(to_text(graph));
  std::string text, line;
  bool shown = true;
  for (int32_t id = 0; std::getline(lines, line);) {
    if (line[0] != ' ') shown = id >= graph.size() || live[size_t(id)], ++id;  // what belongs to bodies is indented
    if (shown) text += line + "\n";
  }
  return text;
}

std::string shrunk_failure(Recipe recipe, const std::function<std::string(const Recipe&)>& failure,
                           const std::function<std::string(const Recipe&)>& show) {
  for (size_t chunk = recipe.size() / 2; chunk >= 1; chunk /= 2) {
    for (size_t at = 0; at + chunk <= recipe.size();) {
      Recipe shorter = recipe;
      shorter.erase(shorter.begin() + long(at), shorter.begin() + long(at + chunk));
      if (!shorter.empty() && !failure(shorter).empty())
        recipe = shorter;
      else
        at += chunk;
    }
  }
  for (RandomStep& step : recipe) {
    for (uint32_t& choice : step.choices) {
      const uint32_t old = choice;
      for (const uint32_t simple : {0u, 1u}) {
        if (choice == old && old != simple)
          choice = &choice == &step.choices[5] ? 2 : simple;  // no output, nothing forced
        if (choice != old && failure(recipe).empty()) choice = old;
      }
    }
  }
  std::string text = show(recipe) + failure(recipe) + "\nsteps:\n";
  for (const RandomStep& step : recipe) {
    text += cat("  {", step.what, ", {");
    for (const uint32_t c : step.choices) text += cat(c, ", ");
    text += "}},\n";
  }
  return text;
}

SeedRange random_seeds(uint64_t count) {
  const char* given = std::getenv("HEARTH_RANDOM_GRAPHS");
  if (!given) return {0, count};
  char* rest = nullptr;
  const uint64_t first = std::strtoull(given, &rest, 10);
  return {first, *rest == ',' ? std::strtoull(rest + 1, nullptr, 10) : 1};
}

namespace {

std::string failure_of(const Recipe& recipe) { return check_random_graph(RandomGraph(recipe)); }

std::string shown(const Recipe& recipe) {
  const RandomGraph random(recipe);
  std::string text = live_text(random.graph) + "on the reference in the mixed run:";
  for (const std::string& op : random.only_reference) text += " " + op;
  return text + "\n";
}

TEST(RandomGraphs, compiled_equals_reference) {
  const auto [first, count] = random_seeds(2500);
  int failures = 0, exact = 0, mixed = 0, in_place = 0, outputs = 0;
  for (uint64_t seed = first; seed < first + count && failures < 5; ++seed) {
    const Recipe recipe = random_recipe(seed, 8 + int(seed % 25));
    const RandomGraph random(recipe);
    if (!check_random_graph(random).empty()) {
      ++failures;
      ADD_FAILURE() << "random graph " << seed << " (HEARTH_RANDOM_GRAPHS=" << seed << " runs it alone):\n"
                    << shrunk_failure(recipe, failure_of, shown);
    }
    mixed += !random.only_reference.empty();
    for (size_t o = 0; o < random.errors.size(); ++o, ++outputs) {
      exact += random.errors[o] == 0;
      in_place += random.graph.outputs()[o].donor >= 0;
    }
  }
  std::printf(
      "%llu graphs, %d outputs, of them %d exact and %d in place of an input; %d with operations forced to the "
      "reference\n",
      static_cast<unsigned long long>(count), outputs, exact, in_place, mixed);
  if (count < 100) return;
  // What makes the test worth its time: not all graphs may end in the trivial corner.
  EXPECT_GT(exact * 3, outputs);
  EXPECT_GT(in_place * 20, outputs);
  EXPECT_GT(mixed * 4, int(count));
}

}  // namespace
}  // namespace hearth
