// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/file_test_folder.h"
#include "plan/test_plan.h"

namespace hearth {
namespace {

const TensorType kFour{DType::f32, {4}};

// Expects that validate refuses the plan with a message that contains every one of `parts`.
void expect_refused(const Plan& plan, std::vector<std::string> parts) {
  const std::string text = error_of(Kind::format, [&] { validate(plan); });
  for (const std::string& part : parts) EXPECT_TEXT(text, part);
}

// small_plan(): tensors 0 x, 1 c, 2 sum, 3 y; instruction 0 add in layers.0, 1 multiply.
template <class Change>
void expect_change_refused(Change change, std::vector<std::string> parts) {
  Plan plan = small_plan();
  validate(plan);
  change(plan);
  expect_refused(plan, std::move(parts));
}

TEST(PlanValidate, accepts_the_small_plan) { EXPECT_NO_THROW(validate(small_plan())); }

TEST(PlanValidate, devices) {
  expect_change_refused([](Plan& p) { p.devices.clear(); }, {"has no device"});
  expect_change_refused([](Plan& p) { p.arena_bytes.push_back(0); }, {"1 devices but 2 arena sizes"});
  expect_change_refused([](Plan& p) { p.devices = {"cpu", "cpu"}, p.arena_bytes = {64, 0}; }, {"'cpu' stands twice"});
  expect_change_refused([](Plan& p) { p.arena_bytes[0] = -64; }, {"the arena of device 'cpu' has -64 bytes"});
  expect_change_refused([](Plan& p) { p.arena_bytes[0] = INT64_MAX; }, {"the arena of device 'cpu'"});
  expect_change_refused([](Plan& p) { p.live_bytes_max = 65; }, {"live_bytes_max is 65 but the arenas have 64 bytes"});
  expect_change_refused([](Plan& p) { p.live_bytes_max = -1; }, {"live_bytes_max is -1"});
}

TEST(PlanValidate, tensor_types) {
  expect_change_refused([](Plan& p) { p.tensors[2].type.dtype = DType(kDTypes); }, {"tensor 2: there is no dtype 15"});
  expect_change_refused([](Plan& p) { p.tensors[2].type.dims = {-4}; }, {"tensor 2: sizes [-4] make no sense"});
  expect_change_refused(
      [](Plan& p) {
        p.tensors[2].type.dims = {int64_t{1} << 32, int64_t{1} << 32};
      },
      {"tensor 2: sizes [4294967296,4294967296]"});
  expect_change_refused([](Plan& p) { p.tensors[2].type.dims = {0, INT64_MAX, INT64_MAX}; }, {"tensor 2: sizes"});
  expect_change_refused([](Plan& p) { p.tensors[2].type.dims = Dims(33, 1); }, {"more than 32 of them"});
  expect_change_refused([](Plan& p) { p.tensors[2].storage = Storage(4); }, {"tensor 2: there is no storage 4"});
  expect_change_refused([](Plan& p) { p.tensors[2].device = 1; }, {"tensor 2: there is no device 1"});
  expect_change_refused([](Plan& p) { p.tensors[2].device = -1; }, {"tensor 2: there is no device -1"});
}

TEST(PlanValidate, ports) {
  expect_change_refused([](Plan& p) { p.inputs[0].tensor = 4; }, {"input 'x': there is no tensor 4"});
  expect_change_refused([](Plan& p) { p.outputs[0].tensor = -1; }, {"output 'y': there is no tensor -1"});
  expect_change_refused([](Plan& p) { p.inputs[0].tensor = 2; }, {"input 0 'x': tensor 2 f32[4]", "memory of input 0"});
  expect_change_refused([](Plan& p) { p.outputs[0].tensor = 0; }, {"output 0 'y': tensor 0 f32[4]"});
  expect_change_refused([](Plan& p) { p.tensors[3].offset = 1; }, {"output 0 'y'"});
  expect_change_refused([](Plan& p) { p.inputs[0].donor = 0; }, {"input 'x' has a donor"});
  expect_change_refused([](Plan& p) { p.outputs[0].donor = 1; }, {"output 'y': there is no input 1"});
  expect_change_refused([](Plan& p) { p.outputs[0].donor = -2; }, {"output 'y': there is no input -2"});
  expect_change_refused([](Plan& p) { p.outputs.push_back(p.outputs[0]); }, {"two outputs are called 'y'"});
}

TEST(PlanValidate, donors) {
  TestPlan t;
  t.input("w", kFour);
  t.output("new_w", {DType::i32, {4}}, 0);
  expect_refused(t.plan, {"output 'new_w' i32[4] takes over the memory of input 'w' f32[4]"});
  t.plan.tensors[1].type = kFour;
  EXPECT_NO_THROW(validate(t.plan));  // passes through
  t.output("again", kFour, 0);
  expect_refused(t.plan, {"two outputs take over the memory of input 'w'"});
}

TEST(PlanValidate, places) {
  expect_change_refused([](Plan& p) { p.tensors[2].offset = 64; },
                        {"tensor 2 f32[4]: bytes 64 + 16 are not inside the arena of 64"});
  expect_change_refused([](Plan& p) { p.tensors[2].offset = -64; }, {"tensor 2 f32[4]: bytes -64 + 16"});
  expect_change_refused([](Plan& p) { p.tensors[2].offset = INT64_MAX; }, {"are not inside the arena"});
  expect_change_refused([](Plan& p) { p.tensors[2].offset = 16; },
                        {"tensor 2 f32[4]: offset 16 in the arena is no multiple of 64"});
  expect_change_refused([](Plan& p) { p.constants.pop_back(); },
                        {"tensor 1 f32[4]: bytes 0 + 16 are not inside the constants of 15"});
  expect_change_refused([](Plan& p) { p.tensors.push_back({kFour, Storage::input, 0, 1}); }, {"there is no input 1"});
  expect_change_refused(
      [](Plan& p) {
        p.tensors.push_back({kFour, Storage::output, 0, -1});
      },
      {"there is no output -1"});
  expect_change_refused(
      [](Plan& p) {
        p.tensors.push_back({{DType::f32, {5}}, Storage::input, 0, 0});
      },
      {"tensor 4 f32[5]: is not as large as input 'x' f32[4]"});
}

TEST(PlanValidate, instructions) {
  expect_change_refused([](Plan& p) { p.instructions[0].device = 1; },
                        {"instruction 0 (reference.add): there is no device 1", "in layers.0"});
  expect_change_refused([](Plan& p) { p.instructions[0].inputs[1] = 9; },
                        {"instruction 0 (reference.add): there is no tensor 9"});
  expect_change_refused([](Plan& p) { p.instructions[1].outputs[0] = -1; },
                        {"instruction 1 (reference.multiply): there is no tensor -1"});
  expect_change_refused([](Plan& p) { p.instructions[0].workspace_bytes = 65; },
                        {"workspace bytes 0 + 65 are not inside the arena of 64"});
  expect_change_refused([](Plan& p) { p.instructions[0].workspace_offset = INT64_MAX; }, {"workspace bytes"});
  expect_change_refused([](Plan& p) { p.instructions[0].workspace_offset = 8; },
                        {"workspace offset 8 is no multiple of 64"});
  expect_change_refused([](Plan& p) { p.instructions[0].workspace_bytes = -1; }, {"workspace bytes 0 + -1"});
  expect_change_refused([](Plan& p) { p.instructions[0].kernel = "row_program"; },
                        {"(row_program): has no row program"});
  expect_change_refused([](Plan& p) { p.instructions[0].program = 0; }, {"there is no row program 0"});
}

TEST(PlanValidate, moves_cross_devices) {
  TestPlan t;
  t.plan.devices = {"cpu", "reference"};
  t.plan.arena_bytes = {0, 0};
  const int32_t x = t.input("x", kFour), there = t.arena(kFour, 1), y = t.output("y", kFour);
  t.add("move", {x}, {there}, {}, 1);
  t.add("move", {there}, {y});
  EXPECT_NO_THROW(validate(t.plan));
  const auto refused = [&](auto change, std::vector<std::string> parts) {
    Plan plan = t.plan;
    change(plan);
    expect_refused(plan, std::move(parts));
  };
  refused([](Plan& p) { p.instructions[1].inputs = {0}; }, {"instruction 1 (move): both tensors are on device 'cpu'"});
  refused([](Plan& p) { p.instructions[0].inputs = {0, 0}; }, {"has 2 inputs and 1 outputs instead of one each"});
  refused([](Plan& p) { p.tensors[1].type.dims = {2, 2}; }, {"moves f32[4] to f32[2,2]"});
  refused([](Plan& p) { p.instructions[0].kernel = "reference.negate"; },
          {"tensor 0 f32[4] is on device 'cpu', the instruction on 'reference'"});
}

TEST(PlanMemory, reads_before_writes) {
  expect_change_refused([](Plan& p) { std::swap(p.instructions[0], p.instructions[1]); },
                        {"instruction 0 (reference.multiply): tensor 2 f32[4] is read before anything wrote it"});
  expect_change_refused([](Plan& p) { p.instructions[0].inputs[0] = 3; }, {"tensor 3 f32[4] is read before"});
}

TEST(PlanMemory, constants_and_inputs_are_not_written) {
  expect_change_refused([](Plan& p) { p.instructions[1].outputs = {1}; },
                        {"instruction 1 (reference.multiply): writes constant tensor 1"});
  expect_change_refused([](Plan& p) { p.instructions[1].outputs = {0}; },
                        {"writes tensor 0 f32[4], which is input 'x'; no output takes over"});
}

TEST(PlanMemory, outputs_must_be_written) {
  expect_change_refused([](Plan& p) { p.instructions.pop_back(); },
                        {"output 'y': tensor 3 f32[4] is read before anything wrote it"});
}

TEST(PlanMemory, clobbered_tensor) {
  TestPlan t;
  const int32_t x = t.input("x", kFour), a = t.arena(kFour), b = t.tensor(kFour, Storage::arena, 0),
                y = t.output("y", kFour);
  t.add("reference.negate", {x}, {a});
  t.add("reference.abs", {x}, {b}).scope = "mlp";  // overwrites a
  t.add("reference.add", {a, b}, {y});
  expect_refused(t.plan, {"instruction 2 (reference.add): tensor 1 f32[4] is read after instruction 1 (reference.abs) "
                          "overwrote it with tensor 2"});
  t.plan.instructions[2].inputs = {b, b};
  EXPECT_NO_THROW(validate(t.plan));  // a's life ended before
}

TEST(PlanMemory, partial_overlap_of_lives) {
  TestPlan t;
  const TensorType big{DType::f32, {32}};
  const int32_t x = t.input("x", big), a = t.arena(big), half = t.tensor({DType::f32, {16}}, Storage::arena, 64);
  const int32_t x16 = t.input("x16", {DType::f32, {16}}), y = t.output("y", big), z = t.output("z", {DType::f32, {16}});
  t.add("reference.negate", {x}, {a});
  t.add("reference.negate", {x16}, {half});
  t.add("reference.negate", {half}, {z});
  t.add("reference.negate", {a}, {y});
  expect_refused(t.plan, {"instruction 3", "overwrote it with tensor 2"});
  std::swap(t.plan.instructions[1], t.plan.instructions[3]);
  std::swap(t.plan.instructions[2], t.plan.instructions[3]);
  EXPECT_NO_THROW(validate(t.plan));
}

TEST(PlanMemory, in_place_only_exactly) {
  TestPlan t;
  const TensorType big{DType::f32, {32}};
  const int32_t x = t.input("x", big), a = t.arena(big), b = t.tensor(big, Storage::arena, 0), y = t.output("y", big);
  t.add("reference.negate", {x}, {a});
  t.add("reference.abs", {a}, {b});
  t.add("reference.negate", {b}, {y});
  EXPECT_NO_THROW(validate(t.plan));
  t.plan.tensors[size_t(b)].offset = 64;
  t.plan.arena_bytes[0] = 192;
  expect_refused(t.plan, {"instruction 1 (reference.abs): input tensor 1 f32[32] and output tensor 2 f32[32] overlap"});
}

TEST(PlanMemory, outputs_of_one_instruction_overlap) {
  TestPlan t;
  const int32_t x = t.input("x", kFour), a = t.arena(kFour), b = t.tensor(kFour, Storage::arena, 0);
  t.add("reference.optimization_barrier", {x, x}, {a, b});
  expect_refused(t.plan, {"output tensor 1 f32[4] and output tensor 2 f32[4] overlap"});
  t.plan.instructions[0].outputs = {a, a};
  expect_refused(t.plan, {"overlap"});
}

TEST(PlanMemory, workspace) {
  TestPlan t;
  const int32_t x = t.input("x", kFour), a = t.arena(kFour), y = t.output("y", kFour), z = t.output("z", kFour);
  t.add("reference.negate", {x}, {a});
  t.add("reference.negate", {a}, {y}).workspace_bytes = 8;
  expect_refused(t.plan, {"instruction 1", "input tensor 1 f32[4] and its workspace overlap"});
  t.plan.instructions[1].workspace_bytes = 0;
  t.plan.instructions[0].workspace_bytes = 8;
  expect_refused(t.plan, {"instruction 0", "its workspace", "overlap"});
  t.plan.instructions[0].workspace_bytes = 0;
  t.add("reference.negate", {x}, {z}).workspace_bytes = 8;
  EXPECT_NO_THROW(validate(t.plan));  // over memory that nobody needs any more
}

TEST(PlanMemory, workspace_ends_a_life) {
  TestPlan t;
  const int32_t x = t.input("x", kFour), a = t.arena(kFour), y = t.output("y", kFour), z = t.output("z", kFour);
  t.add("reference.negate", {x}, {a});
  t.add("reference.negate", {x}, {y}).workspace_bytes = 8;
  t.add("reference.negate", {a}, {z});
  expect_refused(t.plan,
                 {"instruction 2",
                  "tensor 1 f32[4] is read after instruction 1 (reference.negate) overwrote it with its workspace"});
}

TEST(PlanMemory, donated_input) {
  TestPlan t;
  const int32_t w = t.input("w", kFour), g = t.input("g", kFour), out = t.output("w", kFour, 0),
                y = t.output("y", kFour);
  t.add("reference.add", {w, g}, {out});
  t.add("reference.negate", {out}, {y});
  EXPECT_NO_THROW(validate(t.plan));
  t.plan.instructions[1].inputs = {w};  // the old value is gone
  expect_refused(t.plan, {"instruction 1",
                          "tensor 0 f32[4] is read after instruction 0 (reference.add) overwrote it with tensor 2"});
}

TEST(PlanMemory, views) {
  TestPlan t;
  const int32_t x = t.input("x", kFour), view_of_x = t.tensor({DType::f32, {2, 2}}, Storage::input, 0),
                a = t.arena(kFour);
  const int32_t view = t.tensor({DType::f32, {2, 2}}, Storage::arena, 0), y = t.output("y", {DType::f32, {2, 2}});
  t.add("reference.negate", {x}, {a});
  t.add("reference.add", {view, view_of_x}, {y});
  EXPECT_NO_THROW(validate(t.plan));
  t.plan.instructions[0].outputs = {y};
  t.plan.tensors[size_t(y)].type = kFour;
  expect_refused(t.plan, {"tensor 3 f32[2,2] is read before anything wrote it"});
}

TEST(PlanMemory, empty_tensors_need_no_memory) {
  TestPlan t;
  const TensorType none{DType::f32, {0, 4}};
  const int32_t x = t.input("x", none), a = t.arena(none), y = t.output("y", none);
  t.add("reference.negate", {x}, {a});
  t.add("reference.negate", {a}, {y});
  EXPECT_NO_THROW(validate(t.plan));
}

TEST(PlanValidate, row_program_is_checked_with_its_tensors) {
  Plan plan = small_plan();
  RowInstruction load;
  load.op = RowOp::load;
  RowOperand operand;
  operand.tensor = 7;
  operand.dims = {1, 4};
  operand.strides = {4, 1};
  RowProgram program;
  program.rows = 1;
  program.width = 4;
  program.full_registers = 1;
  program.operands = {operand};
  program.phases = {{{load}, {}}};
  plan.programs = {program};
  plan.instructions[0].kernel = "row_program";
  plan.instructions[0].program = 0;
  expect_refused(plan, {"instruction 0 (row_program): row program 0: ", "in layers.0"});
}

TEST(PlanText, names_everything) {
  const std::string text = to_text(small_plan());
  for (const char* part :
       {"device 0 cpu arena 64", "input 0 'x' = t0 f32[4]", "output 0 'y' = t3 f32[4]",
        "0: t2 f32[4] = reference.add(t0 f32[4], t1 f32[4])  # layers.0", "t2 arena 0 + 16 live 0..1",
        "2 instructions, 4 tensors, 16 constant bytes, 64 arena bytes, 16 live at most (ratio 4.000)"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text << "\nlacks: " << part;
  }
}

}  // namespace
}  // namespace hearth
