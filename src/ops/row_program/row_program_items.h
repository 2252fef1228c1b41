// SPDX-License-Identifier: Apache-2.0
#pragma once
// The values, reductions and stores of a row program with its registers given away, and what each need not do itself:
// loads that are read in place, stores and roundings that the step before them does, products that only a sum reads.

#include <vector>

#include "ops/row_program/row_program_prepare.h"

namespace hearth {

// A value, a reduction or a store, at its place in the program.
struct RowItem {
  RowOp op = RowOp::none;
  int phase = 0;
  int in[3] = {-1, -1, -1};   // items
  uint32_t row_register = 0;  // that a spread reads, or a reduction writes
  uint32_t row_version = 0;   // how often it had been written
  uint32_t view = 0;
  uint64_t immediate = 0;
  int words = 1;  // of an element: of the result, or of what a store writes
  // Found out on the way:
  int readers = 0, last_read = -1;  // number of items that read it; the last
  int target = -1;                  // the store whose tensor it writes
  bool gone = false;                // others do what it did
  bool follows = false;             // its slot points into a tensor, or to a row register
  RowRead read_as = RowRead::words;
  RowWrite write_as = RowWrite::words;
  uint32_t slot = 0;
  bool keeps_slot = false;  // no tile writes it again

  bool is_store() const { return op == RowOp::store; }
  bool is_value() const { return !is_store() && !is_reduction(op); }
  bool made() const { return is_iota(op) || is_constant(op) || is_spread(op); }  // from nothing that a tile holds
  bool computed() const { return is_value() && op != RowOp::load && !made(); }   // from other items
};

class RowItems {
 public:
  // The schedule has its tiles and views by now.
  RowItems(const RowSchedule& schedule, const KernelArgs& args);

  void run();
  int count() const { return int(items_.size()); }
  RowItem& operator[](int i) { return items_[size_t(i)]; }
  const RowOperand& operand(const RowItem& item) const { return program_.operands[item.view]; }
  // Whether rows and tiles walk through an operand in constant steps, those within a tile 1 or 0.
  bool walks(const RowItem& item, RowPointer* pointer) const;
  bool walks_interleaved(const RowItem& item, RowPointer* pointer) const;

 private:
  RowItem& item(int i) { return items_[size_t(i)]; }
  void collect(int phase);
  void add(const RowInstruction& instruction, int phase);
  int same_as(const RowItem& made);
  bool same_operand(const RowItem& x, const RowItem& y) const;

  const TensorArg& tensor(const RowItem& item) const;
  bool overlap(const RowItem& x, const RowItem& y) const;
  bool same_place(const RowItem& x, const RowItem& y) const;
  bool stored_between(const RowItem& load, int first, int end);
  bool touched_between(const RowItem& store, int first, int end);

  void fold_stores();
  void fold_roundings();
  void fold_products();
  void replaced(int from, int to);

  void choose_reading(int i);
  bool may_be_one(const RowItem& x) const;
  bool written_in(int phase, uint32_t row_register) const;
  bool all_readers_convert(int of);
  bool overwritten(int load);

  const RowSchedule& s_;
  const KernelArgs& args_;
  const RowProgram& program_;
  std::vector<RowItem>& items_;                  // the memory of this thread's earlier calls
  int full_[kMaxRowRegisters] = {};              // the item that each full register holds now
  uint32_t row_version_[kMaxRowRegisters] = {};  // how often each row register was written
};

}  // namespace hearth
