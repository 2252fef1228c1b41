// SPDX-License-Identifier: Apache-2.0
#include "array/save_function.h"

#include <gtest/gtest.h>

#include "array/arrays.h"
#include "base/file_test_folder.h"
#include "plan/plan_file.h"
#include "runtime/session.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;

Floats run(Session& session, const char* output) {
  session.run();
  Floats y(size_t(session.output_type(session.output_index(output)).elements()));
  session.read_output(session.output_index(output), y.data());
  return y;
}

TEST(SaveFunction, runs_without_what_it_was_made_of) {
  const TestFolder folder;
  const std::string path = folder / "step.plan";
  const auto step = jit([](const Array& w, const Array& x) {
    const auto loss = [&](const Array& v) { return sum(square(matmul(x, v) - 1)); };
    const Arrays both = value_and_grad(loss)(w);
    return std::tuple(w - 0.1f * both[1], both[0]);
  });
  const Array w = array({0.5f, -1.0f}), x = array({{1.0f, 2.0f}, {3.0f, 4.0f}, {0.0f, 1.0f}});
  save_function(step, {w, x}, path, {.arguments = {"w", "x"}, .results = {"next", "loss"}});
  Session session(load_plan(path));
  Floats weights = {0.25f, 2};
  session.bind_input("w", weights.data());
  Floats inputs = x.to_vector<float>();
  session.bind_input("x", inputs.data());
  const auto [next, loss] = step(array(weights), x);
  EXPECT_EQ(run(session, "next"), next.to_vector<float>());
  EXPECT_EQ(run(session, "loss"), loss.to_vector<float>());
}

// Of every kind of dtype, through a loop's body too.
TEST(SaveFunction, keeps_arrays_from_outside) {
  const TestFolder folder;
  const std::string path = folder / "f.plan";
  for (const DType t :
       {DType::boolean, DType::i8, DType::u64, DType::i64, DType::bf16, DType::f16, DType::f64, DType::complex64}) {
    const Array table = array({0.0, 1.0, 3.0}).astype(t) + 0;
    const auto f = [&](const Array& x) {
      return fori_loop(0, 2,
                       [&](const Array&, const Arrays& s) { return Arrays{s[0] * 2 + real(table).astype(DType::f32)}; },
                       {x})[0];
    };
    save_function(f, {zeros({3})}, path);
    Session session(load_plan(path));
    Floats x = {1, 2, 3};
    session.bind_input("argument 0", x.data());
    EXPECT_EQ(run(session, "result 0"), f(array(x)).to_vector<float>()) << t;
  }
}

TEST(SaveFunction, errors) {
  const TestFolder folder;
  const std::string path = folder / "f.plan";
  const auto f = [](const Array& x) { return x + 1; };
  const Array x = zeros({2});
  expect_error(Kind::value, "save_function: the function takes 1 arrays, 2 examples are given", [&] {
    save_function(f, {x, x}, path);
  });
  expect_error(Kind::value, "save_function: 2 names for 1 arguments", [&] {
    save_function(f, {x}, path, {.arguments = {"a", "b"}});
  });
  expect_error(Kind::value, "save_function: 2 names for 1 results", [&] {
    save_function(f, {x}, path, {.results = {"a", "b"}});
  });
  const Array large = zeros({(int64_t{1} << 24) + 1}, DType::i8).eval();
  const auto reads = [&](const Array& v) { return v + sum(large); };
  EXPECT_TEXT(message_of([&] { save_function(reads, {x}, path); }), "hint: make it an argument");
  const auto looks = [](const Array& v) { return v * sum(v).item<float>(); };
  EXPECT_EQ(error_of(Kind::state, [&] { save_function(looks, {x}, path); }).find("array"), 0u);
  EXPECT_TEXT(message_of([&] { save_function(f, {x}, folder / "no/f.plan"); }), "no/f.plan");
}

}  // namespace
}  // namespace hearth
