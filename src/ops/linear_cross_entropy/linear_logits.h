// SPDX-License-Identifier: Apache-2.0
#pragma once
// Chunks of logits in a kernel, shared by the operations that need logits but never hold all of them:
// z[N,V] = x[N,C] weight[V,C]^T [+ scale u[N,r] b[V,r]^T] [+ bias[V]] [capped].

#include <vector>

#include "device/kernel.h"
#include "ops/linear_cross_entropy/cross_entropy_rows.h"

namespace hearth {

// The tensors of a call (in: x, weight, labels, [u, b], [bias]; attributes scale, has_bias, soft_cap,
// label_smoothing, z_loss), and the chunk's
// part of the workspace.
struct LogitsCall {
  const TensorArg &x, &w;
  const TensorArg *u = nullptr, *b = nullptr;  // the low-rank term, or null
  int64_t rank = 0;
  float scale = 1;
  double* losses = nullptr;  // [chunk]
  float* z = nullptr;        // [chunk,V]
  uint16_t* dz16 = nullptr;  // [chunk,V], when the matmul is 16-bit
  std::vector<float> bias = {};
  float soft_cap = 0;
  double label_smoothing = 0, z_loss = 0;

  int64_t N() const { return x.dim(0); }
  int64_t C() const { return x.dim(1); }
  int64_t V() const { return w.dim(0); }
};

// Where the derivatives go; du and db are null without a low-rank term. db is added to.
struct LogitsDerivatives {
  const TensorArg *dx = nullptr, *du = nullptr, *db = nullptr;
};

// Throws Error{format} when the workspace is smaller than cross_entropy_workspace.
LogitsCall logits_call(const KernelArgs& args);
// z = the products of `rows` rows from `start` on; bias and cap are not in it yet.
void chunk_logits(const LogitsCall& call, int64_t start, int64_t rows);
// Bends one row as bias and cap ask, and gives its loss; with `grad`, z becomes the loss's derivative by the products.
double row_loss(const CrossEntropyRows& with, const LogitsCall& call, float* z, int32_t label, bool grad);
// A finished row of derivatives as the matmul reads it, when that is 16-bit.
void round_row(const LogitsCall& call, int64_t row);
// dx = dz weight,  du = scale dz b,  db += scale dz^T u
void chunk_derivatives(const LogitsCall& call, const LogitsDerivatives& out, int64_t start, int64_t rows);

// Throws Error{format} when the inputs of an instruction from a file are not what a LogitsCall relies on.
void check_logits_call(const std::string& op, const std::vector<TensorType>& in, const Attrs& attrs);

}  // namespace hearth
