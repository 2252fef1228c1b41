// SPDX-License-Identifier: Apache-2.0
#include "plan/row_program.h"

#include <algorithm>
#include <sstream>

#include "base/error.h"

namespace hearth {

namespace {

// Bytes of the registers of each instruction: result, inputs.
struct Widths {
  uint8_t result, in[3];
};
constexpr Widths kWidths[] = {
#define HEARTH_ROW(name) {4, {4, 4, 4}},
    HEARTH_ROW_OPS(HEARTH_ROW)
#undef HEARTH_ROW
#define HEARTH_ROW(name, result, a, b, c) {result, {a, b, c}},
        HEARTH_WIDE_ROW_OPS(HEARTH_ROW)
#undef HEARTH_ROW
#define HEARTH_ROW(name, bytes) {bytes, {bytes, 0, 0}},
            HEARTH_ROW_REDUCTIONS(HEARTH_ROW)
#undef HEARTH_ROW
};
constexpr const Widths& widths_of(RowOp op) { return kWidths[size_t(op)]; }

bool is_store(RowOp op) { return op == RowOp::store || op == RowOp::store_row; }
bool is_load(RowOp op) { return op == RowOp::load || op == RowOp::load_row; }
bool has_operand(RowOp op) { return is_iota(op) || is_store(op) || is_load(op); }

}  // namespace

const char* name(RowOp op) {
  static constexpr const char* kNames[] = {
#define HEARTH_ROW(name, ...) #name,
      HEARTH_ROW_OPS(HEARTH_ROW) HEARTH_WIDE_ROW_OPS(HEARTH_ROW) HEARTH_ROW_REDUCTIONS(HEARTH_ROW)
#undef HEARTH_ROW
  };
  return op < RowOp::count ? kNames[size_t(op)] : "?";
}

int inputs_of(RowOp op) {
  if (op < RowOp::store || op >= RowOp::count || op == RowOp::load_row) return 0;
  if (op > RowOp::copy) {
    const Widths& widths = widths_of(op);
    return (widths.in[0] > 0) + (widths.in[1] > 0) + (widths.in[2] > 0);
  }
  if (op == RowOp::select) return 3;
  if (op >= RowOp::add_f32 && op <= RowOp::atan2_f32) return 2;
  if (op >= RowOp::add_i32 && op <= RowOp::min_u32) return 2;
  if (op >= RowOp::and_u32 && op <= RowOp::xor_u32) return 2;
  if (op >= RowOp::shl_u32 && op <= RowOp::ge_u32) return 2;
  return 1;
}

int result_bytes(const RowProgram& program, const RowInstruction& i) {
  if (is_store(i.op)) return 0;
  return is_load(i.op) ? register_bytes(program.operands[i.operand].dtype) : widths_of(i.op).result;
}

int input_bytes(const RowProgram& program, const RowInstruction& i, int k) {
  return is_store(i.op) ? register_bytes(program.operands[i.operand].dtype) : widths_of(i.op).in[k];
}

namespace {

// Which kind of register an instruction of a tile list reads and writes; those of an `after` list always use row ones.
bool reads_row(RowOp op, bool after) { return after || is_spread(op) || op == RowOp::store_row; }
bool writes_row(RowOp op, bool after) { return after || op == RowOp::load_row || is_reduction(op); }

std::string show(const RowInstruction& i, bool after) {
  std::ostringstream out;
  if (!is_store(i.op)) out << (writes_row(i.op, after) ? "r" : "f") << int(i.dst) << " = ";
  out << name(i.op);
  const uint8_t reads[3] = {i.a, i.b, i.c};
  for (int n = 0; n < inputs_of(i.op); ++n)
    out << (n ? ", " : " ") << (reads_row(i.op, after) ? "r" : "f") << int(reads[n]);
  if (has_operand(i.op)) out << (is_store(i.op) ? " -> " : " ") << "operand " << i.operand;
  if (i.op == RowOp::constant)
    out << " 0x" << std::hex << i.immediate << " (" << std::bit_cast<float>(uint32_t(i.immediate)) << ")";
  else if (is_constant(i.op))
    out << " 0x" << std::hex << i.immediate << " (" << std::bit_cast<double>(i.immediate) << ")";
  return out.str();
}

// True when no two indices reach one position, by a condition that every slice, transpose and reversal of a dense
// tensor meets: ordered by stride, each stride is larger than the span of all smaller ones.
bool writes_each_once(const RowOperand& operand) {
  std::vector<std::pair<__int128, int64_t>> axes;  // |stride|, dim
  for (size_t d = 0; d < operand.dims.size(); ++d) {
    if (operand.dims[d] > 1)
      axes.emplace_back(operand.strides[d] < 0 ? -__int128(operand.strides[d]) : operand.strides[d], operand.dims[d]);
  }
  std::sort(axes.begin(), axes.end());
  __int128 span = 0;
  for (const auto& [stride, dim] : axes) {
    if (stride <= span) return false;
    span += stride * (dim - 1);
  }
  return true;
}

class Checker {
 public:
  Checker(const RowProgram& program, const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs)
      : program_(program), inputs_(inputs), outputs_(outputs) {}

  void run() {
    check_sizes();
    for (size_t i = 0; i < program_.operands.size(); ++i) check_shape(i);
    for (size_t p = 0; p < program_.phases.size(); ++p) {
      full_ = reduced_ = 0;
      for (size_t i = 0; i < program_.phases[p].tiles.size(); ++i)
        check_instruction(program_.phases[p].tiles[i], p, i, false);
      row_ |= reduced_;
      for (size_t i = 0; i < program_.phases[p].after.size(); ++i)
        check_instruction(program_.phases[p].after[i], p, i, true);
    }
  }

 private:
  void check_sizes() const {
    HEARTH_CHECK(
        program_.rows >= 0 && program_.width >= 0 && __int128(program_.rows) * program_.width < (__int128(1) << 62),
        format, "row program: cannot have ", program_.rows, " rows of ", program_.width);
    HEARTH_CHECK(program_.full_registers >= 0 && program_.full_registers <= kMaxRowRegisters &&
                     program_.row_registers >= 0 && program_.row_registers <= kMaxRowRegisters,
                 format, "row program: ", program_.full_registers, " full and ", program_.row_registers,
                 " row registers; at most ", kMaxRowRegisters, " of each");
    HEARTH_CHECK(program_.inner >= 1 && program_.rows % program_.inner == 0, format, "row program: ", program_.rows,
                 " rows do not interleave by ", program_.inner);
  }

  // The number of elements is right and every position lies within int64.
  void check_shape(size_t number) const {
    const RowOperand& operand = program_.operands[number];
    HEARTH_CHECK(operand.dims.size() == operand.strides.size() && operand.dims.size() <= size_t(kMaxRowDims), format,
                 "row program: operand ", number, " has ", operand.dims.size(), " dims and ", operand.strides.size(),
                 " strides; wanted as many, at most ", kMaxRowDims);
    const int64_t wanted = operand.row ? program_.rows : program_.rows * program_.width;
    __int128 elements = 1;
    bool fits = true;
    for (int64_t d : operand.dims) {
      fits = fits && d >= 0;
      elements *= d;
      // A zero further on makes the product 0, but then each dim must be modest too.
      fits = fits && elements < (__int128(1) << 62);
      if (!fits) break;
    }
    HEARTH_CHECK(fits && elements == wanted, format, "row program: operand ", number, " has dims ",
                 ShowDims{operand.dims}, "; wanted ", wanted, " elements for ", program_.rows, " rows of ",
                 operand.row ? 1 : program_.width);
    if (elements == 0) return;
    const auto [low, high] = span(operand);
    HEARTH_CHECK(low > -(__int128(1) << 62) && high < (__int128(1) << 62), format, "row program: operand ", number,
                 " has strides ", ShowDims{operand.strides}, " that leave 64 bits");
  }

  static std::pair<__int128, __int128> span(const RowOperand& operand) {
    __int128 low = operand.offset, high = operand.offset;
    for (size_t d = 0; d < operand.dims.size(); ++d) {
      (operand.strides[d] < 0 ? low : high) += __int128(operand.dims[d] - 1) * operand.strides[d];
    }
    return {low, high};
  }

  void check_instruction(const RowInstruction& i, size_t phase, size_t number, bool after) {
    const auto where = [&] {
      return cat("row program: phase ", phase, after ? " after " : " instruction ", number, " (", show(i, after),
                 "): ");
    };
    HEARTH_CHECK(i.op > RowOp::none && i.op < RowOp::count, format, where(), "no such instruction: ", int(i.op));
    HEARTH_CHECK(!after || (i.op != RowOp::load && i.op != RowOp::store && !is_spread(i.op) && !is_reduction(i.op)),
                 format, where(), "works on full registers and cannot come after the tiles");
    if (has_operand(i.op)) check_operand(i, where(), after);
    const uint8_t reads[3] = {i.a, i.b, i.c};
    for (int n = 0; n < inputs_of(i.op); ++n) {
      const bool row = reads_row(i.op, after);
      HEARTH_CHECK(reads[n] < (row ? program_.row_registers : program_.full_registers), format, where(), "register ",
                   int(reads[n]), " of ", row ? program_.row_registers : program_.full_registers);
      const uint64_t written = row ? row_ & ~reduced_for(after) : full_;
      HEARTH_CHECK(written >> reads[n] & 1, format, where(), "register ", row ? "r" : "f", int(reads[n]),
                   " has no value there");
      const int bytes = (row ? row_bytes_ : full_bytes_)[reads[n]], wanted = input_bytes(program_, i, n);
      HEARTH_CHECK(bytes == wanted, format, where(), "register ", row ? "r" : "f", int(reads[n]), " has ", bytes,
                   " bytes, the instruction reads ", wanted);
    }
    if (!is_store(i.op)) check_written(i, where(), after);
  }

  // A reduction's register has its value only once all tiles are done.
  uint64_t reduced_for(bool after) const { return after ? 0 : reduced_; }

  void check_written(const RowInstruction& i, const std::string& where, bool after) {
    const bool row = writes_row(i.op, after);
    HEARTH_CHECK(i.dst < (row ? program_.row_registers : program_.full_registers), format, where, "register ",
                 int(i.dst), " of ", row ? program_.row_registers : program_.full_registers);
    const uint64_t bit = uint64_t(1) << i.dst;
    (row ? row_bytes_ : full_bytes_)[i.dst] = uint8_t(result_bytes(program_, i));
    HEARTH_CHECK(after || !row || !(reduced_ & bit), format, where, "register r", int(i.dst),
                 " is the result of another reduction of this phase");
    if (is_reduction(i.op))
      reduced_ |= bit;
    else
      (row ? row_ : full_) |= bit;
  }

  void check_operand(const RowInstruction& i, const std::string& where, bool after) const {
    HEARTH_CHECK(i.operand < program_.operands.size(), format, where, "there are ", program_.operands.size(),
                 " operands");
    const RowOperand& operand = program_.operands[i.operand];
    const bool row = after || i.op == RowOp::load_row || i.op == RowOp::store_row;
    HEARTH_CHECK(operand.row == row, format, where, "operand has one element per ", operand.row ? "row" : "element",
                 ", the instruction one per ", row ? "row" : "element");
    if (is_iota(i.op)) {
      HEARTH_CHECK(operand.tensor == -1, format, where, "iota reads no tensor, operand names ", operand.tensor);
      return;
    }
    const std::vector<TensorType>& tensors = is_store(i.op) ? outputs_ : inputs_;
    HEARTH_CHECK(operand.tensor >= 0 && size_t(operand.tensor) < tensors.size(), format, where, "tensor ",
                 operand.tensor, " of ", tensors.size(), is_store(i.op) ? " outputs" : " inputs");
    const TensorType& type = tensors[size_t(operand.tensor)];
    HEARTH_CHECK(operand.dtype == type.dtype, format, where, "operand is ", operand.dtype, ", tensor is ", type);
    if (program_.rows == 0 || (!operand.row && program_.width == 0)) return;
    const auto [low, high] = span(operand);
    HEARTH_CHECK(low >= 0 && high < type.elements(), format, where, "positions ", int64_t(low), " to ", int64_t(high),
                 " of tensor ", type);
    HEARTH_CHECK(!is_store(i.op) || writes_each_once(operand), format, where, "dims ", ShowDims{operand.dims},
                 " with strides ", ShowDims{operand.strides}, " may write an element twice");
  }

  const RowProgram& program_;
  const std::vector<TensorType>&inputs_, &outputs_;
  uint8_t full_bytes_[kMaxRowRegisters] = {}, row_bytes_[kMaxRowRegisters] = {};
  uint64_t full_ = 0, row_ = 0,
           reduced_ = 0;  // bit r: register r has a value; reduced_: it is a reduction of this phase
};

}  // namespace

void validate(const RowProgram& program, const std::vector<TensorType>& inputs,
              const std::vector<TensorType>& outputs) {
  Checker(program, inputs, outputs).run();
}

std::string to_text(const RowProgram& program) {
  std::ostringstream out;
  out << program.rows << " rows x " << program.width << ", ";
  if (program.inner > 1) out << "interleaved by " << program.inner << ", ";
  out << program.full_registers << " full and " << program.row_registers << " row registers\n";
  for (size_t i = 0; i < program.operands.size(); ++i) {
    const RowOperand& operand = program.operands[i];
    out << "  operand " << i << ": ";
    if (operand.tensor < 0)
      out << "positions";
    else
      out << "tensor " << operand.tensor << ' ' << operand.dtype;
    out << (operand.row ? " per row" : "") << " dims " << ShowDims{operand.dims} << " strides "
        << ShowDims{operand.strides};
    if (operand.offset != 0) out << " offset " << operand.offset;
    out << '\n';
  }
  for (size_t p = 0; p < program.phases.size(); ++p) {
    out << "  phase " << p << '\n';
    for (const RowInstruction& i : program.phases[p].tiles) out << "    " << show(i, false) << '\n';
    if (!program.phases[p].after.empty()) out << "  after\n";
    for (const RowInstruction& i : program.phases[p].after) out << "    " << show(i, true) << '\n';
  }
  return out.str();
}

}  // namespace hearth
