// SPDX-License-Identifier: Apache-2.0
// Loads and stores of each memory type. Included once per instruction set by row_program_impl.h, inside its namespace.

template <class T>
using Memory __attribute__((may_alias)) = T;

// How a memory type T (tag struct) becomes a register word and back.
struct Words {
  using Type = uint32_t;
  static uint32_t widen(uint32_t x) { return x; }
  static uint32_t narrow(uint32_t x) { return x; }
};
struct Bools {
  using Type = uint8_t;
  static uint32_t widen(uint8_t x) { return x != 0 ? 1 : 0; }
  static uint8_t narrow(uint32_t x) { return x != 0 ? 1 : 0; }
};
template <class T>
struct Integers {
  using Type = T;
  static uint32_t widen(T x) { return uint32_t(int32_t(x)); }
  static T narrow(uint32_t x) { return T(x); }
};
struct Bfloats {
  using Type = uint16_t;
  static uint32_t widen(uint16_t x) { return uint32_t(x) << 16; }
  static uint16_t narrow(uint32_t x) { return uint16_t(bf16_bits(float_of(x))); }
};
struct Halves {
  using Type = uint16_t;
  static uint32_t widen(uint16_t x) { return bits_of(f16_value(x)); }
  static uint16_t narrow(uint32_t x) { return uint16_t(f16_bits(float_of(x))); }
};

void fill(RowWord* dst, RowWord value, int64_t n) {
  for (int64_t i = 0; i < n; ++i) dst[i] = value;
}

void spread(RowWord* dst, const RowWord* per_row, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r, dst += width) fill(dst, per_row[r], width);
}

// Calls body(elements before the run, position of the run) for all runs of a block.
template <class Body>
HEARTH_INLINE void for_runs(const RowBlock& block, const Body& body) {
  int64_t done = 0;
  for (int64_t r = 0; r < block.repeat; ++r) {
    for (int64_t o = 0; o < block.outer; ++o, done += block.inner)
      body(done, r * block.repeat_stride + o * block.outer_stride);
  }
}

void iota(RowWord* dst, int64_t position, const RowBlock& block, bool as_float) {
  for_runs(block, [&](int64_t done, int64_t run) {
    for (int64_t i = 0; i < block.inner; ++i) {
      const int64_t at = position + run + i * block.inner_stride;
      dst[done + i] = as_float ? bits_of(float(at)) : uint32_t(at);
    }
  });
}

// Runs are often the few elements of an attention head: loops of the compiler's own would spend their time around them.
template <class Read>
HEARTH_INLINE void load_vectors(RowWord* dst, const void* src, int64_t n) {
  const Read read{src};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) put_vector(dst, i, read.at(i));
  if (i < n) put_part(dst, i, n - i, read.part(i, n - i));
}
HEARTH_INLINE void load_run(Words, RowWord* dst, const void* src, int64_t n) { load_vectors<ReadWords>(dst, src, n); }
HEARTH_INLINE void load_run(Bfloats, RowWord* dst, const void* src, int64_t n) { load_vectors<ReadBf16>(dst, src, n); }
template <class As>
HEARTH_INLINE void load_run(As, RowWord* dst, const Memory<typename As::Type>* src, int64_t n) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) dst[i] = As::widen(src[i]);
}

template <class As>
void load(RowWord* dst, const void* memory, const RowBlock& block) {
  const auto* src = static_cast<const Memory<typename As::Type>*>(memory);
  const int64_t n = block.inner, stride = block.inner_stride;
  for_runs(block, [&](int64_t done, int64_t run) {
    if (stride == 1) {
      load_run(As{}, dst + done, src + run, n);
    } else if (stride == 0) {
      fill(dst + done, As::widen(src[run]), n);
    } else {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) dst[done + i] = As::widen(src[run + i * stride]);
    }
  });
}

template <class As>
void store(void* memory, const RowWord* src, const RowBlock& block) {
  auto* dst = static_cast<Memory<typename As::Type>*>(memory);
  const int64_t n = block.inner, stride = block.inner_stride;
  for_runs(block, [&](int64_t done, int64_t run) {
    if (stride == 1) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) dst[run + i] = As::narrow(src[done + i]);
    } else {
      for (int64_t i = 0; i < n; ++i) dst[run + i * stride] = As::narrow(src[done + i]);
    }
  });
}

template <class As>
constexpr void add_dtype(RowTable& table, DType dtype) {
  table.load[int(dtype)] = load<As>;
  table.store[int(dtype)] = store<As>;
}

constexpr void add_memory(RowTable& table) {
  add_dtype<Bools>(table, DType::boolean);
  add_dtype<Integers<int8_t>>(table, DType::i8);
  add_dtype<Integers<int16_t>>(table, DType::i16);
  add_dtype<Words>(table, DType::i32);
  add_dtype<Integers<uint8_t>>(table, DType::u8);
  add_dtype<Integers<uint16_t>>(table, DType::u16);
  add_dtype<Words>(table, DType::u32);
  add_dtype<Halves>(table, DType::f16);
  add_dtype<Bfloats>(table, DType::bf16);
  add_dtype<Words>(table, DType::f32);
}
