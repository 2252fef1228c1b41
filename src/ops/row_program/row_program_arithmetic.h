// SPDX-License-Identifier: Apache-2.0
// Instructions on vectors; some for every way of reading and writing (folded_number). Included once per instruction set
// by row_program_impl.h, inside its namespace.

#define HEARTH_ROW(name, value)                                      \
  struct Of_##name {                                                 \
    HEARTH_INLINE VectorF of(VectorF a, VectorF b) { return value; } \
  };
HEARTH_ROW(add_f32, a + b)
HEARTH_ROW(sub_f32, a - b)
HEARTH_ROW(mul_f32, a* b)
HEARTH_ROW(div_f32, a / b)
#undef HEARTH_ROW
#define HEARTH_ROW(name, value)                                    \
  struct Of_##name {                                               \
    HEARTH_INLINE VectorF of(VectorF a, VectorF) { return value; } \
  };
HEARTH_ROW(copy, a)
HEARTH_ROW(exp_f32, exp_of(a))
HEARTH_ROW(expm1_f32, expm1_of(a))
HEARTH_ROW(tanh_f32, tanh_of(a))
HEARTH_ROW(logistic_f32, logistic_of(a))
HEARTH_ROW(erf_f32, erf_of(a))
#undef HEARTH_ROW

// Not inlined: its stack frame would cost the short tiles of others.
template <class Op, class Write, class A, class B>
__attribute__((noinline)) void finish(void* dst, const A& a, const B& b, int64_t i, int64_t n) {
  put_part(dst, i, n - i, Write::stored(Op::of(a.part(i, n - i), b.part(i, n - i))));
}
// Each step reads a vector before it writes one at the same place, so that dst may be an input.
template <class Op, class Write, class A, class B>
HEARTH_INLINE void for_vectors(void* dst, const A& a, const B& b, int64_t n) {
  int64_t i = 0;
#pragma GCC unroll 2
  for (; i + kLanes <= n; i += kLanes) put_vector(dst, i, Write::stored(Op::of(a.at(i), b.at(i))));
  if (i < n) finish<Op, Write>(dst, a, b, i, n);
}
template <class Op, class Write, class A, class B>
void binary(void* dst, const void* a, const void* b, const void*, int64_t n) {
  for_vectors<Op, Write>(dst, A{a}, B{b}, n);
}
template <class Op, class Write, class A>
void unary(void* dst, const void* a, const void*, const void*, int64_t n) {
  for_vectors<Op, Write>(dst, A{a}, A{a}, n);
}

template <class Op, class A, class B>
constexpr void add_binary_writes(RowTileFn (&by_write)[kRowWrites]) {
  by_write[int(RowWrite::words)] = binary<Op, WriteWords, A, B>;
  by_write[int(RowWrite::bf16)] = binary<Op, WriteBf16, A, B>;
  by_write[int(RowWrite::rounded)] = binary<Op, WriteRounded, A, B>;
}
template <class Op, class A>
constexpr void add_binary_seconds(RowTileFn (&by_read)[kRowReads][kRowWrites]) {
  add_binary_writes<Op, A, ReadWords>(by_read[int(RowRead::words)]);
  add_binary_writes<Op, A, ReadBf16>(by_read[int(RowRead::bf16)]);
  add_binary_writes<Op, A, ReadOne>(by_read[int(RowRead::one)]);
}
template <class Op>
constexpr void add_binary(RowTable& table, RowOp op) {
  auto& ways = table.folded[folded_number(op)];
  add_binary_seconds<Op, ReadWords>(ways[int(RowRead::words)]);
  add_binary_seconds<Op, ReadBf16>(ways[int(RowRead::bf16)]);
  add_binary_seconds<Op, ReadOne>(ways[int(RowRead::one)]);
  table.tile[int(op)] = ways[0][0][0];
}

template <class A>
constexpr void add_copy(RowTileFn (&by_write)[kRowWrites]) {
  by_write[int(RowWrite::words)] = unary<Of_copy, WriteWords, A>;
  by_write[int(RowWrite::bf16)] = unary<Of_copy, WriteBf16, A>;
  by_write[int(RowWrite::rounded)] = unary<Of_copy, WriteRounded, A>;
}

constexpr void add_vectors(RowTable& table) {
  add_binary<Of_add_f32>(table, RowOp::add_f32);
  add_binary<Of_sub_f32>(table, RowOp::sub_f32);
  add_binary<Of_mul_f32>(table, RowOp::mul_f32);
  add_binary<Of_div_f32>(table, RowOp::div_f32);
  auto& copies = table.folded[folded_number(RowOp::copy)];
  add_copy<ReadWords>(copies[int(RowRead::words)][0]);
  add_copy<ReadBf16>(copies[int(RowRead::bf16)][0]);
  add_copy<ReadOne>(copies[int(RowRead::one)][0]);
  table.tile[int(RowOp::copy)] = copies[0][0][int(RowWrite::words)];
  table.tile[int(RowOp::round_bf16)] = copies[0][0][int(RowWrite::rounded)];
  table.tile[int(RowOp::exp_f32)] = unary<Of_exp_f32, WriteWords, ReadWords>;
  table.tile[int(RowOp::expm1_f32)] = unary<Of_expm1_f32, WriteWords, ReadWords>;
  table.tile[int(RowOp::tanh_f32)] = unary<Of_tanh_f32, WriteWords, ReadWords>;
  table.tile[int(RowOp::logistic_f32)] = unary<Of_logistic_f32, WriteWords, ReadWords>;
  table.tile[int(RowOp::erf_f32)] = unary<Of_erf_f32, WriteWords, ReadWords>;
}
