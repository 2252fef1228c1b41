// SPDX-License-Identifier: Apache-2.0
#pragma once
// Machine code for runs of steps. Interpreted step by step, every operation on a tile reads and writes the L1 cache,
// and nothing is computed while a step waits for memory; as one loop, values stay in registers and the processor
// overlaps the two. Results are those of the interpreter, bit for bit: it remains for whatever is not recorded here,
// for other processors, and where a system refuses to make memory executable. Measured: see BENCHMARKS.md, "Array
// library".

#include <memory>
#include <vector>

#include "ops/row_program/row_program_table.h"

namespace hearth {

// One step of a run. Its inputs are values: those read first, then those of steps in order.
struct RowRunStep {
  RowOp op = RowOp::none;
  int16_t in[3] = {-1, -1, -1};
  RowWrite write = RowWrite::words;
  int16_t output = -1;     // the argument that its result is written to, by number behind the inputs; -1: none
  bool streaming = false;  // past the caches; the address is a multiple of a vector's bytes then
};

struct RowRun {
  bool wide = false;    // AVX-512, else AVX2
  bool by_four = true;  // tiles are multiples of four vectors
  std::vector<RowRead> inputs;
  std::vector<RowRunStep> steps;
  int outputs = 0;
  // Memory that will be read next: so many f32 behind the tile at an argument, which comes after the outputs'.
  std::vector<int32_t> ahead = {};
  int written_next = 0;  // tiles of f32 that the next phase writes; their arguments come last
};

class RowCode {
 public:
  RowCode(const std::vector<uint8_t>& code, int64_t unit, int results);
  ~RowCode();
  RowCode(const RowCode&) = delete;
  RowCode& operator=(const RowCode&) = delete;

  bool ready() const { return memory_ != nullptr; }
  int64_t unit() const { return unit_; }    // n is a multiple of it
  int results() const { return results_; }  // reductions

  // arguments: addresses of the inputs, of the outputs, of what is fetched ahead and what is written next, and, if
  // there are reductions, of 4 vectors for each, in order, which RowTable::finish makes one number of.
  void operator()(void* const* arguments, int64_t n) const {
    reinterpret_cast<void (*)(void* const*, int64_t)>(memory_)(arguments, n);
  }

 private:
  void* memory_ = nullptr;
  size_t bytes_ = 0;
  int64_t unit_;
  int results_;
};

// Made once for equal runs; null when there is none. Safe from several threads.
std::shared_ptr<const RowCode> code_of(const RowRun& run);

// Whether runs become machine code at all: on unless HEARTH_ROW_CODE=0. For tests that compare both.
bool row_code_wanted();
void want_row_code(bool wanted);

}  // namespace hearth
