// SPDX-License-Identifier: Apache-2.0
// Loads and stores of each memory type. Included once per instruction set by row_program_impl.h, inside its namespace.

template <class T>
using Memory __attribute__((may_alias)) = T;

// How a memory type T (tag struct) becomes a register word and back.
struct Words {
  using Type = uint32_t;
  using Register = uint32_t;
  static uint32_t widen(uint32_t x) { return x; }
  static uint32_t narrow(uint32_t x) { return x; }
};
// What is only moved: 8 and 16 bytes.
struct __attribute__((may_alias)) Quad {
  uint64_t low, high;
};
template <class T>
struct Whole {
  using Type = T;
  using Register = T;
  static T widen(T x) { return x; }
  static T narrow(T x) { return x; }
};
struct Bools {
  using Type = uint8_t;
  using Register = uint32_t;
  static uint32_t widen(uint8_t x) { return x != 0 ? 1 : 0; }
  static uint8_t narrow(uint32_t x) { return x != 0 ? 1 : 0; }
};
template <class T>
struct Integers {
  using Type = T;
  using Register = uint32_t;
  static uint32_t widen(T x) { return uint32_t(int32_t(x)); }
  static T narrow(uint32_t x) { return T(x); }
};
struct Bfloats {
  using Type = uint16_t;
  using Register = uint32_t;
  static uint32_t widen(uint16_t x) { return uint32_t(x) << 16; }
  static uint16_t narrow(uint32_t x) { return uint16_t(bf16_bits(float_of(x))); }
};
struct Halves {
  using Type = uint16_t;
  using Register = uint32_t;
  static uint32_t widen(uint16_t x) { return bits_of(f16_value(x)); }
  static uint16_t narrow(uint32_t x) { return uint16_t(f16_bits(float_of(x))); }
};

template <class T>
HEARTH_INLINE void fill_with(Memory<T>* dst, T value, int64_t n) {
  for (int64_t i = 0; i < n; ++i) dst[i] = value;
}
void fill(void* dst, uint64_t value, int64_t n, int words) {
  if (words == 1)
    fill_with(static_cast<RowWord*>(dst), uint32_t(value), n);
  else if (words == 2)
    fill_with(static_cast<Memory<uint64_t>*>(dst), value, n);
  else
    fill_with(static_cast<Memory<Quad>*>(dst), Quad{value, 0}, n);
}

template <class T>
HEARTH_INLINE void spread_of(void* to, const void* from, int64_t rows, int64_t width) {
  auto* dst = static_cast<Memory<T>*>(to);
  for (int64_t r = 0; r < rows; ++r, dst += width) fill_with(dst, T(static_cast<const Memory<T>*>(from)[r]), width);
}
void spread(void* dst, const void* per_row, int64_t rows, int64_t width, int words) {
  if (words == 1)
    spread_of<uint32_t>(dst, per_row, rows, width);
  else if (words == 2)
    spread_of<uint64_t>(dst, per_row, rows, width);
  else
    spread_of<Quad>(dst, per_row, rows, width);
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

template <class T, class Make>
HEARTH_INLINE void count_into(void* to, int64_t position, const RowBlock& block, const Make& make) {
  auto* dst = static_cast<Memory<T>*>(to);
  for_runs(block, [&](int64_t done, int64_t run) {
    for (int64_t i = 0; i < block.inner; ++i) dst[done + i] = make(position + run + i * block.inner_stride);
  });
}
void iota(RowOp op, void* dst, int64_t position, const RowBlock& block) {
  switch (op) {
    case RowOp::iota_f32: return count_into<float>(dst, position, block, [](int64_t at) { return float(at); });
    case RowOp::iota_f32_odd: return count_into<float>(dst, position, block, [](int64_t at) { return odd_f32(at); });
    case RowOp::iota_i64: return count_into<int64_t>(dst, position, block, [](int64_t at) { return at; });
    case RowOp::iota_f64: return count_into<double>(dst, position, block, [](int64_t at) { return double(at); });
    default: return count_into<uint32_t>(dst, position, block, [](int64_t at) { return uint32_t(at); });
  }
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
HEARTH_INLINE void load_run(As, Memory<typename As::Register>* dst, const Memory<typename As::Type>* src, int64_t n) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) dst[i] = As::widen(src[i]);
}

template <class As>
void load(void* to, const void* memory, const RowBlock& block) {
  auto* dst = static_cast<Memory<typename As::Register>*>(to);
  const auto* src = static_cast<const Memory<typename As::Type>*>(memory);
  const int64_t n = block.inner, stride = block.inner_stride;
  for_runs(block, [&](int64_t done, int64_t run) {
    if (stride == 1) {
      load_run(As{}, dst + done, src + run, n);
    } else if (stride == 0) {
      fill_with(dst + done, As::widen(src[run]), n);
    } else {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) dst[done + i] = As::widen(src[run + i * stride]);
    }
  });
}

template <class As>
void store(void* memory, const void* from, const RowBlock& block) {
  const auto* src = static_cast<const Memory<typename As::Register>*>(from);
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
  for (DType wide : {DType::i64, DType::u64, DType::f64, DType::complex64}) add_dtype<Whole<uint64_t>>(table, wide);
  add_dtype<Whole<Quad>>(table, DType::complex128);
}
