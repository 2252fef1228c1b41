// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/row_program_test_kit.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace hearth::row_test {

std::vector<Isa> isas() {
  std::vector<Isa> all;
  for (Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (isa <= best_isa()) all.push_back(isa);
  }
  return all;
}

static void run_args(Isa isa, const RowProgram& program, Tensors* in, Tensors* out) {
  std::vector<TensorArg> in_args, out_args;
  std::vector<TensorType> in_types, out_types;
  for (Tensor& t : *in) in_args.push_back({t.bytes.data(), &t.type}), in_types.push_back(t.type);
  for (Tensor& t : *out) out_args.push_back({t.bytes.data(), &t.type}), out_types.push_back(t.type);
  validate(program, in_types, out_types);
  const Attrs none;
  run_row_program_with(isa, {in_args, out_args, none, &program});
}

void run(Isa isa, const RowProgram& program, const Tensors& in, Tensors* out) {
  Tensors copy = in;
  run_args(isa, program, &copy, out);
}
void run_in_place(Isa isa, const RowProgram& program, Tensors* tensors) { run_args(isa, program, tensors, tensors); }

// NaN wins, and +0 is above -0.
static double larger(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return NAN;
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

static std::optional<double> define_float(RowOp op, double a, double b) {
  switch (op) {
    case RowOp::add_f32: return a + b;
    case RowOp::sub_f32: return a - b;
    case RowOp::mul_f32: return a * b;
    case RowOp::div_f32: return a / b;
    case RowOp::max_f32: return larger(a, b);
    case RowOp::min_f32: return -larger(-a, -b);
    case RowOp::pow_f32: return std::pow(a, b);
    case RowOp::rem_f32: return std::fmod(a, b);
    case RowOp::atan2_f32: return std::atan2(a, b);
    case RowOp::neg_f32: return -a;
    case RowOp::abs_f32: return std::fabs(a);
    case RowOp::sign_f32: return a > 0 ? 1 : a < 0 ? -1 : a;
    case RowOp::exp_f32: return std::exp(a);
    case RowOp::log_f32: return std::log(a);
    case RowOp::sqrt_f32: return std::sqrt(a);
    case RowOp::rsqrt_f32: return 1 / std::sqrt(a);
    case RowOp::logistic_f32: return 1 / (1 + std::exp(-a));
    case RowOp::tanh_f32: return std::tanh(a);
    case RowOp::sin_f32: return std::sin(a);
    case RowOp::cos_f32: return std::cos(a);
    case RowOp::floor_f32: return std::floor(a);
    case RowOp::ceil_f32: return std::ceil(a);
    case RowOp::expm1_f32: return std::expm1(a);
    case RowOp::log1p_f32: return std::log1p(a);
    case RowOp::cbrt_f32: return std::cbrt(a);
    case RowOp::tan_f32: return std::tan(a);
    case RowOp::erf_f32: return std::erf(a);
    case RowOp::round_even_f32: return std::nearbyint(a);
    case RowOp::round_away_f32: return std::round(a);
    case RowOp::round_bf16: return float(bf16(float(a)));
    case RowOp::round_f16: return float(f16(float(a)));
    default: return std::nullopt;
  }
}

static std::optional<bool> define_test(RowOp op, float a, float b, uint32_t ua, uint32_t ub) {
  const int32_t ia = int32_t(ua), ib = int32_t(ub);
  switch (op) {
    case RowOp::eq_f32: return a == b;
    case RowOp::ne_f32: return a != b;
    case RowOp::lt_f32: return a < b;
    case RowOp::le_f32: return a <= b;
    case RowOp::gt_f32: return a > b;
    case RowOp::ge_f32: return a >= b;
    case RowOp::eq_i32: return ia == ib;
    case RowOp::ne_i32: return ia != ib;
    case RowOp::lt_i32: return ia < ib;
    case RowOp::le_i32: return ia <= ib;
    case RowOp::gt_i32: return ia > ib;
    case RowOp::ge_i32: return ia >= ib;
    case RowOp::lt_u32: return ua < ub;
    case RowOp::le_u32: return ua <= ub;
    case RowOp::gt_u32: return ua > ub;
    case RowOp::ge_u32: return ua >= ub;
    case RowOp::is_finite_f32: return std::isfinite(a);
    case RowOp::not_bool: return ua == 0;
    case RowOp::f32_to_bool: return a != 0;
    default: return std::nullopt;
  }
}

// In 64 bits; the caller keeps the low 32.
static std::optional<int64_t> define_integer(RowOp op, uint32_t ua, uint32_t ub, uint32_t uc) {
  const int64_t a = int32_t(ua), b = int32_t(ub), x = ua, y = ub;
  switch (op) {
    case RowOp::add_i32: return a + b;
    case RowOp::sub_i32: return a - b;
    case RowOp::mul_i32: return a * b;
    case RowOp::max_i32: return std::max(a, b);
    case RowOp::min_i32: return std::min(a, b);
    case RowOp::max_u32: return std::max(x, y);
    case RowOp::min_u32: return std::min(x, y);
    case RowOp::neg_i32: return -a;
    case RowOp::abs_i32: return std::abs(a);
    case RowOp::sign_i32: return a > 0 ? 1 : a < 0 ? -1 : 0;
    case RowOp::and_u32: return x & y;
    case RowOp::or_u32: return x | y;
    case RowOp::xor_u32: return x ^ y;
    case RowOp::not_u32: return ~x;
    case RowOp::popcnt_u32: return std::popcount(ua);
    case RowOp::clz_u32: return std::countl_zero(ua);
    case RowOp::shl_u32: return ub >= 32 ? 0 : x << ub;
    case RowOp::shr_u32: return ub >= 32 ? 0 : x >> ub;
    case RowOp::shr_i32: return a >> std::min<uint32_t>(ub, 31);
    case RowOp::select: return ua != 0 ? y : int64_t(uc);
    case RowOp::copy: return x;
    default: return std::nullopt;
  }
}

static int64_t saturate(double x, double low, double high) {
  return std::isnan(x) ? 0 : int64_t(std::trunc(std::clamp(x, low, high)));
}

std::optional<uint32_t> define(RowOp op, uint32_t a, uint32_t b, uint32_t c) {
  const float fa = std::bit_cast<float>(a), fb = std::bit_cast<float>(b);
  if (const auto value = define_float(op, fa, fb)) return std::bit_cast<uint32_t>(float(*value));
  if (const auto value = define_test(op, fa, fb, a, b)) return *value ? 1 : 0;
  if (const auto value = define_integer(op, a, b, c)) return uint32_t(*value);
  switch (op) {
    case RowOp::f32_to_i32: return uint32_t(saturate(fa, -0x1p31, 0x1p31 - 1));
    case RowOp::f32_to_u32: return uint32_t(saturate(fa, 0, 0x1p32 - 1));
    case RowOp::i32_to_f32: return std::bit_cast<uint32_t>(float(int32_t(a)));
    case RowOp::u32_to_f32: return std::bit_cast<uint32_t>(float(a));
    default: return std::nullopt;
  }
}

bool is_float_result(RowOp op) {
  return define_float(op, 1, 1) || op == RowOp::i32_to_f32 || op == RowOp::u32_to_f32 ||
         (op >= RowOp::sum_f32 && op <= RowOp::prod_f32);
}

double ulps_between(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : 1e30;
  const auto order = [](float x) {
    const int32_t i = std::bit_cast<int32_t>(x);
    return i < 0 ? int64_t(std::numeric_limits<int32_t>::min()) - i - 1 : int64_t(i);
  };
  return double(std::abs(order(a) - order(b)));
}

namespace {

struct SlowReduction {
  double value;
  explicit SlowReduction(RowOp op) {
    switch (op) {
      case RowOp::prod_f32: value = 1; break;
      case RowOp::max_row_f32: value = -INFINITY; break;
      case RowOp::min_row_f32: value = INFINITY; break;
      case RowOp::max_row_i32: value = -0x1p31; break;
      case RowOp::min_row_i32: value = 0x1p31 - 1; break;
      default: value = 0;
    }
  }
  void take(RowOp op, uint32_t bits) {
    const double f = std::bit_cast<float>(bits), i = int32_t(bits);
    switch (op) {
      case RowOp::sum_f32: value += f; break;
      case RowOp::prod_f32: value *= f; break;
      case RowOp::max_row_f32: value = larger(value, f); break;
      case RowOp::min_row_f32: value = -larger(-value, -f); break;
      case RowOp::sum_i32: value += i; break;
      case RowOp::max_row_i32: value = std::max(value, i); break;
      default: value = std::min(value, i);
    }
  }
  uint32_t bits(RowOp op) const {
    return is_float_result(op) ? std::bit_cast<uint32_t>(float(value)) : uint32_t(int64_t(value));
  }
};

int64_t position_of(const RowOperand& operand, int64_t element) {
  int64_t position = operand.offset;
  for (size_t d = operand.dims.size(); d-- > 0; element /= operand.dims[d]) {
    position += element % operand.dims[d] * operand.strides[d];
  }
  return position;
}

uint32_t read(const Tensor& t, int64_t i) {
  switch (t.type.dtype) {
    case DType::boolean: return t.at<uint8_t>(i) != 0;
    case DType::i8: return uint32_t(t.at<int8_t>(i));
    case DType::i16: return uint32_t(t.at<int16_t>(i));
    case DType::u8: return t.at<uint8_t>(i);
    case DType::u16: return t.at<uint16_t>(i);
    case DType::f16: return std::bit_cast<uint32_t>(float(t.at<f16>(i)));
    case DType::bf16: return std::bit_cast<uint32_t>(float(t.at<bf16>(i)));
    default: return t.at<uint32_t>(i);
  }
}

void write(Tensor* t, int64_t i, uint32_t bits) {
  const float f = std::bit_cast<float>(bits);
  uint32_t value = bits;
  if (t->type.dtype == DType::boolean) value = bits != 0;
  if (t->type.dtype == DType::f16) value = f16(f).bits;
  if (t->type.dtype == DType::bf16) value = bf16(f).bits;
  const size_t size = size_t(size_bytes(t->type.dtype));
  std::memcpy(t->bytes.data() + size_t(i) * size, &value, size);  // little-endian: the low bytes
}

struct SlowRunner {
  const RowProgram& program;
  const Tensors& in;
  Tensors* out;
  uint32_t full[256] = {}, row[256] = {};

  void step(const RowInstruction& i, int64_t element, bool per_row) {
    uint32_t* registers = per_row ? row : full;
    const RowOperand* operand = i.operand < program.operands.size() ? &program.operands[i.operand] : nullptr;
    switch (i.op) {
      case RowOp::load:
      case RowOp::load_row:
        registers[i.dst] = read(in[size_t(operand->tensor)], position_of(*operand, element));
        return;
      case RowOp::store:
      case RowOp::store_row:
        write(&(*out)[size_t(operand->tensor)], position_of(*operand, element), registers[i.a]);
        return;
      case RowOp::iota_i32: registers[i.dst] = uint32_t(position_of(*operand, element)); return;
      case RowOp::iota_f32: registers[i.dst] = std::bit_cast<uint32_t>(float(position_of(*operand, element))); return;
      case RowOp::constant: registers[i.dst] = i.immediate; return;
      case RowOp::spread: full[i.dst] = row[i.a]; return;
      default: registers[i.dst] = define(i.op, registers[i.a], registers[i.b], registers[i.c]).value();
    }
  }

  void run_row(int64_t r) {
    for (const RowPhase& phase : program.phases) {
      std::vector<SlowReduction> sums;
      for (const RowInstruction& i : phase.tiles) {
        if (i.op == RowOp::load_row || i.op == RowOp::store_row) step(i, r, true);
        sums.emplace_back(i.op);
      }
      for (int64_t c = 0; c < program.width; ++c) {
        for (size_t n = 0; n < phase.tiles.size(); ++n) {
          const RowInstruction& i = phase.tiles[n];
          if (is_reduction(i.op))
            sums[n].take(i.op, full[i.a]);
          else if (i.op != RowOp::load_row && i.op != RowOp::store_row)
            step(i, r * program.width + c, false);
        }
      }
      for (size_t n = 0; n < phase.tiles.size(); ++n) {
        if (is_reduction(phase.tiles[n].op)) row[phase.tiles[n].dst] = sums[n].bits(phase.tiles[n].op);
      }
      for (const RowInstruction& i : phase.after) step(i, r, true);
    }
  }
};

}  // namespace

void run_slowly(const RowProgram& program, const Tensors& in, Tensors* out) {
  SlowRunner runner{program, in, out};
  for (int64_t r = 0; r < program.rows; ++r) runner.run_row(r);
}

}  // namespace hearth::row_test
