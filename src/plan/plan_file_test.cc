// SPDX-License-Identifier: Apache-2.0
#include "plan/plan_file.h"

#include <gtest/gtest.h>

#include "base/file_test_folder.h"
#include "plan/test_plan.h"

namespace hearth {
namespace {

RowInstruction row_instruction(RowOp op, uint8_t dst, uint16_t operand) {
  RowInstruction instruction;
  instruction.op = op;
  instruction.dst = dst;
  instruction.a = 1;
  instruction.operand = operand;
  instruction.immediate = 0x3f800000;
  return instruction;
}

// Every field of every structure has a value of its own, so that a swapped or forgotten one shows. Not a valid plan.
Plan full_plan() {
  Plan plan = small_plan();
  plan.devices.push_back("reference");
  plan.arena_bytes.push_back(128);
  plan.outputs[0].donor = 3;
  plan.live_bytes_max = 77;
  PlanInstruction& add = plan.instructions[0];
  add.attrs = {{"integer", int64_t{-5}},
               {"real", 0.1},
               {"text", std::string("a\"b\0c", 5)},
               {"list", Dims{1, -2, INT64_MAX}},
               {"reals", std::vector<double>{-0.0, 1e300}},
               {"empty", Dims{}}};
  add.program = 0;
  add.workspace_offset = 64;
  add.workspace_bytes = 63;
  add.device = 1;
  RowOperand operand;
  operand.tensor = 1;
  operand.dtype = DType::bf16;
  operand.row = true;
  operand.offset = -3;
  operand.dims = {2, 5};
  operand.strides = {0, 1};
  RowProgram program;
  program.rows = 2;
  program.width = 5;
  program.full_registers = 3;
  program.row_registers = 4;
  program.operands = {operand, RowOperand{}};
  program.phases = {{{row_instruction(RowOp::load, 2, 0)}, {row_instruction(RowOp::store_row, 3, 1)}}, {}};
  plan.programs = {program};
  return plan;
}

std::string message_of(std::span<const std::byte> bytes, Checksums checksums = Checksums::verify) {
  return error_of(Kind::format, [&] { plan_from_bytes(bytes, "p.plan", checksums); });
}

TEST(PlanFile, round_trip_is_exact) {
  const Plan plan = full_plan();
  const std::vector<std::byte> bytes = plan_to_bytes(plan);
  const Plan back = plan_from_bytes(bytes, "p.plan");
  EXPECT_EQ(plan_to_bytes(back), bytes);
  // The text form is made by other code than the file, so equal texts show that nothing was lost in writing.
  EXPECT_EQ(to_text(back), to_text(plan));
  EXPECT_EQ(back.instructions[0].attrs, plan.instructions[0].attrs);
  EXPECT_EQ(back.constants, plan.constants);
  EXPECT_EQ(back.outputs[0].donor, 3);
  EXPECT_EQ(back.instructions[0].workspace_bytes, 63);
  const RowOperand &a = back.programs[0].operands[0], &b = plan.programs[0].operands[0];
  EXPECT_EQ(std::tie(a.tensor, a.dtype, a.row, a.offset, a.dims, a.strides),
            std::tie(b.tensor, b.dtype, b.row, b.offset, b.dims, b.strides));
  const RowInstruction &i = back.programs[0].phases[0].after[0], &j = plan.programs[0].phases[0].after[0];
  EXPECT_EQ(std::tie(i.op, i.dst, i.a, i.b, i.c, i.operand, i.immediate),
            std::tie(j.op, j.dst, j.a, j.b, j.c, j.operand, j.immediate));
  EXPECT_EQ(plan_to_bytes(plan_from_bytes(plan_to_bytes(Plan{}), "p.plan")), plan_to_bytes(Plan{}));
}

TEST(PlanFile, constants_start_at_a_multiple_of_64) {
  const Plan plan = small_plan();
  const std::vector<std::byte> bytes = plan_to_bytes(plan);
  uint64_t offset = 0;
  std::memcpy(&offset, bytes.data() + 32, 8);
  EXPECT_EQ(offset % 64, 0u);
  EXPECT_EQ(std::memcmp(bytes.data() + offset, plan.constants.data(), plan.constants.size()), 0);
}

TEST(PlanFile, save_and_load) {
  const std::string path = testing::TempDir() + "/plan_file_test.plan";
  save_plan(small_plan(), path);
  const Plan plan = load_plan(path);
  EXPECT_NO_THROW(validate(plan));
  EXPECT_EQ(to_text(plan), to_text(small_plan()));
  write_file_atomic(path, "not a plan");
  EXPECT_TEXT(error_of(Kind::format, [&] { load_plan(path); }),
              "plan file '" + path + "': byte 0: is no plan: does not start with 'HEARTHPL'");
  write_file_atomic(path, "");
  EXPECT_THROW(load_plan(path), Error);
  remove_tree(path);
  EXPECT_THROW(load_plan(path), Error);
}

TEST(PlanFile, every_truncation_is_refused) {
  const std::vector<std::byte> bytes = plan_to_bytes(full_plan());
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::span<const std::byte> part(bytes.data(), size);
    EXPECT_NE(message_of(part), "") << size;
  }
}

// As above, but with a header that agrees with the shorter file: the reader itself must find the end.
TEST(PlanFile, every_truncation_of_the_structure_is_refused) {
  Plan plan = full_plan();
  plan.constants.clear();
  std::vector<std::byte> bytes = plan_to_bytes(plan);
  uint64_t structure_bytes = 0;
  std::memcpy(&structure_bytes, bytes.data() + 24, 8);
  for (uint64_t size = 0; size < structure_bytes; ++size) {
    const uint64_t file_bytes = (64 + size + 63) / 64 * 64;
    std::vector<std::byte> part(bytes.begin(), bytes.begin() + int64_t(64 + size));
    part.resize(file_bytes);
    std::memcpy(part.data() + 16, &file_bytes, 8);
    std::memcpy(part.data() + 24, &size, 8);
    std::memcpy(part.data() + 32, &file_bytes, 8);
    const std::string message = message_of(part, Checksums::ignore);
    EXPECT_TRUE(message.find("does not fit") != std::string::npos ||
                message.find("the middle of a value") != std::string::npos)
        << size << ": " << message;
  }
}

TEST(PlanFile, every_flipped_bit_is_refused) {
  const std::vector<std::byte> bytes = plan_to_bytes(full_plan());
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::vector<std::byte> damaged = bytes;
    damaged[bit / 8] ^= std::byte(1 << bit % 8);
    EXPECT_NE(message_of(damaged), "") << bit;
  }
}

TEST(PlanFile, messages_give_the_byte) {
  std::vector<std::byte> bytes = plan_to_bytes(small_plan());
  bytes[8] = std::byte{9};
  EXPECT_TEXT(message_of(bytes), "plan file 'p.plan': byte 8: has format version 9; this program reads version 3");
  bytes[8] = std::byte{3};
  bytes[64] = std::byte{200};  // number of devices
  EXPECT_TEXT(message_of(bytes), "byte 64: the structure's checksum is wrong");
  bytes[70] = std::byte{1};
  EXPECT_TEXT(message_of(bytes, Checksums::ignore),
              "byte 64: a count of 281474976710856 does not fit in the rest of the file");
  bytes.pop_back();
  EXPECT_TEXT(message_of(bytes), "byte 16: says that the file has");
}

}  // namespace
}  // namespace hearth
