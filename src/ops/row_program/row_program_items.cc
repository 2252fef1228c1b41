// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/row_program_items.h"

#include <algorithm>

namespace hearth {
namespace {

bool converts(const RowItem& x) { return folded_number(x.op) >= 0; }
RowOp copy_of(int words) { return words == 1 ? RowOp::copy : words == 2 ? RowOp::copy_64 : RowOp::copy_128; }
bool reads(const RowItem& x, int of) { return std::find(x.in, x.in + 3, of) != x.in + 3; }

std::vector<RowItem>& memory_of_items() {
  static thread_local std::vector<RowItem> items;
  items.clear();
  return items;
}

}  // namespace

RowItems::RowItems(const RowSchedule& schedule, const KernelArgs& args)
    : s_(schedule), args_(args), program_(*args.program), items_(memory_of_items()) {}

void RowItems::run() {
  for (int phase = 0; phase < int(program_.phases.size()); ++phase) collect(phase);
  fold_stores();
  fold_roundings();
  fold_products();
  for (int i = 0; i < count(); ++i) choose_reading(i);
}

// --- items from instructions ---

void RowItems::collect(int phase) {
  for (const RowInstruction& i : program_.phases[size_t(phase)].tiles) {
    if (i.op == RowOp::load_row)
      ++row_version_[i.dst];
    else if (i.op != RowOp::store_row)
      add(i, phase);
  }
  for (const RowInstruction& i : program_.phases[size_t(phase)].after) {
    if (i.op != RowOp::store_row) ++row_version_[i.dst];
  }
}

void RowItems::add(const RowInstruction& i, int phase) {
  RowItem made{.op = i.op, .phase = phase, .view = i.operand, .immediate = i.immediate};
  made.words = words_at(program_, i);
  const uint8_t registers[3] = {i.a, i.b, i.c};
  const int inputs = is_spread(i.op) ? 0 : inputs_of(i.op);
  for (int k = 0; k < inputs; ++k) made.in[k] = full_[registers[k]];
  if (is_spread(i.op)) made.row_register = i.a, made.row_version = row_version_[i.a];
  if (is_reduction(i.op)) {
    made.row_register = i.dst;
    ++row_version_[i.dst];
  } else if (!made.is_store()) {
    const int known = same_as(made);
    full_[i.dst] = known >= 0 ? known : count();
    if (known >= 0) return;
  }
  for (int k = 0; k < inputs; ++k) {
    RowItem& in = item(made.in[k]);
    in.readers += in.last_read != count();
    in.last_read = count();
  }
  items_.push_back(made);
}

// An earlier item with the same value, or -1: copies, roundings of what is rounded, and kept values.
int RowItems::same_as(const RowItem& made) {
  if (made.op == copy_of(made.words)) return made.in[0];
  if (made.op == RowOp::round_bf16) {
    const RowItem& in = item(made.in[0]);
    if (in.op == RowOp::round_bf16 || (in.op == RowOp::load && operand(in).dtype == DType::bf16)) return made.in[0];
  }
  if (!s_.keep_values || (is_spread(made.op) && written_in(made.phase, made.row_register))) return -1;
  for (int i = 0; i < count(); ++i) {
    const RowItem& kept = item(i);
    const bool same = kept.op == made.op && std::equal(kept.in, kept.in + 3, made.in) &&
                      kept.immediate == made.immediate && kept.row_register == made.row_register &&
                      kept.row_version == made.row_version && same_operand(kept, made);
    if (same && (made.op != RowOp::load || !stored_between(made, i, count()))) return i;
  }
  return -1;
}

bool RowItems::same_operand(const RowItem& x, const RowItem& y) const {
  if ((x.op != RowOp::load && !is_iota(x.op)) || x.view == y.view) return true;
  return operand(x).tensor == operand(y).tensor && s_.views[x.view].same_as(s_.views[y.view]);
}

// --- memory ---

const TensorArg& RowItems::tensor(const RowItem& item) const {
  return (item.is_store() ? args_.out : args_.in)[size_t(operand(item).tensor)];
}

bool RowItems::overlap(const RowItem& x, const RowItem& y) const {
  const TensorArg &a = tensor(x), &b = tensor(y);
  return a.as<uint8_t>() < b.as<uint8_t>() + b.type->bytes() && b.as<uint8_t>() < a.as<uint8_t>() + a.type->bytes();
}

bool RowItems::same_place(const RowItem& x, const RowItem& y) const {
  return tensor(x).data == tensor(y).data && size_bytes(operand(x).dtype) == size_bytes(operand(y).dtype) &&
         s_.views[x.view].same_as(s_.views[y.view]);
}

bool RowItems::stored_between(const RowItem& load, int first, int end) {
  for (int i = first; i < end; ++i) {
    if (item(i).is_store() && overlap(load, item(i))) return true;
  }
  return false;
}

bool RowItems::walks(const RowItem& x, RowPointer* pointer) const {
  if (s_.interleaved()) return walks_interleaved(x, pointer);
  int64_t row_stride, column_stride;
  if (!s_.views[x.view].as_rows(s_.rows, s_.width, &row_stride, &column_stride)) return false;
  if (s_.packed && s_.rows > 1 && row_stride != column_stride * s_.width) return false;
  const int64_t bytes = size_bytes(operand(x).dtype);
  pointer->base = tensor(x).as<uint8_t>() + s_.views[x.view].offset * bytes;
  pointer->row_bytes = row_stride * bytes;
  pointer->column_bytes = column_stride * bytes;
  pointer->dense = column_stride == 1;
  pointer->one = column_stride == 0;
  return pointer->dense || pointer->one;
}

bool RowItems::walks_interleaved(const RowItem& x, RowPointer* pointer) const {
  int64_t strides[3];
  const RowView& view = s_.views[x.view];
  if (!view.as_grid(s_.rows / s_.inner, s_.width, s_.inner, strides)) return false;
  const int64_t bytes = size_bytes(operand(x).dtype);
  pointer->base = tensor(x).as<uint8_t>() + view.offset * bytes;
  pointer->outer_bytes = (strides[0] - strides[2] * s_.inner) * bytes;  // rows are counted through all groups
  pointer->column_bytes = strides[1] * bytes;
  pointer->row_bytes = strides[2] * bytes;
  const bool one_line = s_.tile_width == 1;
  pointer->dense = strides[2] == 1 && (one_line || strides[1] == s_.inner);
  pointer->one = strides[2] == 0 && (one_line || strides[1] == 0);
  return pointer->dense || pointer->one;
}

// --- folding ---

// A value that only a store reads is written to the tensor at once, unless that changes what is loaded in between.
void RowItems::fold_stores() {
  for (int i = 0; i < count(); ++i) {
    RowItem& store = item(i);
    RowPointer pointer;
    if (!store.is_store() || !walks(store, &pointer) || !pointer.dense) continue;
    const bool narrow = operand(store).dtype == DType::bf16;
    if (!narrow && size_bytes(operand(store).dtype) < 4) continue;
    store.follows = true;
    store.write_as = narrow ? RowWrite::bf16 : RowWrite::words;
    RowItem& rounding = item(store.in[0]);
    if (narrow && rounding.op == RowOp::round_bf16 && rounding.readers == 1) {  // storing rounds the same way
      rounding.gone = true;
      store.in[0] = rounding.in[0];
      item(store.in[0]).last_read = std::max(item(store.in[0]).last_read, i);
    }
    RowItem& value = item(store.in[0]);
    const bool writes = converts(value) || (!narrow && value.computed());
    if (!writes || value.readers != 1 || value.phase != store.phase || touched_between(store, store.in[0] + 1, i))
      continue;
    value.target = i;
    value.write_as = store.write_as;
    store.gone = true;
  }
}

bool RowItems::touched_between(const RowItem& store, int first, int end) {
  for (int i = first; i < end; ++i) {
    if ((item(i).op == RowOp::load || item(i).is_store()) && overlap(item(i), store)) return true;
  }
  return false;
}

void RowItems::fold_roundings() {
  for (int i = 0; i < count(); ++i) {
    RowItem& rounding = item(i);
    if (rounding.op != RowOp::round_bf16 || rounding.gone || rounding.target >= 0) continue;
    RowItem& value = item(rounding.in[0]);
    if (!converts(value) || value.readers != 1) continue;
    value.write_as = RowWrite::rounded;
    value.readers = rounding.readers;
    value.last_read = rounding.last_read;
    rounding.gone = true;
    for (int reader = i + 1; reader < count(); ++reader) {
      std::replace(item(reader).in, item(reader).in + 3, i, rounding.in[0]);
    }
  }
}

// A product that only a sum reads needs no tile.
void RowItems::fold_products() {
  if (s_.interleaved()) return;
  for (int i = 0; i < count(); ++i) {
    RowItem& sum = item(i);
    if (sum.op != RowOp::sum_f32) continue;
    RowItem& product = item(sum.in[0]);
    if (product.op != RowOp::mul_f32 || product.readers != 1 || product.write_as != RowWrite::words) continue;
    if (may_be_one(item(product.in[0])) || may_be_one(item(product.in[1]))) continue;
    product.gone = true;
    for (int k = 0; k < 2; ++k) {
      sum.in[k] = product.in[k];
      item(sum.in[k]).last_read = std::max(item(sum.in[k]).last_read, i);
    }
  }
}

// --- how values are read ---

void RowItems::choose_reading(int i) {
  RowItem& x = item(i);
  if (x.gone || !x.is_value()) return;
  RowPointer pointer;
  if (may_be_one(x)) {
    const bool fixed = x.op == RowOp::constant || (x.op == RowOp::load && s_.views[x.view].one_element());
    const bool stays = x.op != RowOp::load || fixed || !overwritten(i);
    if (stays && all_readers_convert(i)) x.read_as = RowRead::one;
    x.follows = x.read_as == RowRead::one && !fixed;
  } else if (x.op == RowOp::load && walks(x, &pointer) && pointer.dense && !overwritten(i)) {
    const DType dtype = operand(x).dtype;
    if (dtype == DType::bf16 && all_readers_convert(i)) x.read_as = RowRead::bf16;
    x.follows = size_bytes(dtype) >= 4 || x.read_as == RowRead::bf16;
  } else if (is_spread(x.op)) {  // a line across interleaved rows is the row register itself
    x.follows = s_.interleaved() && s_.tile_width == 1 && !written_in(x.phase, x.row_register);
  }
}

// One word for all elements of a tile.
bool RowItems::may_be_one(const RowItem& x) const {
  if (x.words > 1) return false;
  if (x.op == RowOp::constant) return true;
  if (x.op == RowOp::spread) return !s_.packed && !s_.interleaved() && !written_in(x.phase, x.row_register);
  if (x.op != RowOp::load) return false;
  RowPointer pointer;
  return s_.views[x.view].one_element() || (size_bytes(operand(x).dtype) == 4 && walks(x, &pointer) && pointer.one);
}

// Whether the tiles of a phase write a row register, which then is not the same for all that read it.
bool RowItems::written_in(int phase, uint32_t row_register) const {
  for (const RowInstruction& i : program_.phases[size_t(phase)].tiles) {
    if ((is_reduction(i.op) || i.op == RowOp::load_row) && i.dst == row_register) return true;
  }
  return false;
}

// Sums of products read bf16 too; what may be one word never comes to them.
bool RowItems::all_readers_convert(int of) {
  for (int i = of + 1; i <= item(of).last_read; ++i) {
    const RowItem& reader = item(i);
    if (reader.gone || !reads(reader, of)) continue;
    const bool product = is_reduction(reader.op) && reader.in[1] >= 0;
    if (!converts(reader) && !(reader.is_store() && reader.follows) && !product) return false;
  }
  return true;
}

// Whether the memory changes before the last step that would read it. A step may write what it reads, in place.
bool RowItems::overwritten(int load) {
  const RowItem& x = item(load);
  for (int i = load + 1; i <= x.last_read; ++i) {
    const RowItem& writer = item(i);
    const int store = writer.is_store() ? i : writer.target;
    if (writer.gone || store < 0 || !overlap(x, item(store))) continue;
    if (i < x.last_read || !same_place(x, item(store))) return true;
  }
  return false;
}

}  // namespace hearth
