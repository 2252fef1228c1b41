// SPDX-License-Identifier: Apache-2.0
// Kernel "matmul": C = A1 B1 [+ scale2 A2 B2] [+ addend], for every element of a batch. The second term and the addend
// are for f32, f16 and bf16 only.
// Inputs: a1, b1, [a2, b2], [addend]. Attributes: m, n, k, batch (sizes); for each operand o of a, b (and a2, b2)
// o_offset, o_row, o_col, o_batch: element offset and strides of its [rows,cols] matrix; k2 and scale2 with the second
// term; addend = 1 with an addend, which is laid out like C.
#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/matmul/gemm.h"

namespace hearth {
namespace {

struct Operand {
  MatrixRef matrix;
  int64_t batch_stride;
};

Operand operand(const TensorArg& tensor, const Attrs& attrs, const std::string& name) {
  const int64_t offset = attrs.integer(name + "_offset");
  const auto* data = static_cast<const char*>(tensor.data) + offset * size_bytes(tensor.dtype());
  return {{data, tensor.dtype(), attrs.integer(name + "_row"), attrs.integer(name + "_col")},
          attrs.integer(name + "_batch")};
}

const void* shifted(const void* data, DType dtype, int64_t elements) {
  return static_cast<const char*>(data) + elements * size_bytes(dtype);
}

void run(const KernelArgs& args) {
  const Attrs& attrs = args.attrs;
  const int64_t batch = attrs.integer("batch");
  GemmCall call{};
  call.m = attrs.integer("m");
  call.n = attrs.integer("n");
  call.term_count = attrs.has("k2") ? 2 : 1;
  std::vector<Operand> operands;
  operands.push_back(operand(args.in[0], attrs, "a"));
  operands.push_back(operand(args.in[1], attrs, "b"));
  if (call.term_count == 2) {
    operands.push_back(operand(args.in[2], attrs, "a2"));
    operands.push_back(operand(args.in[3], attrs, "b2"));
  }
  const bool has_addend = attrs.integer_or("addend", 0) != 0;
  const TensorArg addend = has_addend ? args.in[operands.size()] : TensorArg{};
  const auto at = [&](int64_t i) {
    GemmCall one = call;
    for (int t = 0; t < call.term_count; ++t) {
      MatrixRef a = operands[size_t(2 * t)].matrix, b = operands[size_t(2 * t + 1)].matrix;
      a.data = shifted(a.data, a.dtype, i * operands[size_t(2 * t)].batch_stride);
      b.data = shifted(b.data, b.dtype, i * operands[size_t(2 * t + 1)].batch_stride);
      one.terms[t] = {a, b, attrs.integer(t ? "k2" : "k"), t ? float(attrs.real("scale2")) : 1.0f};
    }
    one.c = const_cast<void*>(shifted(args.out[0].data, args.out[0].dtype(), i * call.m * call.n));
    one.c_dtype = args.out[0].dtype();
    one.ldc = call.n;
    if (has_addend) {
      one.addend = shifted(addend.data, addend.dtype(), i * call.m * call.n);
      one.addend_dtype = addend.dtype();
      one.ld_addend = call.n;
    }
    return one;
  };
  if (batch == 1) {
    gemm(at(0));
  } else {
    parallel_for(batch, [&](int64_t i, int) { gemm_on_this_thread(at(i)); });
  }
}

bool is_narrow_float(DType t) { return is_float(t) && t != DType::f64; }

void check_operand(const TensorType& type, const Attrs& attrs, const std::string& name, int64_t rows, int64_t cols) {
  const int64_t batch = attrs.integer("batch"), elements = type.elements();
  if (rows == 0 || cols == 0 || batch == 0) return;
  __int128 low = attrs.integer(name + "_offset"), high = low;
  const std::pair<int64_t, int64_t> axes[] = {{rows, attrs.integer(name + "_row")},
                                              {cols, attrs.integer(name + "_col")},
                                              {batch, attrs.integer(name + "_batch")}};
  for (const auto& [size, stride] : axes) (stride < 0 ? low : high) += __int128(size - 1) * stride;
  HEARTH_CHECK(low >= 0 && high < elements, format, "matmul: operand ", name, " reaches outside its tensor ", type);
}

// What gemm takes: f32, f16 and bf16 in any mix, or two operands of the result's dtype.
void check_dtypes(const std::vector<TensorType>& in, DType out) {
  HEARTH_CHECK(out != DType::boolean && (is_narrow_float(out) || in.size() == 2), format, "matmul: ", in.size(),
               " inputs for a result of ", out);
  for (const TensorType& type : in)
    HEARTH_CHECK(is_narrow_float(out) ? is_narrow_float(type.dtype) : type.dtype == out, format,
                 "matmul: an operand is ", type, ", the result of ", out);
}

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  const int64_t m = attrs.integer("m"), n = attrs.integer("n"), k = attrs.integer("k"), batch = attrs.integer("batch");
  HEARTH_CHECK(m >= 0 && n >= 0 && k >= 0 && batch >= 0, format, "matmul: negative size");
  const bool two = attrs.has("k2"), addend = attrs.integer_or("addend", 0) != 0;
  const size_t wanted = 2 + (two ? 2 : 0) + (addend ? 1 : 0);
  HEARTH_CHECK(in.size() == wanted && out.size() == 1, format, "matmul: ", in.size(), " inputs, needs ", wanted);
  const __int128 elements = __int128(batch) * m * n;
  HEARTH_CHECK(elements == out[0].elements(), format, "matmul: result ", out[0], " is not ", batch, " x ", m, " x ", n);
  check_dtypes(in, out[0].dtype);
  check_operand(in[0], attrs, "a", m, k);
  check_operand(in[1], attrs, "b", k, n);
  if (two) {
    const int64_t k2 = attrs.integer("k2");
    HEARTH_CHECK(k2 >= 0, format, "matmul: negative size");
    attrs.real("scale2");
    check_operand(in[2], attrs, "a2", m, k2);
    check_operand(in[3], attrs, "b2", k2, n);
  }
  if (addend)
    HEARTH_CHECK(in.back().elements() == out[0].elements(), format, "matmul: addend ", in.back(), " does not fit ",
                 out[0]);
}

}  // namespace

std::vector<KernelInfo> matmul_kernels() { return {{"matmul", run, check}}; }

}  // namespace hearth
