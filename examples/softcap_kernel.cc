// SPDX-License-Identifier: Apache-2.0
#include "softcap_kernel.h"

#include <cmath>

#include "base/error.h"
#include "base/threads.h"
#include "device/register_kernel.h"

using namespace hearth;

static void run(const KernelArgs& args) {
  const float* x = args.in[0].as<float>();
  float* y = args.out[0].as<float>();
  const float c = float(args.attrs.real("c"));
  parallel_ranges(args.in[0].type->elements(), 4096, [&](int64_t begin, int64_t end, int /*thread*/) {
    for (int64_t i = begin; i < end; ++i) y[i] = c * std::tanh(x[i] / c);
  });
}

// Plans come from files: what run() relies on is checked once, when a session is made.
static void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() == 1 && out.size() == 1 && in[0] == out[0] && in[0].dtype == DType::f32, format,
               "example.softcap: needs one f32 input and an output like it");
  attrs.real("c");
}

void register_softcap_kernel() { register_kernel({.name = "example.softcap", .run = run, .check = check}); }
