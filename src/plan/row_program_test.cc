// SPDX-License-Identifier: Apache-2.0
#include "plan/row_program.h"

#include <gtest/gtest.h>

#include <bit>
#include <functional>

#include "base/file_test_folder.h"

namespace hearth {
namespace {

const std::vector<TensorType> kIn = {{DType::f32, {4, 6}}, {DType::f32, {4}}},
                              kOut = {{DType::f32, {4, 6}}, {DType::f32, {4}}};

// out0 = x * spread(1 / sum(x)), out1 = sum(x)
RowProgram good_program() {
  RowProgram p{.rows = 4, .width = 6, .full_registers = 3, .row_registers = 2, .operands = {}, .phases = {}};
  p.operands.push_back({0, DType::f32, false, 0, {4, 6}, {6, 1}});
  p.operands.push_back({1, DType::f32, true, 0, {4}, {1}});
  RowPhase sum, scale;
  sum.tiles = {{.op = RowOp::load, .dst = 0, .operand = 0}, {.op = RowOp::sum_f32, .dst = 0, .a = 0}};
  sum.after = {{.op = RowOp::store_row, .a = 0, .operand = 1},
               {.op = RowOp::constant, .dst = 1, .immediate = std::bit_cast<uint32_t>(1.0f)},
               {.op = RowOp::div_f32, .dst = 1, .a = 1, .b = 0}};
  scale.tiles = {{.op = RowOp::load, .dst = 0, .operand = 0},
                 {.op = RowOp::spread, .dst = 1, .a = 1},
                 {.op = RowOp::mul_f32, .dst = 2, .a = 0, .b = 1},
                 {.op = RowOp::store, .a = 2, .operand = 0}};
  p.phases = {sum, scale};
  return p;
}

TEST(RowProgramData, InputsOfEveryInstruction) {
  for (int i = 0; i < int(RowOp::count); ++i) {
    const std::string text = name(RowOp(i));
    const auto starts = [&](std::initializer_list<const char*> heads) {
      for (const char* head : heads) {
        if (text.rfind(head, 0) == 0) return true;
      }
      return false;
    };
    int want = 1;
    if (starts({"none", "load", "iota", "constant"})) want = 0;
    if (starts({"add_",  "sub_", "mul_", "div_", "max_f", "max_i", "max_u", "min_f", "min_i", "min_u", "pow_", "rem_",
                "atan2", "and_", "or_",  "xor_", "shl_",  "shr_",  "eq_",   "ne_",   "lt_",   "le_",   "gt_",  "ge_"}))
      want = 2;
    if (starts({"and_row", "or_row"})) want = 1;
    if (starts({"select"})) want = 3;
    EXPECT_EQ(inputs_of(RowOp(i)), want) << text;
  }
  EXPECT_STREQ(name(RowOp::min_row_i32), "min_row_i32");
}

TEST(RowProgramData, GoodProgramPassesAndPrints) {
  validate(good_program(), kIn, kOut);
  EXPECT_EQ(to_text(good_program()),
            "4 rows x 6, 3 full and 2 row registers\n"
            "  operand 0: tensor 0 f32 dims [4,6] strides [6,1]\n"
            "  operand 1: tensor 1 f32 per row dims [4] strides [1]\n"
            "  phase 0\n"
            "    f0 = load operand 0\n"
            "    r0 = sum_f32 f0\n"
            "  after\n"
            "    store_row r0 -> operand 1\n"
            "    r1 = constant 0x3f800000 (1)\n"
            "    r1 = div_f32 r1, r0\n"
            "  phase 1\n"
            "    f0 = load operand 0\n"
            "    f1 = spread r1\n"
            "    f2 = mul_f32 f0, f1\n"
            "    store f2 -> operand 0\n");
}

struct Bad {
  const char* message;  // a part of it
  std::function<void(RowProgram&)> damage;
};

TEST(RowProgramData, EachDamageIsRefused) {
  const std::vector<Bad> cases = {
      {"-1 rows", [](RowProgram& p) { p.rows = -1; }},
      {"rows of", [](RowProgram& p) { p.rows = p.width = int64_t(1) << 40; }},
      {"65 full", [](RowProgram& p) { p.full_registers = 65; }},
      {"-1 row registers", [](RowProgram& p) { p.row_registers = -1; }},
      {"1 strides", [](RowProgram& p) { p.operands[0].strides.pop_back(); }},
      {"17 dims", [](RowProgram& p) { p.operands[0].dims = p.operands[0].strides = Dims(17, 1); }},
      {"wanted 24 elements",
       [](RowProgram& p) {
         p.operands[0].dims = {4, 5};
       }},
      {"wanted 24 elements",
       [](RowProgram& p) {
         p.operands[0].dims = {-4, -6};
       }},
      {"wanted 24 elements",
       [](RowProgram& p) {
         p.operands[0].dims = {INT64_MAX, INT64_MAX};
       }},
      {"leave 64 bits",
       [](RowProgram& p) {
         p.operands[0].strides = {INT64_MAX, INT64_MAX};
       }},
      {"no such instruction: 0", [](RowProgram& p) { p.phases[0].tiles[0].op = RowOp::none; }},
      {"no such instruction: 999", [](RowProgram& p) { p.phases[0].tiles[0].op = RowOp(999); }},
      {"do not interleave by 3", [](RowProgram& p) { p.inner = 3; }},
      {"do not interleave by 0", [](RowProgram& p) { p.inner = 0; }},
      {"has 4 bytes, the instruction reads 8", [](RowProgram& p) { p.phases[1].tiles[2].op = RowOp::add_f64; }},
      {"has 4 bytes, the instruction reads 8", [](RowProgram& p) { p.phases[1].tiles[1].op = RowOp::spread_64; }},
      {"has 8 bytes, the instruction reads 4", [](RowProgram& p) { p.phases[0].after[1].op = RowOp::constant_64; }},
      {"cannot come after", [](RowProgram& p) { p.phases[0].after[0].op = RowOp::load; }},
      {"cannot come after", [](RowProgram& p) { p.phases[0].after[0].op = RowOp::spread; }},
      {"cannot come after", [](RowProgram& p) { p.phases[0].after[2].op = RowOp::sum_f32; }},
      {"register 3 of 3", [](RowProgram& p) { p.phases[1].tiles[2].a = 3; }},
      {"register 3 of 3", [](RowProgram& p) { p.phases[1].tiles[2].dst = 3; }},
      {"register 2 of 2", [](RowProgram& p) { p.phases[0].tiles[1].dst = 2; }},
      {"register f2 has no value", [](RowProgram& p) { p.phases[1].tiles[2].a = 2; }},
      {"register r1 has no value", [](RowProgram& p) { p.phases[0].after.pop_back(), p.phases[0].after.pop_back(); }},
      {"register f2 has no value",
       [](RowProgram& p) { p.phases[0].tiles[0].dst = 2, p.phases[0].tiles[1].a = 2, p.phases[1].tiles[2].b = 2; }},
      {"register r0 has no value",
       [](RowProgram& p) { p.phases[0].tiles.push_back({.op = RowOp::spread, .dst = 1, .a = 0}); }},
      {"another reduction",
       [](RowProgram& p) { p.phases[0].tiles.push_back({.op = RowOp::max_row_f32, .dst = 0, .a = 0}); }},
      {"there are 2 operands", [](RowProgram& p) { p.phases[0].tiles[0].operand = 2; }},
      {"operand has one element per row", [](RowProgram& p) { p.phases[0].tiles[0].operand = 1; }},
      {"operand has one element per element", [](RowProgram& p) { p.phases[0].after[0].operand = 0; }},
      {"iota reads no tensor", [](RowProgram& p) { p.phases[0].tiles[0].op = RowOp::iota_f32; }},
      {"tensor -1 of 2 inputs", [](RowProgram& p) { p.operands[0].tensor = -1; }},
      {"tensor 2 of 2 outputs", [](RowProgram& p) { p.operands[1].tensor = 2; }},
      {"operand is bf16, tensor is f32[4,6]", [](RowProgram& p) { p.operands[0].dtype = DType::bf16; }},
      {"positions 1 to 24", [](RowProgram& p) { p.operands[0].offset = 1; }},
      {"positions -18 to 5",
       [](RowProgram& p) {
         p.operands[0].strides = {-6, 1};
       }},
      {"may write an element twice",
       [](RowProgram& p) {
         p.operands[0].strides = {0, 1};
       }},
      {"may write an element twice",
       [](RowProgram& p) {
         p.operands[0].strides = {1, 1};
       }},
  };
  for (const Bad& bad : cases) {
    RowProgram program = good_program();
    bad.damage(program);
    EXPECT_TEXT(error_of(Kind::format, [&] { validate(program, kIn, kOut); }), bad.message);
  }
}

TEST(RowProgramData, StoresNeedARegisterOfTheirWidth) {
  RowProgram program = good_program();
  program.operands.push_back({0, DType::f64, false, 0, {4, 6}, {6, 1}});
  program.phases[1].tiles[3].operand = 2;
  EXPECT_TEXT(error_of(Kind::format,
                       [&] {
                         validate(program, kIn, {{DType::f64, {4, 6}}, kOut[1]});
                       }),
              "register f2 has 4 bytes, the instruction reads 8");
}

TEST(RowProgramData, WideProgramsPassAndPrint) {
  RowProgram p{
      .rows = 4, .width = 3, .inner = 2, .full_registers = 2, .row_registers = 1, .operands = {}, .phases = {}};
  p.operands.push_back({0, DType::f64, false, 0, {12}, {1}});
  p.operands.push_back({0, DType::f64, true, 0, {4}, {1}});
  RowPhase sum;
  sum.tiles = {{.op = RowOp::load, .dst = 0, .operand = 0},
               {.op = RowOp::constant_64, .dst = 1, .immediate = std::bit_cast<uint64_t>(2.0)},
               {.op = RowOp::mul_f64, .dst = 1, .a = 0, .b = 1},
               {.op = RowOp::sum_f64, .dst = 0, .a = 1}};
  sum.after = {{.op = RowOp::store_row, .a = 0, .operand = 1}};
  p.phases = {sum};
  validate(p, {{DType::f64, {2, 3, 2}}}, {{DType::f64, {4}}});
  EXPECT_EQ(to_text(p),
            "4 rows x 3, interleaved by 2, 2 full and 1 row registers\n"
            "  operand 0: tensor 0 f64 dims [12] strides [1]\n"
            "  operand 1: tensor 0 f64 per row dims [4] strides [1]\n"
            "  phase 0\n"
            "    f0 = load operand 0\n"
            "    f1 = constant_64 0x4000000000000000 (2)\n"
            "    f1 = mul_f64 f0, f1\n"
            "    r0 = sum_f64 f1\n"
            "  after\n"
            "    store_row r0 -> operand 1\n");
}

TEST(RowProgramData, TransposedStoreIsAllowed) {
  RowProgram program = good_program();
  program.operands.push_back({0, DType::f32, false, 23, {4, 6}, {-1, -4}});
  program.phases[1].tiles[3].operand = 2;
  validate(program, kIn, kOut);
}

}  // namespace
}  // namespace hearth
