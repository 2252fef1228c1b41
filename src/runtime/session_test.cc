// SPDX-License-Identifier: Apache-2.0
#include "runtime/session.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file_test_folder.h"
#include "device/register_kernel.h"
#include "plan/test_plan.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;
const TensorType kFour{DType::f32, {4}};

Floats read(const Session& session, const std::string& name) {
  const size_t index = session.output_index(name);
  Floats values(size_t(session.output_type(index).elements()));
  session.read_output(index, values.data());
  return values;
}

TEST(Session, runs_the_small_plan_again_and_again) {
  Session session(small_plan());
  Floats x{1, 2, 3, 4}, other{-1, 0, 1, 2};
  session.bind_input("x", x.data());
  session.run();
  EXPECT_EQ(read(session, "y"), (Floats{2, 8, 18, 32}));
  x[0] = 10;  // bound memory is read at each run
  session.run();
  EXPECT_EQ(read(session, "y")[0], 110);
  session.bind_input(size_t{0}, other.data());
  session.run();
  EXPECT_EQ(read(session, "y"), (Floats{0, 0, 4, 12}));
  EXPECT_EQ(session.arena_bytes(), 64);
}

// The same plan with its arithmetic on the reference device: x and the result must be moved.
TEST(Session, moves_between_devices) {
  TestPlan t;
  t.plan.devices = {"cpu", "reference"};
  t.plan.arena_bytes = {0, 0};
  const int32_t x = t.input("x", kFour), c = t.constant<float>({4}, {1, 2, 3, 4}, 1), there = t.arena(kFour, 1);
  const int32_t sum = t.arena(kFour, 1), y = t.output("y", kFour);
  t.add("move", {x}, {there}, {}, 1);
  t.add("reference.add", {there, c}, {sum}, {}, 1);
  t.add("move", {sum}, {y}, {}, 1);
  Session session(t.plan);
  Floats data{10, 20, 30, 40};
  session.bind_input("x", data.data());
  session.run();
  EXPECT_EQ(read(session, "y"), (Floats{11, 22, 33, 44}));
}

TEST(Session, inputs_and_outputs_on_another_device) {
  TestPlan t;
  t.plan.devices = {"reference"};
  const int32_t w = t.input("w", kFour), g = t.input("g", kFour);
  const int32_t out = t.output("w", kFour, 0), y = t.output("y", kFour);
  t.add("reference.add", {w, g}, {out});
  t.add("reference.negate", {out}, {y});
  Session session(t.plan);
  Floats weights{1, 2, 3, 4}, gradient{1, 1, 1, 1};
  session.bind_input("w", weights.data());
  session.bind_input("g", gradient.data());
  EXPECT_NE(session.output("w"), weights.data());
  session.run();
  session.run();
  EXPECT_EQ(read(session, "w"), (Floats{3, 4, 5, 6}));
  EXPECT_EQ(read(session, "y"), (Floats{-3, -4, -5, -6}));
  EXPECT_EQ(weights, (Floats{1, 2, 3, 4}));  // the device has its copy
  gradient[0] = 5;                           // seen only once bound again
  session.run();
  EXPECT_EQ(read(session, "w")[0], 4);
  session.bind_input("g", gradient.data());
  session.run();
  EXPECT_EQ(read(session, "w")[0], 9);
}

TEST(Session, donated_output_is_the_bound_input) {
  TestPlan t;
  const int32_t w = t.input("w", kFour), g = t.input("g", kFour), out = t.output("w", kFour, 0);
  t.add("reference.add", {w, g}, {out});
  Session session(t.plan);
  EXPECT_EQ(session.output("w"), nullptr);
  Floats weights{1, 2, 3, 4}, gradient{1, 1, 1, 1}, others{0, 0, 0, 0};
  session.bind_input("w", weights.data());
  session.bind_input("g", gradient.data());
  session.run();
  session.run();
  EXPECT_EQ(weights, (Floats{3, 4, 5, 6}));
  EXPECT_EQ(session.output("w"), weights.data());
  session.bind_input("w", others.data());
  session.run();
  EXPECT_EQ(weights, (Floats{3, 4, 5, 6}));
  EXPECT_EQ(others, gradient);
}

TEST(Session, shared_arena) {
  Plan small = small_plan(), large = small_plan();
  large.arena_bytes[0] = 4096;
  const auto arena = Arena::for_plans({&small, &large});
  EXPECT_EQ(arena->bytes(), 4096);
  Session a(small, {.arena = arena}), b(large, {.arena = arena});
  Floats x{1, 2, 3, 4};
  for (Session* session : {&a, &b}) {
    session->bind_input("x", x.data());
    session->run();
    EXPECT_EQ(read(*session, "y"), (Floats{2, 8, 18, 32}));
  }
  const auto tight = Arena::for_plans({&small});
  EXPECT_TEXT(error_of(Kind::value, [&] { Session(large, {.arena = tight}); }), "shared arena is too small");
  const Arena::Lease lease(*arena);
  EXPECT_TEXT(error_of(Kind::state, [&] { a.run(); }), "another session that shares the same memory is running");
}

TEST(Session, binding_mistakes) {
  Session session(small_plan());
  Floats x(5);
  EXPECT_TEXT(error_of(Kind::state, [&] { session.run(); }), "input 'x' f32[4] is not bound");
  EXPECT_TEXT(error_of(Kind::value, [&] { session.bind_input("z", x.data()); }), "has no input 'z'\n  it has 1: x");
  EXPECT_TEXT(error_of(Kind::value, [&] { session.bind_input(1, x.data()); }), "there is no input 1");
  EXPECT_TEXT(error_of(Kind::value, [&] { session.bind_input("x", nullptr); }), "is bound to no memory");
  EXPECT_TEXT(error_of(Kind::value, [&] { session.bind_input("x", reinterpret_cast<char*>(x.data()) + 1); }),
              "no multiple of 4");
  EXPECT_TEXT(error_of(Kind::value, [&] { session.output("z"); }), "has no output 'z'");
}

TEST(Session, refuses_plans_it_cannot_run) {
  Plan plan = small_plan();
  plan.instructions[0].kernel = "no_such_kernel";
  EXPECT_TEXT(error_of(Kind::unsupported, [&] { Session{plan}; }),
              "instruction 0 (no_such_kernel): this build has no such kernel\n  in layers.0");
  plan = small_plan();
  plan.devices[0] = "abacus";
  EXPECT_TEXT(error_of(Kind::unsupported, [&] { Session{plan}; }), "there is no device 'abacus'");
  plan = small_plan();
  plan.tensors[1].type = {DType::i32, {4}};  // passes validate, but not the kernel's own check
  EXPECT_TEXT(error_of(Kind::format, [&] { Session{plan}; }),
              "instruction 0 (reference.add): input 1 is i32[4] instead of f32[4]\n  in layers.0");
  plan = small_plan();
  plan.tensors[2].offset = 8;
  error_of(Kind::format, [&] { Session{plan}; });
}

TEST(Session, out_of_memory_names_the_biggest_tensors) {
  TestPlan t;
  const TensorType huge{DType::f32, {1 << 20, 1 << 20}};  // 4 TiB
  const int32_t x = t.input("x", {DType::f32, {}}), a = t.arena(huge);
  t.add("reference.broadcast_in_dim", {x}, {a}, {{"dims", Dims{}}}).scope = "layers.0.attn";
  const std::string message = error_of(Kind::memory, [&] { Session{t.plan}; });
  EXPECT_TEXT(message, "cpu: out of memory: wanted 4.00 TiB, ");
  EXPECT_TEXT(message, "biggest: f32[1048576,1048576] 4.00 TiB (layers.0.attn)");
}

TEST(Session, kernel_error_names_its_instruction_and_the_session_lives) {
  TestPlan t;
  const TensorType type{DType::f32, {1}};
  const int32_t x = t.input("x", type), y = t.output("y", type);
  t.add("reference.negate", {x}, {y});
  t.add("test.fail_if_negative", {y}, {}).scope = "layers.3";
  const auto fail_if_negative = [](const KernelArgs& args) {
    const float value = args.in[0].as<float>()[0];
    HEARTH_CHECK(value != -1, numeric, "test: got ", value);
    if (value == -2) throw std::runtime_error("not an Error");
    if (value == -3) throw std::bad_alloc();
  };
  if (!find_kernel("test.fail_if_negative")) register_kernel({"test.fail_if_negative", fail_if_negative, nullptr});
  Session session(t.plan);
  float value = 1;
  session.bind_input("x", &value);
  const char* place = "\n  at instruction 1 (test.fail_if_negative)\n  in layers.3";
  for (const bool profiled : {false, true}) {
    session.set_profiling(profiled);
    value = 1;
    EXPECT_TEXT(error_of(Kind::numeric, [&] { session.run(); }), cat("test: got -1", place));
    value = 2;
    EXPECT_TEXT(error_of(Kind::bug, [&] { session.run(); }), cat("not an Error", place));
    value = 3;
    EXPECT_TEXT(error_of(Kind::memory, [&] { session.run(); }), place);
    value = -5;
    session.run();
    EXPECT_EQ(read(session, "y"), Floats{5});
  }
}

TEST(Session, profile) {
  Session session(small_plan());
  Floats x{1, 2, 3, 4};
  session.bind_input("x", x.data());
  session.run();
  EXPECT_EQ(session.profile().entries()[0].runs, 0);
  session.set_profiling(true);
  session.run();
  session.run();
  const ProfileEntry& entry = session.profile().entries()[0];
  EXPECT_EQ(entry.runs, 2);
  EXPECT_EQ(entry.bytes, 48);
  EXPECT_GT(entry.total_ns, 0);
  EXPECT_TEXT(session.profile().table(), "reference.multiply");
  const std::string path = testing::TempDir() + "/session_trace.json";
  session.profile().write_trace(path);
  const std::string trace = read_file(path, 1 << 20);
  EXPECT_TEXT(trace, R"("name":"reference.add","ph":"X")");
  EXPECT_TEXT(trace, R"("scope":"layers.0"}})");
  EXPECT_EQ(std::count(trace.begin(), trace.end(), '{'), std::count(trace.begin(), trace.end(), '}'));
  remove_tree(path);
}

}  // namespace
}  // namespace hearth
