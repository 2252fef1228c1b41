// SPDX-License-Identifier: Apache-2.0
// Kernels "attention" and "attention_grad": tensors and attributes to the calls of flash.h.
#include "base/error.h"
#include "device/kernel.h"
#include "ops/attention/flash.h"

namespace hearth {
namespace {

void set_strides(const Dims& dims, int64_t* strides) {
  const Dims s = row_major_strides(dims);
  for (size_t i = 0; i < 3; ++i) strides[i] = s[i];
}

// q, k, v are inputs 0..2; start, segments and mask begin at input `first`.
AttentionCall make_call(const KernelArgs& args, size_t first) {
  const TensorArg &q = args.in[0], &k = args.in[1], &v = args.in[2];
  AttentionCall call{};
  call.batch = q.dim(0);
  call.tokens = q.dim(1);
  call.heads = q.dim(2);
  call.head_size = q.dim(3);
  call.keys = k.dim(1);
  call.kv_heads = k.dim(2);
  call.q = q.data;
  call.k = k.data;
  call.v = v.data;
  call.dtype = q.dtype();
  set_strides(q.dims(), call.q_stride);
  set_strides(k.dims(), call.k_stride);
  set_strides(v.dims(), call.v_stride);
  set_strides(q.dims(), call.out_stride);
  call.causal = args.attrs.integer("causal") != 0;
  call.scale = float(args.attrs.real("scale"));
  call.window = args.attrs.integer_or("window", 0);
  if (args.attrs.has("soft_cap")) call.soft_cap = float(args.attrs.real("soft_cap"));
  if (args.attrs.integer("has_start")) {
    const TensorArg& start = args.in[first++];
    call.start = start.as<const int32_t>();
    call.start_stride = int64_t(start.dims().size());
  }
  if (args.attrs.integer("has_segments")) {
    call.q_segments = args.in[first++].as<const int32_t>();
    call.k_segments = args.in[first++].as<const int32_t>();
  }
  if (args.attrs.integer("has_mask")) {
    const TensorArg& mask = args.in[first++];
    call.mask = mask.as<const uint8_t>();
    const Dims strides = row_major_strides(mask.dims());
    for (size_t i = 0; i < 3; ++i) call.mask_stride[i] = mask.dims()[i] == 1 ? 0 : strides[i];
  }
  if (args.attrs.integer_or("has_bias", 0)) call.key_bias = args.in[first].as<const float>();
  return call;
}

void forward(const KernelArgs& args) {
  AttentionCall call = make_call(args, 3);
  call.out = args.out[0].data;
  call.lse = args.out[1].as<float>();
  attention_forward(call);
}

void backward(const KernelArgs& args) {
  AttentionGradCall call{};
  call.forward = make_call(args, 6);
  call.forward.out = args.in[3].data;
  call.forward.lse = args.in[4].as<float>();
  call.dout = args.in[5].data;
  set_strides(args.in[5].dims(), call.dout_stride);
  call.dq = args.out[0].data;
  call.dk = args.out[1].data;
  call.dv = args.out[2].data;
  attention_backward(call);
}

void check_common(const std::vector<TensorType>& in, const Attrs& attrs, size_t first) {
  attrs.real("scale");
  const bool start = attrs.integer("has_start"), segments = attrs.integer("has_segments"),
             mask = attrs.integer("has_mask"), bias = attrs.integer_or("has_bias", 0);
  const int64_t window = attrs.integer_or("window", 0);
  HEARTH_CHECK(window >= 0 && (attrs.integer("causal") || window == 0), format, "attention: a window of ", window);
  if (attrs.has("soft_cap"))
    HEARTH_CHECK(attrs.real("soft_cap") > 0, format, "attention: a soft cap of ", attrs.real("soft_cap"));
  const size_t wanted = first + start + 2 * segments + mask + bias;
  HEARTH_CHECK(in.size() == wanted, format, "attention: ", in.size(), " inputs, needs ", wanted);
  const TensorType &q = in[0], &k = in[1], &v = in[2];
  HEARTH_CHECK(
      q.rank() == 4 && k.rank() == 4 && k == v && q.dtype == k.dtype && is_float(q.dtype) && q.dtype != DType::f64,
      format, "attention: q ", q, ", k ", k, " and v ", v, " do not fit");
  HEARTH_CHECK(q.dims[0] == k.dims[0] && q.dims[3] == k.dims[3] && k.dims[2] > 0 && q.dims[2] % k.dims[2] == 0, format,
               "attention: q ", q, " and k ", k, " do not fit");
  if (start)
    HEARTH_CHECK((in[first] == TensorType{DType::i32, {}} || in[first] == TensorType{DType::i32, {q.dims[0]}}), format,
                 "attention: start is ", in[first]);
  first += start;
  if (segments) {
    HEARTH_CHECK((in[first] == TensorType{DType::i32, {q.dims[0], q.dims[1]}} &&
                  in[first + 1] == TensorType{DType::i32, {k.dims[0], k.dims[1]}}),
                 format, "attention: segments do not fit");
    first += 2;
  }
  if (mask) {
    const TensorType& m = in[first];
    const Dims whole = {q.dims[0], q.dims[2], q.dims[1], k.dims[1]};
    HEARTH_CHECK(m.dtype == DType::boolean && m.rank() == 4 && m.dims[3] == whole[3], format, "attention: mask is ", m);
    for (size_t i = 0; i < 3; ++i)
      HEARTH_CHECK(m.dims[i] == 1 || m.dims[i] == whole[i], format, "attention: mask is ", m);
  }
  HEARTH_CHECK(!bias || (in.back() == TensorType{DType::f32, {q.dims[2], k.dims[1]}}), format,
               "attention: key_bias is ", in.back());
}

void check_forward(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() >= 3, format, "attention: needs q, k and v");
  check_common(in, attrs, 3);
  HEARTH_CHECK((out.size() == 2 && out[0] == in[0] &&
                out[1] == TensorType{DType::f32, {in[0].dims[0], in[0].dims[1], in[0].dims[2]}}),
               format, "attention: results do not fit q ", in[0]);
}

void check_backward(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() >= 6, format, "attention_grad: needs six inputs");
  check_common(in, attrs, 6);
  HEARTH_CHECK((in[3] == in[0] && in[5] == in[0] &&
                in[4] == TensorType{DType::f32, {in[0].dims[0], in[0].dims[1], in[0].dims[2]}}),
               format, "attention_grad: inputs do not fit q ", in[0]);
  HEARTH_CHECK(out.size() == 3 && out[0] == in[0] && out[1] == in[1] && out[2] == in[2], format,
               "attention_grad: results do not fit");
}

}  // namespace

std::vector<KernelInfo> attention_kernels() {
  return {{"attention", forward, check_forward}, {"attention_grad", backward, check_backward}};
}

}  // namespace hearth
