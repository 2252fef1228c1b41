// SPDX-License-Identifier: Apache-2.0
#pragma once
// A straight line of vector operations, as it is recorded before machine code is made of it (row_code_emit.h): each
// node a value, named by its number. Values that are the same for all vectors of a run are invariants.

#include <cstdint>
#include <vector>

#include "ops/row_program/x86_writer.h"

namespace hearth {

enum class CodeOp : uint8_t {
  invariant,    // number `immediate`
  accumulator,  // number `immediate`, as it is now
  load,
  load_bf16,  // the next vector of argument `immediate`
  add,
  sub,
  mul,
  div,
  min,
  max,
  sqrt,
  fma,
  fnma,  // fnma: c - a b
  bits_and,
  bits_or,
  bits_xor,
  bits_plus,
  bits_minus,
  largest_signed,
  largest_unsigned,
  smallest_unsigned,  // of integers
  bits_left,
  bits_right,
  bits_right_signed,  // shifts: by immediate
  range,              // the smaller (`immediate` 4) or larger (5) of two, -0 below +0
  compare,            // `immediate`: the predicate of vcmpps -> mask
  is_zero,            // of integers -> mask
  where,              // mask, yes, no
  where_nan,          // x, yes, no
  nan_or,             // a, b, no: NaN where a or b is NaN
  to_float,
  reciprocal,  // 14 bits of it, or 12
  scaled,
  lookup,
  lookup32,  // integer, table of as many words as there are lanes; or the two halves of one twice as long
  store,
  store_bf16,
  store_streaming,   // a, into argument `immediate`; of bf16 the upper half of each word
  set_accumulator,   // number `immediate`
  prefetch,          // argument `immediate`, `offset` bytes behind where it is read as f32
  prefetch_written,  // the same, of memory that will be written
  nothing,           // so that vectors of a turn have as many nodes each
};

struct CodeNode {
  CodeOp op;
  int in[3] = {-1, -1, -1};
  int immediate = 0;
  int64_t offset = 0;  // of loads and stores: elements behind the loop's position
};

struct CodeInvariant {
  int argument = -1;       // the address of one word, for all lanes
  VectorWords words = {};  // where there is no argument
};

struct CodeRecord {
  bool wide = false;                   // vectors of 64 bytes
  int arguments = 0;                   // addresses
  int vectors = 1;                     // that one turn of the loop takes
  std::vector<int> starts_of_vectors;  // the first node of each
  int accumulators = 0;                // their memory is the argument after the others
  std::vector<uint32_t> starts;        // of each accumulator
  std::vector<CodeInvariant> invariants;
  std::vector<CodeNode> nodes;

  int add(CodeNode node) {
    nodes.push_back(node);
    return int(nodes.size()) - 1;
  }
  int invariant(const CodeInvariant& value);  // its node
};

}  // namespace hearth
