// SPDX-License-Identifier: Apache-2.0
#pragma once
// The CPU convolution of f32, f64, bf16 and f16.

#include "ops/convolution/conv_plan.h"

namespace hearth {

// One call: what to multiply, and where its operands and their copies lie.
struct ConvJob {
  const ConvKernels* kernels = nullptr;
  ConvShape shape = {};
  ConvLayout layout = {};
  ConvPlan plan = {};
  DType dtype = DType::f32;
  const void* lhs = nullptr;
  const void* rhs = nullptr;
  void* out = nullptr;
  const char* lhs_units = nullptr;  // the copy, or lhs itself
  const char* weights = nullptr;    // [parts][panels][terms][panel width]
  int threads = 1;

  int64_t unit_bytes() const { return kernels->unit_bytes; }
  int64_t panel_width() const { return 2 * kernels->lanes; }
  int64_t panels() const { return (plan.columns + panel_width() - 1) / panel_width(); }
};

// Runs on all threads of the pool; inside a parallel_for body on that body's thread alone. Sums are f32, of
// f64 f64. Scratch: a copy of lhs with its padding (unless it can be read in place) and one of rhs, in units,
// grow-only, on the calling thread; on each thread at most 1 MiB of sums and 128 KiB of weights. False when the shape
// is out of proportion (far more padding than data): nothing done.
bool convolve(ConvJob job);

// conv_channels.cc: groups of up to 8 channels with channels last. False: not their kind of shape, nothing done.
bool convolve_channels(const ConvJob& job);

}  // namespace hearth
