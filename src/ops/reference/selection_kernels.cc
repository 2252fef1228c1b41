// SPDX-License-Identifier: Apache-2.0
// Element-wise operations that compare, select, convert, and take numbers apart.

#include <cstring>

#include "ops/reference/elements.h"
#include "ops/reference/reference.h"

namespace hearth {
namespace {

using namespace reference;

// --- compare {direction, compare_type}, select ----------------------------------------------------------------------

template <class T>
bool holds(const std::string& direction, T a, T b) {
  if (direction == "EQ") return a == b;
  if (direction == "NE") return a != b;
  if constexpr (std::is_same_v<T, std::complex<double>>) {
    return false;
  } else {
    if (direction == "LT") return a < b;
    if (direction == "LE") return a <= b;
    return direction == "GT" ? a > b : a >= b;
  }
}

// -NaN < -infinity < ... < -0 < +0 < ... < infinity < NaN: the order of a float's bits, those of negative ones
// inverted.
int64_t total_order(const TensorArg& x, int64_t i) {
  const int64_t size = size_bytes(x.dtype());
  uint64_t bits = 0;
  std::memcpy(&bits, x.as<char>() + i * size, size_t(size));
  const int unused = 64 - 8 * int(size);
  const int64_t top = int64_t(bits << unused);  // its sign is the float's
  return top < 0 ? int64_t(uint64_t(top) ^ (~uint64_t(0) >> 1)) : top;
}

void run_compare(const KernelArgs& args) {
  const TensorArg &a = args.in[0], &b = args.in[1];
  const std::string& direction = args.attrs.text("direction");
  const bool total = args.attrs.has("compare_type") && args.attrs.text("compare_type") == "TOTALORDER";
  for (int64_t i = 0; i < a.type->elements(); ++i) {
    bool result;
    if (total && is_float(a.dtype()))
      result = holds(direction, total_order(a, i), total_order(b, i));
    else if (is_float(a.dtype()))
      result = holds(direction, load_real(a, i), load_real(b, i));
    else if (is_complex(a.dtype()))
      result = holds(direction, load_complex(a, i), load_complex(b, i));
    else if (is_signed_int(a.dtype()))
      result = holds(direction, load_integer(a, i), load_integer(b, i));
    else
      result = holds(direction, uint64_t(load_integer(a, i)), uint64_t(load_integer(b, i)));
    store_integer(args.out[0], i, result);
  }
}
void check_compare(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 2, 1);
  expect_type("input 1", in[1], in[0]);
  expect_type("output", out[0], {DType::boolean, in[0].dims});
  const std::string& d = attrs.text("direction");
  HEARTH_CHECK(d == "EQ" || d == "NE" || d == "LT" || d == "LE" || d == "GT" || d == "GE", format, "direction='", d,
               "' is none of EQ NE LT LE GT GE");
  HEARTH_CHECK(!is_complex(in[0].dtype) || d == "EQ" || d == "NE", format, "direction='", d,
               "': complex numbers have no order");
  if (attrs.has("compare_type")) attrs.text("compare_type");
}

void run_select(const KernelArgs& args) {
  const TensorArg &pred = args.in[0], &y = args.out[0];
  for (int64_t i = 0; i < y.type->elements(); ++i) {
    const bool take = load_integer(pred, pred.type->rank() == 0 ? 0 : i);
    copy_element(y, i, args.in[take ? 1 : 2], i);
  }
}
void check_select(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 3, 1);
  expect_type("input 0", in[0], {DType::boolean, in[0].rank() == 0 ? Dims{} : in[1].dims});
  expect_type("input 2", in[2], in[1]);
  expect_type("output", out[0], in[1]);
}

// --- convert, bitcast_convert ---------------------------------------------------------------------------------------

// A complex number loses its imaginary part, but is true when either part is not 0.
void convert_complex(const TensorArg& x, const TensorArg& y, int64_t i) {
  const std::complex<double> z = load_complex(x, i);
  if (is_complex(y.dtype()))
    store_complex(y, i, z);
  else if (y.dtype() == DType::boolean)
    store_integer(y, i, z != 0.0);
  else
    store_converted(y, i, z.real());
}

void run_convert(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  for (int64_t i = 0; i < x.type->elements(); ++i) {
    if (is_complex(x.dtype()) || is_complex(y.dtype())) {
      convert_complex(x, y, i);
    } else if (is_float(x.dtype())) {
      store_converted(y, i, load_real(x, i));
    } else if (is_float(y.dtype())) {  // 64-bit integers do not fit in f64, and must be rounded once
      const int64_t n = load_integer(x, i);
      store_real(y, i, x.dtype() == DType::u64 ? static_cast<long double>(uint64_t(n)) : static_cast<long double>(n));
    } else {
      store_integer(y, i, load_integer(x, i));
    }
  }
}
void check_convert(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 1, 1);
  expect_type("output", out[0], {out[0].dtype, in[0].dims});
}

void run_bitcast_convert(const KernelArgs& args) {
  const int64_t bytes = args.in[0].type->bytes();
  if (bytes > 0) std::memcpy(args.out[0].data, args.in[0].data, size_t(bytes));
}
void check_bitcast_convert(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 1, 1);
  HEARTH_CHECK(in[0].bytes() == out[0].bytes(), format, "output ", out[0], " does not have the bytes of ", in[0]);
}

// --- complex, real, imag --------------------------------------------------------------------------------------------

void run_complex(const KernelArgs& args) {
  for (int64_t i = 0; i < args.out[0].type->elements(); ++i)
    store_complex(args.out[0], i, {load_real(args.in[0], i), load_real(args.in[1], i)});
}
void check_complex(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 2, 1);
  HEARTH_CHECK(is_complex(out[0].dtype), format, "output ", out[0], " is not complex");
  for (const TensorType& part : in) expect_type("input", part, {real_part(out[0].dtype), out[0].dims});
}

template <bool imaginary>
void run_part(const KernelArgs& args) {
  for (int64_t i = 0; i < args.out[0].type->elements(); ++i) {
    const std::complex<double> z = load_complex(args.in[0], i);
    store_real(args.out[0], i, imaginary ? z.imag() : z.real());
  }
}
void check_part(const Types& in, const Types& out, const Attrs&) {
  expect_arguments(in, out, 1, 1);
  HEARTH_CHECK(is_inexact(in[0].dtype), format, "has no meaning for ", in[0].dtype);
  expect_type("output", out[0], {real_part(in[0].dtype), in[0].dims});
}

}  // namespace

std::vector<KernelInfo> reference_selection() {
  return {
      {"compare", run_compare, check_compare}, {"select", run_select, check_select},
      {"convert", run_convert, check_convert}, {"bitcast_convert", run_bitcast_convert, check_bitcast_convert},
      {"complex", run_complex, check_complex}, {"real", run_part<false>, check_part},
      {"imag", run_part<true>, check_part},
  };
}

}  // namespace hearth
