// SPDX-License-Identifier: Apache-2.0
#pragma once
// An index understood: what it means for each axis of an array. For the files indexing*.cc, indexed_update*.cc.

#include <string>

#include "array/indexing.h"

namespace hearth {

struct IndexPlan {
  enum class Role {
    slice,    // start, start + step, ...: `size` of them; an axis of the result
    integer,  // start: goes away
    array,    // arrays[array]: goes into the axes of the arrays
  };
  struct Axis {  // of x
    Role role = Role::slice;
    int64_t start = 0, step = 1, size = 0;
    size_t array = 0;
    int64_t of = 0;  // x's size

    bool is_whole() const { return role == Role::slice && start == 0 && step == 1 && size == of; }
  };
  std::vector<Axis> axes;
  Arrays arrays;             // integers of any rank, not yet broadcast
  std::vector<bool> inside;  // of each array: made of a mask, so neither negative nor outside
  Dims array_dims = {};      // that they broadcast to
  Dims data;                 // shape of the result without new axes
  Dims array_axes;           // where in `data` the array_dims lie, in order
  Dims result;               // with new axes

  bool is_static() const { return arrays.empty(); }  // integers and slices only
  bool is_whole() const;                             // x itself, but for new axes
};

// `op` for errors. Evaluates masks.
IndexPlan index_plan(const std::string& op, const Array& x, const IndexList& index);

// Error{shape} when the mask does not have the sizes of x's axes from `axis` on.
void check_mask(const std::string& op, const Array& x, const Array& mask, int64_t axis);
// The mask, when the index is one mask of rank 1 or more beside slices, and at most an ellipsis.
std::optional<size_t> single_mask(const IndexList& index);

}  // namespace hearth
