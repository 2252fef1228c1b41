// SPDX-License-Identifier: Apache-2.0
// reduce and dot_general: sums of floats in f64, rounded once; sums of integers wrap around.

#include <cmath>
#include <limits>

#include "ops/reference/complex_functions.h"
#include "ops/reference/elements.h"
#include "ops/reference/reference.h"

namespace hearth {
namespace {

using namespace reference;

// --- reduce {dims, kind}: sum product max min; and or for bool ------------------------------------------------------

double combine(const std::string& kind, double a, double b) {
  if (kind == "sum") return a + b;
  if (kind == "product") return a * b;
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  if (a == b) return std::signbit(a) == (kind == "max") ? b : a;  // -0 is less than +0
  return (a > b) == (kind == "max") ? a : b;
}
double start_real(const std::string& kind) {
  if (kind == "sum") return 0;
  if (kind == "product") return 1;
  return kind == "max" ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

int64_t combine(const std::string& kind, int64_t a, int64_t b, DType t) {
  if (kind == "sum") return int64_t(uint64_t(a) + uint64_t(b));
  if (kind == "product") return int64_t(uint64_t(a) * uint64_t(b));
  if (kind == "and") return a & b;
  if (kind == "or") return a | b;
  const bool a_less = is_signed_int(t) ? a < b : uint64_t(a) < uint64_t(b);
  return a_less == (kind == "max") ? b : a;
}
int64_t start_integer(const std::string& kind, DType t) {
  const int bits = t == DType::boolean ? 1 : 8 * int(size_bytes(t));
  const uint64_t all = ~uint64_t{0} >> (64 - bits), top = uint64_t{1} << (bits - 1);
  if (kind == "sum" || kind == "or") return 0;
  if (kind == "product") return 1;
  if (kind == "and") return int64_t(all);
  if (!is_signed_int(t)) return kind == "max" ? 0 : int64_t(all);
  return kind == "max" ? -int64_t(top - 1) - 1 : int64_t(top - 1);
}

Dims without(const Dims& dims, const Dims& axes) {
  Dims kept;
  for (size_t k = 0; k < dims.size(); ++k) {
    if (!contains(axes, int64_t(k))) kept.push_back(dims[k]);
  }
  return kept;
}

void run_complex_reduce(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  const bool sum = args.attrs.text("kind") == "sum";
  std::vector<Complex> results(size_t(y.type->elements()), sum ? 0 : 1);
  for_each_index(x.dims(), [&](const Dims& index, int64_t i) {
    Complex& to = results[size_t(position(without(index, args.attrs.list("dims")), y.dims()))];
    to = sum ? to + load_complex(x, i) : complex::multiply(to, load_complex(x, i));
  });
  for (size_t i = 0; i < results.size(); ++i) store_complex(y, int64_t(i), results[i]);
}

void run_reduce(const KernelArgs& args) {
  if (is_complex(args.in[0].dtype())) return run_complex_reduce(args);
  const TensorArg &x = args.in[0], &y = args.out[0];
  const Dims& axes = args.attrs.list("dims");
  const std::string& kind = args.attrs.text("kind");
  const size_t results = size_t(y.type->elements());
  const bool real = is_float(x.dtype());
  std::vector<double> reals(real ? results : 0, start_real(kind));
  std::vector<int64_t> integers(real ? 0 : results, start_integer(kind, x.dtype()));
  for_each_index(x.dims(), [&](const Dims& index, int64_t i) {
    const size_t to = size_t(position(without(index, axes), y.dims()));
    if (real)
      reals[to] = combine(kind, reals[to], load_real(x, i));
    else
      integers[to] = combine(kind, integers[to], load_integer(x, i), x.dtype());
  });
  for (size_t i = 0; i < results; ++i) {
    if (real)
      store_real(y, int64_t(i), reals[i]);
    else
      store_integer(y, int64_t(i), integers[i]);
  }
}
void check_reduce(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 1, 1);
  const std::string& kind = attrs.text("kind");
  const bool numeric = kind == "sum" || kind == "product", order = kind == "max" || kind == "min";
  const bool bits = kind == "and" || kind == "or";
  const DType t = in[0].dtype;
  HEARTH_CHECK(is_complex(t)         ? numeric
               : is_float(t)         ? numeric || order
               : t == DType::boolean ? order || bits
                                     : numeric || order || bits,
               format, "kind='", kind, "' has no meaning for ", t);
  expect_axes("dims", attrs.list("dims"), in[0].rank());
  expect_type("output", out[0], {t, without(in[0].dims, attrs.list("dims"))});
}

// --- dot_general {lhs_batch, rhs_batch, lhs_contract, rhs_contract} -------------------------------------------------

// The axes of one side: batch, free (in order), contracted.
struct Side {
  Dims batch, free, contract;
};
Side side_of(const Attrs& attrs, const std::string& name, int64_t rank) {
  Side side{attrs.list(name + "_batch"), {}, attrs.list(name + "_contract")};
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (!contains(side.batch, axis) && !contains(side.contract, axis)) side.free.push_back(axis);
  }
  return side;
}
void set_axes(Dims& index, const Dims& axes, const Dims& values, size_t first) {
  for (size_t k = 0; k < axes.size(); ++k) index[size_t(axes[k])] = values[first + k];
}

// y[batch, lhs free, rhs free] = sum over the contracted axes of lhs * rhs.
void run_dot_general(const KernelArgs& args) {
  const TensorArg &a = args.in[0], &b = args.in[1], &y = args.out[0];
  const Side lhs = side_of(args.attrs, "lhs", a.type->rank()), rhs = side_of(args.attrs, "rhs", b.type->rank());
  Dims contracted, at_a(a.dims().size(), 0), at_b(b.dims().size(), 0);
  for (int64_t axis : lhs.contract) contracted.push_back(a.dim(axis));
  for_each_index(y.dims(), [&](const Dims& index, int64_t i) {
    set_axes(at_a, lhs.batch, index, 0);
    set_axes(at_b, rhs.batch, index, 0);
    set_axes(at_a, lhs.free, index, lhs.batch.size());
    set_axes(at_b, rhs.free, index, lhs.batch.size() + lhs.free.size());
    double real = 0;
    Complex pair = 0;
    uint64_t integer = 0;
    for_each_index(contracted, [&](const Dims& k, int64_t) {
      set_axes(at_a, lhs.contract, k, 0);
      set_axes(at_b, rhs.contract, k, 0);
      const int64_t from_a = position(at_a, a.dims()), from_b = position(at_b, b.dims());
      if (is_complex(y.dtype()))
        pair += complex::multiply(load_complex(a, from_a), load_complex(b, from_b));
      else if (is_float(y.dtype()))
        real += load_real(a, from_a) * load_real(b, from_b);
      else
        integer += uint64_t(load_integer(a, from_a)) * uint64_t(load_integer(b, from_b));
    });
    if (is_complex(y.dtype()))
      store_complex(y, i, pair);
    else if (is_float(y.dtype()))
      store_real(y, i, real);
    else
      store_integer(y, i, int64_t(integer));
  });
}

void expect_pairs(const char* what, const TensorType& a, const Dims& lhs, const TensorType& b, const Dims& rhs) {
  HEARTH_CHECK(lhs.size() == rhs.size(), format, "names ", lhs.size(), " ", what, " axes of lhs, ", rhs.size(),
               " of rhs");
  for (size_t k = 0; k < lhs.size(); ++k) {
    const int64_t m = a.dims[size_t(lhs[k])], n = b.dims[size_t(rhs[k])];
    HEARTH_CHECK(m == n, format, what, " sizes differ: ", m, " != ", n, "\n  lhs is ", a, "\n  rhs is ", b);
  }
}
void check_dot_general(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 2, 1);
  const Side lhs = side_of(attrs, "lhs", in[0].rank()), rhs = side_of(attrs, "rhs", in[1].rank());
  const auto joined = [](Dims axes, const Dims& more) {
    axes.insert(axes.end(), more.begin(), more.end());
    return axes;
  };
  expect_axes("lhs axes", joined(lhs.batch, lhs.contract), in[0].rank());
  expect_axes("rhs axes", joined(rhs.batch, rhs.contract), in[1].rank());
  expect_pairs("batch", in[0], lhs.batch, in[1], rhs.batch);
  expect_pairs("contracted", in[0], lhs.contract, in[1], rhs.contract);
  TensorType wanted{out[0].dtype, {}};
  for (int64_t axis : joined(lhs.batch, lhs.free)) wanted.dims.push_back(in[0].dims[size_t(axis)]);
  for (int64_t axis : rhs.free) wanted.dims.push_back(in[1].dims[size_t(axis)]);
  expect_type("output", out[0], wanted);
  const bool float_in = is_float(in[0].dtype) || is_float(in[1].dtype);
  const bool complex_in = is_complex(in[0].dtype) || is_complex(in[1].dtype), complex_out = is_complex(out[0].dtype);
  HEARTH_CHECK(
      out[0].dtype != DType::boolean && (is_inexact(out[0].dtype) || !float_in) && (complex_out || !complex_in), format,
      "products of ", in[0].dtype, " and ", in[1].dtype, " do not sum to ", out[0].dtype);
}

}  // namespace

std::vector<KernelInfo> reference_contraction() {
  return {
      {"reduce", run_reduce, check_reduce},
      {"dot_general", run_dot_general, check_dot_general},
  };
}

}  // namespace hearth
