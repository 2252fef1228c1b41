// SPDX-License-Identifier: Apache-2.0
// Scans: element after element along one axis. Floats in f64, rounded once an element; integers wrap around.

#include <cmath>

#include "ops/along_axis/axis_view.h"
#include "ops/reference/elements.h"
#include "ops/reference/reference.h"

namespace hearth {
namespace {

using namespace reference;
using Complex = std::complex<double>;

// Calls body(at, before) along each lane in the scan's direction: the element's place, and its predecessor's or -1.
template <class Body>
void for_each_in_scan(const KernelArgs& args, Body body) {
  const AxisView view(args.in[0].dims(), args.attrs.integer("dimension"));
  const bool reverse = args.attrs.integer("reverse") != 0;
  for (int64_t o = 0; o < view.outer; ++o) {
    for (int64_t c = 0; c < view.inner; ++c) {
      int64_t before = -1;
      for (int64_t i = 0; i < view.n; ++i) {
        const int64_t at = (o * view.n + (reverse ? view.n - 1 - i : i)) * view.inner + c;
        body(at, before);
        before = at;
      }
    }
  }
}

double extremum(bool max, double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) ? a : b;
  return (max ? b > a : b < a) ? b : a;
}

// --- cumulative(x) {dimension, kind: sum product max min, reverse} --------------------------------------------------

void run_cumulative(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  const std::string& kind = args.attrs.text("kind");
  const DType t = x.dtype();
  Complex sum;
  int64_t integer = 0;
  for_each_in_scan(args, [&](int64_t at, int64_t before) {
    if (is_inexact(t)) {
      const Complex element = load_complex(x, at);
      if (before < 0)
        sum = element;
      else if (kind == "sum")
        sum += element;
      else if (kind == "product")
        sum = is_complex(t) ? sum * element : Complex(sum.real() * element.real());
      else
        sum = extremum(kind == "max", sum.real(), element.real());
      is_complex(t) ? store_complex(y, at, sum) : store_real(y, at, sum.real());
      return;
    }
    const int64_t element = load_integer(x, at);
    const bool less = is_signed_int(t) ? integer < element : uint64_t(integer) < uint64_t(element);
    if (before < 0)
      integer = element;
    else if (kind == "sum")
      integer = int64_t(uint64_t(integer) + uint64_t(element));
    else if (kind == "product")
      integer = int64_t(uint64_t(integer) * uint64_t(element));
    else if (less == (kind == "max"))
      integer = element;
    store_integer(y, at, integer);
    integer = load_integer(y, at);
  });
}
void check_scan(const Types& in, const Types& out, const Attrs& attrs) {
  expect_axis(in[0], attrs.integer("dimension"));
  attrs.integer("reverse");
  for (const TensorType& x : in) expect_type("input", x, in[0]);
  expect_type("output", out[0], in[0]);
}
void check_cumulative(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 1, 1);
  check_scan(in, out, attrs);
  const std::string& kind = attrs.text("kind");
  const bool numeric = kind == "sum" || kind == "product", order = kind == "max" || kind == "min";
  const DType t = in[0].dtype;
  HEARTH_CHECK((numeric && t != DType::boolean) || (order && !is_complex(t)), format, "kind='", kind,
               "' has no meaning for ", t);
}

// --- linear_recurrence(a, b) {dimension, reverse} -------------------------------------------------------------------

void run_recurrence(const KernelArgs& args) {
  const TensorArg &a = args.in[0], &b = args.in[1], &y = args.out[0];
  const DType t = a.dtype();
  Complex state;
  int64_t integer = 0;
  for_each_in_scan(args, [&](int64_t at, int64_t before) {
    if (is_complex(t)) {
      state = load_complex(a, at) * (before < 0 ? Complex() : state) + load_complex(b, at);
      store_complex(y, at, state);
    } else if (is_inexact(t)) {
      state = load_real(a, at) * (before < 0 ? 0 : state.real()) + load_real(b, at);
      store_real(y, at, state.real());
    } else {
      const uint64_t old = before < 0 ? 0 : uint64_t(load_integer(a, at)) * uint64_t(integer);
      store_integer(y, at, int64_t(old + uint64_t(load_integer(b, at))));
      integer = load_integer(y, at);
    }
  });
}
void check_recurrence(const Types& in, const Types& out, const Attrs& attrs) {
  expect_arguments(in, out, 2, 1);
  check_scan(in, out, attrs);
  HEARTH_CHECK(in[0].dtype != DType::boolean, format, "has no meaning for bool");
}

}  // namespace

std::vector<KernelInfo> reference_scans() {
  return {{"cumulative", run_cumulative, check_cumulative}, {"linear_recurrence", run_recurrence, check_recurrence}};
}

}  // namespace hearth
