// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a convolution is computed: as one product of a matrix of rows (batch elements times output positions) that is
// never written, with a matrix of weights. What the rows' offsets into a padded copy of lhs are.
//
// Forms, by what the 32-bit units that lie side by side in the copy of lhs are:
//   features  summed features, [groups][batch][positions][features]: few pointers, long runs. The usual one.
//   batch     batch elements, [groups][features][positions][batch]: derivatives by the weights, whose batch are
//   features groups    groups, [batch][features][positions][groups]: depthwise, lane by lane
// Holes and most padding of lhs cost nothing: output positions that meet the same window positions form a class (along
// one axis: the inner ones, and one for each distance from a border), whose lhs positions rise in equal steps. Only
// where an axis would have too many classes is lhs copied with its padding.

#include <vector>

#include "ops/convolution/conv_kernels.h"
#include "ops/convolution/conv_shape.h"

namespace hearth {

struct ConvTap {
  int64_t t;   // position in the window, counted along lhs
  int64_t at;  // position in lhs that it has for the class's first output
};
struct ConvClass {
  int64_t first, step, count;  // outputs first, first + step, ...
  int64_t lhs_step;            // positions in lhs from one to the next
  std::vector<ConvTap> taps;
};

// Output o meets lhs position (o * stride + t * rhs_dilation - low) / lhs_dilation where that is whole. cut: classes
// end at the borders of lhs and no tap lies outside, unless there would be too many of them.
std::vector<ConvClass> conv_classes(const ConvAxis& axis, bool cut);

enum class ConvForm { features, batch, groups };

// An axis of the rows, outermost first.
struct ConvRowAxis {
  std::vector<ConvClass> classes;
  int64_t size;        // outputs of all classes
  int64_t lhs_stride;  // units per lhs position
  int64_t out_stride;  // elements
};

struct ConvPlan {
  ConvForm form;
  bool pairs;
  bool in_place;         // lhs is read where it lies
  int64_t parts;         // products: groups; in the form `groups` the out features of one
  int64_t outer, inner;  // of the copy: [parts][outer][positions][inner]
  Dims low, positions;   // of the copy: positions in front of lhs, all, per axis
  Dims strides;          // of the copy's positions, in units
  int64_t part_stride, outer_stride, copy_units;
  Dims window_sizes;           // per axis
  int64_t window, units;       // window positions; units summed over at each
  int64_t columns;             // of one part
  int64_t out_part, out_step;  // elements between the results of parts and columns
  std::vector<ConvRowAxis> rows;
  std::vector<size_t> spatial_rows;  // which of rows the spatial axes are

  int64_t terms() const { return window * units; }
  int64_t term(int64_t tap, int64_t unit) const {  // row of the weights
    return form == ConvForm::features ? tap * units + unit : unit * window + tap;
  }
};

struct ConvLayout {  // elements between neighbours, by role as in conv_shape.h
  Dims lhs, rhs, out;
};
ConvLayout conv_layout(const ConvShape& shape, const TensorType& lhs, const TensorType& rhs);

// aligned: lhs begins at a multiple of 4 bytes. False when the copy of lhs would be out of proportion to lhs and the
// result.
bool make_conv_plan(const ConvShape& shape, const ConvLayout& layout, DType dtype, bool aligned,
                    const ConvKernels& kernels, ConvPlan* plan);

// The terms of a sum, of one class per spatial axis. Blocks are block_terms long; by_term: or as many as lie in each
// block_terms rows of the weights, so that block i of all classes meets the same rows.
struct ConvRuns {
  std::vector<ConvRun> runs;
  std::vector<size_t> blocks;  // first run of each block of terms, and the end
  int64_t step = 1;
};
ConvRuns conv_runs(const ConvPlan& plan, const std::vector<const ConvClass*>& classes, int64_t block_terms,
                   bool by_term);

}  // namespace hearth
