// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/x86_writer.h"

#include <algorithm>
#include <cstring>

namespace hearth {

namespace {
constexpr int kFull = 1, kHalf = 0;  // lengths: the whole register, or its lower half
}

void X86Writer::word(int32_t value) {
  for (int shift = 0; shift < 32; shift += 8) code_.push_back(uint8_t(uint32_t(value) >> shift));
}

// x, b: the upper bits of what r/m names. All bits of register numbers are stored inverted.
void X86Writer::prefixes(VectorOpcode op, int reg, int vvvv, bool x, bool b, int length) {
  const int r = reg & 8 ? 0 : 0x80, rx = x ? 0 : 0x40, rb = b ? 0 : 0x20, v = (~vvvv & 15) << 3, w = op.w ? 0x80 : 0;
  if (wide_) {
    bytes({0x62, r | rx | rb | (reg & 16 ? 0 : 0x10) | op.map, w | v | 4 | op.prefix,
           (length == kFull ? 0x40 : 0x20) | (vvvv & 16 ? 0 : 8) | op.mask, op.code});
  } else {
    bytes({0xc4, r | rx | rb | op.map, w | v | (length == kFull ? 4 : 0) | op.prefix, op.code});
  }
}

void X86Writer::vector(VectorOpcode op, int reg, int vvvv, int rm, int immediate) {
  prefixes(op, reg, vvvv, rm & 16, rm & 8, kFull);
  bytes({0xc0 | (reg & 7) << 3 | (rm & 7)});
  if (immediate >= 0) bytes({immediate});
}

void X86Writer::vector(VectorOpcode op, int reg, int vvvv, const X86Memory& rm, int immediate) {
  prefixes(op, reg, vvvv, false, rm.constant < 0 && rm.base & 8, kFull);
  memory(reg, rm, immediate);
}

void X86Writer::store_low_half(const X86Memory& to, int reg) {
  prefixes({0, 1, 0x11}, reg, 0, false, to.base & 8, kHalf);
  memory(reg, to, -1);
}

void X86Writer::prefetch(const X86Memory& at, bool to_write) {
  if (at.base & 8) bytes({0x41});
  bytes({0x0f, to_write ? 0x0d : 0x18});
  memory(1, at, -1);  // to all caches; to write: as their owner
}

// Displacements of 4 bytes always: those of one byte are scaled in EVEX.
void X86Writer::memory(int reg, const X86Memory& m, int immediate) {
  if (m.constant >= 0) {
    bytes({(reg & 7) << 3 | 5});
    patches_.push_back({code_.size(), code_.size() + (immediate >= 0 ? 5 : 4), m.constant});
    word(0);
  } else {
    const int scale = m.scale == 4 ? 0x80 : m.scale == 2 ? 0x40 : 0, index = m.scale == 0 ? 4 : kRax;
    bytes({0x80 | (reg & 7) << 3 | 4, scale | index << 3 | (m.base & 7)});
    word(m.displacement);
  }
  if (immediate >= 0) bytes({immediate});
}

int X86Writer::constant(const VectorWords& words) {
  const auto found = std::find(constants_.begin(), constants_.end(), words);
  if (found != constants_.end()) return int(found - constants_.begin());
  constants_.push_back(words);
  return int(constants_.size()) - 1;
}

void X86Writer::load_register(X86Register to, X86Register base, int32_t displacement) {
  bytes({0x48 | (to & 8 ? 4 : 0) | (base & 8 ? 1 : 0), 0x8b, 0x80 | (to & 7) << 3 | (base & 7)});
  if ((base & 7) == kRsp) bytes({0x24});
  word(displacement);
}

void X86Writer::begin() {
  bytes({0x55, 0x48, 0x89, 0xe5, 0x53, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57});  // push rbp, rbx, r12..r15
  bytes({0x48, 0x81, 0xec});                                                              // sub rsp
  stack_at_ = code_.size();
  word(0);
  bytes({0x48, 0x83, 0xe4, 0xc0});  // and rsp, -64
}

void X86Writer::set_stack(int bytes) {
  const int32_t size = bytes;
  std::memcpy(code_.data() + stack_at_, &size, 4);
}

void X86Writer::end(bool streamed) {
  if (streamed) bytes({0x0f, 0xae, 0xf8});                              // sfence
  bytes({0x48, 0x8d, 0x65, 0xd8});                                      // lea rsp, [rbp - 40]
  bytes({0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5b, 0x5d});  // pop r15..r12, rbx, rbp
  bytes({0xc5, 0xf8, 0x77, 0xc3});                                      // vzeroupper, ret
}

int X86Writer::start_loop() {
  bytes({0x31, 0xc0});  // xor eax, eax
  return int(code_.size());
}

void X86Writer::loop_again(int position, int step) {
  bytes({0x48, 0x05});  // add rax
  word(step);
  bytes({0x48, 0x39, 0xf0, 0x0f, 0x82});  // cmp rax, rsi; jb
  word(position - int(code_.size()) - 4);
}

std::vector<uint8_t> X86Writer::finish() {
  const size_t size = size_t(vector_bytes()), start = (code_.size() + 63) / 64 * 64;
  for (const Patch& p : patches_) {
    const int32_t distance = int32_t(start + size_t(p.constant) * size) - int32_t(p.end);
    std::memcpy(code_.data() + p.at, &distance, 4);
  }
  code_.resize(start + constants_.size() * size);
  for (size_t i = 0; i < constants_.size(); ++i)
    std::memcpy(code_.data() + start + i * size, constants_[i].data(), size);
  return code_;
}

}  // namespace hearth
