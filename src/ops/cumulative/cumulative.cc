// SPDX-License-Identifier: Apache-2.0
#include "ops/cumulative/cumulative.h"

#include <limits>

#include "base/error.h"
#include "ir/op.h"
#include "ops/along_axis/along_axis.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

// --- functions ------------------------------------------------------------------------------------------------------

static Attrs scan_attrs(int64_t axis, bool reverse) { return {{"dimension", axis}, {"reverse", int64_t(reverse)}}; }

static Value cumulative(const char* kind, const Value& x, int64_t axis, bool reverse) {
  return x.graph->add("cumulative", {x}, scan_attrs(axis, reverse).set("kind", std::string(kind)));
}

Value cumsum(const Value& x, int64_t axis, RunningOptions options) {
  return cumulative("sum", x, checked_axis("cumsum", x, axis), options.reverse);
}
Value cumprod(const Value& x, int64_t axis, RunningOptions options) {
  return cumulative("product", x, checked_axis("cumprod", x, axis), options.reverse);
}
Value cummax(const Value& x, int64_t axis, RunningOptions options) {
  return cumulative("max", x, checked_axis("cummax", x, axis), options.reverse);
}
Value cummin(const Value& x, int64_t axis, RunningOptions options) {
  return cumulative("min", x, checked_axis("cummin", x, axis), options.reverse);
}
Value cumlogsumexp(const Value& x, int64_t axis, RunningOptions options) {
  return x.graph->add("cumlogsumexp", {x}, scan_attrs(checked_axis("cumlogsumexp", x, axis), options.reverse));
}
Value linear_recurrence(const Value& a, const Value& b, int64_t axis, RunningOptions options) {
  return a.graph->add("linear_recurrence", {a, b},
                      scan_attrs(checked_axis("linear_recurrence", a, axis), options.reverse));
}

// --- shape rules ----------------------------------------------------------------------------------------------------

static std::vector<TensorType> infer_scan(const InferArgs& args, const std::string& op) {
  const Value& x = args.in[0];
  const int64_t axis = args.attrs.integer("dimension"), reverse = args.attrs.integer("reverse");
  HEARTH_CHECK(axis >= 0 && axis < x.rank(), value, op, ": axis ", axis, " does not exist in x ", x);
  HEARTH_CHECK(reverse == 0 || reverse == 1, value, op, ": reverse is ", reverse, ", not 0 or 1");
  return {x.type()};
}

static std::vector<TensorType> infer_cumulative(const InferArgs& args) {
  const Value& x = args.in[0];
  const std::string& kind = args.attrs.text("kind");
  const bool numeric = kind == "sum" || kind == "product";
  HEARTH_CHECK(numeric || kind == "max" || kind == "min", value, "cumulative: unknown kind '", kind, "'");
  const std::string op = "cum" + (kind == "product" ? "prod" : kind);
  HEARTH_CHECK(!numeric || x.dtype() != DType::boolean, dtype, op, ": needs numbers; x is ", x, "\n  hint: ", op,
               "(convert(x, DType::i32))");
  HEARTH_CHECK(numeric || !is_complex(x.dtype()), dtype, op, ": needs real numbers; x is ", x);
  return infer_scan(args, op);
}

static std::vector<TensorType> infer_cumlogsumexp(const InferArgs& args) {
  HEARTH_CHECK(is_float(args.in[0].dtype()), dtype, args.op, ": needs floats; x is ", args.in[0]);
  return infer_scan(args, args.op);
}

static std::vector<TensorType> infer_recurrence(const InferArgs& args) {
  const Value &a = args.in[0], &b = args.in[1];
  HEARTH_CHECK(a.type() == b.type(), shape, args.op, ": a and b differ\n  a is ", a, "\n  b is ", b);
  HEARTH_CHECK(a.dtype() != DType::boolean, dtype, args.op, ": needs numbers; a is ", a);
  return infer_scan(args, args.op);
}

// --- derivatives ----------------------------------------------------------------------------------------------------

// y with every element moved one place on in the direction of the scan; `first` comes in, the last falls out.
static Value moved(const Value& y, int64_t axis, bool reverse, double first) {
  Padding padding{Dims(size_t(y.rank()), 0), Dims(size_t(y.rank()), 0), Dims(size_t(y.rank()), 0)};
  padding.low[size_t(axis)] = reverse ? -1 : 1;
  padding.high[size_t(axis)] = reverse ? 1 : -1;
  return y.dim(axis) == 0 ? y : pad(y, constant(*y.graph, first, y.dtype()), padding);
}

// The running extremum comes from the last place at which x reached it (or was NaN, which stays): the running maximum
// of the places in the scan's direction.
static Value place_of_extremum(const Value& x, const Value& y, int64_t axis, bool reverse) {
  const int64_t n = x.dim(axis);
  const DType index = n <= INT32_MAX ? DType::i32 : DType::i64;
  const Value here = iota(*x.graph, index, x.dims(), axis), none = scalar_like(here, reverse ? double(n - 1) : 0);
  const Value reached = is_float(x.dtype()) ? select(compare("NE", x, x), here, none) : none;
  const Value place = select(compare("EQ", x, y), here, reached);
  return reverse ? cummin(place, axis, {.reverse = true}) : cummax(place, axis);
}

// sum: each x enters all later y. product: dx[i] = (product before i) * r[i], where r[i] = dy[i] + x[i+1] r[i+1]; no
// division, so zeros are like any other number.
static void grad_cumulative(VjpArgs& v) {
  const int64_t axis = v.attrs.integer("dimension");
  const bool reverse = v.attrs.integer("reverse") != 0;
  const std::string& kind = v.attrs.text("kind");
  const Value &x = v.in[0], &y = v.out[0], &dy = v.cotangent[0];
  if (kind == "sum") {
    v.grad[0] = cumsum(dy, axis, {.reverse = !reverse});
  } else if (kind == "product") {
    const Value later = linear_recurrence(moved(x, axis, !reverse, 0), dy, axis, {.reverse = !reverse});
    v.grad[0] = moved(y, axis, reverse, 1) * later;
  } else {
    v.grad[0] = scatter_add_along_axis(dy, place_of_extremum(x, y, axis, reverse), axis, x.dim(axis));
  }
}

// db = r with r[i] = dy[i] + a[i+1] r[i+1]; da[i] = r[i] y[i-1].
static void grad_recurrence(VjpArgs& v) {
  const int64_t axis = v.attrs.integer("dimension");
  const bool reverse = v.attrs.integer("reverse") != 0;
  const Value r = linear_recurrence(moved(v.in[0], axis, !reverse, 0), v.cotangent[0], axis, {.reverse = !reverse});
  if (v.wanted[0]) v.grad[0] = r * moved(v.out[0], axis, reverse, 0);
  if (v.wanted[1]) v.grad[1] = r;
}

constexpr double kNothing = -std::numeric_limits<double>::infinity();  // log of an empty sum

// a - b, but 0 where both are the same infinity.
static Value gap(const Value& a, const Value& b) { return select(compare("EQ", a, b), scalar_like(a, 0), a - b); }

// dx[i] = sum over j >= i of dy[j] exp(x[i] - y[j]) = exp(x[i] - y[i]) r[i] with r[i] = dy[i] + exp(y[i] - y[i+1])
// r[i+1]: no exponent is above 0. Where y is still -infinity, nothing flows.
static void grad_cumlogsumexp(VjpArgs& v) {
  const int64_t axis = v.attrs.integer("dimension");
  const bool reverse = v.attrs.integer("reverse") != 0;
  const Value &x = v.in[0], &y = v.out[0];
  const Value decay = exp(gap(moved(y, axis, reverse, kNothing), y));  // of y[i] against its predecessor
  const Value r = linear_recurrence(moved(decay, axis, !reverse, 0), v.cotangent[0], axis, {.reverse = !reverse});
  const Value nothing = scalar_like(y, kNothing);
  v.grad[0] = select(compare("EQ", y, nothing), scalar_like(y, 0), exp(gap(x, y)) * r);
}

// --- cumlogsumexp ---------------------------------------------------------------------------------------------------

// With the running maximum m: s[i] = exp(m[i-1] - m[i]) s[i-1] + exp(x[i] - m[i]), y = m + log s. Where m is infinite,
// 0 stands for it: exp and log then give the right infinity. f16 and bf16 in f32.
static std::vector<Value> decompose_cumlogsumexp(Graph&, const std::vector<Value>& in, const Attrs& attrs) {
  const int64_t axis = attrs.integer("dimension");
  const RunningOptions options{.reverse = attrs.integer("reverse") != 0};
  const Value x = convert(in[0], in[0].dtype() == DType::f64 ? DType::f64 : DType::f32);
  const Value m = cummax(x, axis, options);
  const Value infinity = scalar_like(m, -kNothing);
  const Value finite = select(compare("EQ", unary("abs", m), infinity), scalar_like(m, 0), m);
  const Value shrink = exp(moved(finite, axis, options.reverse, kNothing) - finite);
  const Value sum = linear_recurrence(shrink, exp(x - finite), axis, options);
  return {convert(finite + log(sum), in[0].dtype())};
}

std::vector<OpInfo> cumulative_ops() {
  OpInfo scan{.name = "cumulative",
              .doc = "running sum, product, max or min along an axis",
              .infer = infer_cumulative,
              .vjp = grad_cumulative,
              .batch = batch_along_axis};
  scan.offers = {{"cpu", "cumulative", nullptr}};
  OpInfo recurrence{.name = "linear_recurrence",
                    .doc = "y[i] = a[i] y[i-1] + b[i] along an axis",
                    .infer = infer_recurrence,
                    .vjp = grad_recurrence,
                    .batch = batch_along_axis};
  recurrence.offers = {{"cpu", "linear_recurrence", nullptr}};
  OpInfo logsumexp{.name = "cumlogsumexp",
                   .doc = "running log of the sum of exponentials along an axis",
                   .infer = infer_cumlogsumexp,
                   .vjp = grad_cumlogsumexp,
                   .decompose = decompose_cumlogsumexp,
                   .batch = batch_along_axis};
  return {scan, recurrence, logsumexp};
}

}  // namespace hearth
