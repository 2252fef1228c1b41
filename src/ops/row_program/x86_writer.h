// SPDX-License-Identifier: Apache-2.0
#pragma once
// Writes x86-64 machine code on vectors of f32: with 16 registers of 32 bytes (AVX2, FMA; VEX encoding) or 32 of 64
// bytes (AVX-512 F and DQ; EVEX encoding). Most instructions have the same opcode in both.
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, sections 2.3 and 2.7.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace hearth {

enum X86Register { kRax, kRcx, kRdx, kRbx, kRsp, kRbp, kRsi, kRdi, kR8, kR9, kR10, kR11, kR12, kR13, kR14, kR15 };

struct VectorOpcode {
  uint8_t prefix;  // 0 none, 1 66, 2 F3
  uint8_t map;     // 1 0F, 2 0F38, 3 0F3A
  uint8_t code;
  bool w = false;
  uint8_t mask = 0;  // the mask register of an EVEX instruction
};

// base + rax * scale + displacement (scale 0: no rax), or a constant that lies behind the code.
struct X86Memory {
  int base = kRsp;
  int scale = 0;
  int32_t displacement = 0;
  int constant = -1;
};

using VectorWords = std::array<uint32_t, 16>;  // of the narrow vectors the first 8 count

class X86Writer {
 public:
  explicit X86Writer(bool wide) : wide_(wide) {}
  bool wide() const { return wide_; }
  int vector_bytes() const { return wide_ ? 64 : 32; }

  // The operands are called as in the manual: reg, vvvv (0 where there is none), r/m. immediate: -1 for none.
  void vector(VectorOpcode op, int reg, int vvvv, int rm, int immediate = -1);
  void vector(VectorOpcode op, int reg, int vvvv, const X86Memory& rm, int immediate = -1);
  void prefetch(const X86Memory& at, bool to_write);
  // Writes the lower half of a register.
  void store_low_half(const X86Memory& to, int reg);

  int constant(const VectorWords& words);  // for X86Memory::constant; equal ones are one

  void load_register(X86Register to, X86Register base, int32_t displacement);  // 8 bytes
  void begin();               // saves what a caller expects to find again; rsp becomes a multiple of 64, see set_stack
  void set_stack(int bytes);  // how many lie behind rsp
  void end(bool streamed);    // and returns; streamed: stores past the caches become visible first
  int start_loop();           // rax = 0; the position to come back to
  void loop_again(int position, int step);  // rax += step, back while rax < rsi

  std::vector<uint8_t> finish();  // the code and its constants, which must be aligned to 64 bytes together

 private:
  struct Patch {
    size_t at;   // of 4 bytes
    size_t end;  // of the instruction
    int constant;
  };
  void bytes(std::initializer_list<int> values) {
    for (int value : values) code_.push_back(uint8_t(value));
  }
  void word(int32_t value);
  void prefixes(VectorOpcode op, int reg, int vvvv, bool x, bool b, int length);
  void memory(int reg, const X86Memory& m, int immediate);

  bool wide_;
  std::vector<uint8_t> code_;
  std::vector<VectorWords> constants_;
  std::vector<Patch> patches_;
  size_t stack_at_ = 0;
};

}  // namespace hearth
