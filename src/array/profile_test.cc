// SPDX-License-Identifier: Apache-2.0
#include "array/profile.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "array/jit.h"
#include "base/error.h"

namespace hearth {
namespace {

const ProfileEntry* find_entry(const Profile& profile, const std::string& operation) {
  for (const ProfileEntry& entry : profile.entries())
    if (entry.operation.rfind(operation, 0) == 0) return &entry;
  return nullptr;
}

Array counted_to_100(const Array& x) {
  return fori_loop(0, 100,
                   [](const Array&, const Arrays& state) -> Arrays {
                     const Scope scope("loop");
                     return {state[0] * 0.5f + 1.0f};
                   },
                   {x})[0];
}

TEST(Profiling, counts_what_the_bodies_of_loops_do) {
  const auto f = jit([](const Array& x) { return counted_to_100(x); });
  const Array x = array(std::vector<float>(1000, 8.0f));
  f(x);  // traced
  Profiling profiling;
  const Array y = f(x);
  EXPECT_NEAR(y.to_vector<float>()[0], 2, 1e-5);
  const ProfileEntry* loop = find_entry(profiling.profile(), "while");
  const ProfileEntry* call = find_entry(profiling.profile(), "jitted function");
  ASSERT_TRUE(loop && call);
  EXPECT_EQ(loop->runs, 1);
  EXPECT_EQ(call->runs, 1);
  int64_t in_bodies = 0, body_runs = 0;
  for (const ProfileEntry& entry : profiling.profile().entries()) {
    if (entry.scope.find("loop") == std::string::npos) continue;
    in_bodies += entry.total_ns;
    body_runs += entry.runs;
  }
  EXPECT_GE(body_runs, 100);
  EXPECT_GT(in_bodies, 0);
  EXPECT_GE(loop->nested_ns, in_bodies);
  EXPECT_GE(loop->total_ns, loop->nested_ns);
  EXPECT_GE(call->total_ns, loop->total_ns);
}

TEST(Profiling, trace_has_operations_and_scopes_inside_of_calls) {
  const std::string path = testing::TempDir() + "/profiling_trace.json";
  const auto f = jit([](const Array& x) {
    const Scope scope("layers.3");
    return x * x + 1.0f;
  });
  const Array x = array(std::vector<float>(1000, 3.0f));
  {
    Profiling profiling(path);
    f(x), f(x);
    (x - 1.0f).eval();
    EXPECT_NE(profiling.table().find("row_program mul add"), std::string::npos) << profiling.table();
    EXPECT_NE(profiling.table().find("evaluation"), std::string::npos) << profiling.table();
  }
  f(x);  // no longer counted
  std::ifstream file(path);
  const nlohmann::json trace = nlohmann::json::parse(file);
  int calls = 0, inside = 0;
  double start = 0, end = 0;
  for (const nlohmann::json& event : trace["traceEvents"]) {
    if (event["name"] == "jitted function") {
      ++calls;
      start = event["ts"], end = start + double(event["dur"]);
    } else if (event["args"]["scope"] == "layers.3") {
      ++inside;
      EXPECT_EQ(event["name"], "row_program mul add");
      EXPECT_GE(double(event["ts"]), start);
      EXPECT_LE(double(event["ts"]) + double(event["dur"]), end + 0.002);  // microseconds, three digits
    }
  }
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(inside, 2);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace hearth
