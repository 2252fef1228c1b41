// SPDX-License-Identifier: Apache-2.0
// sort_with_body  inputs [x..., captured...]  attrs operands, dimension
// body {a of x0, b of x0, a of x1, b of x1 ..., captured...} -> bool: whether a stands before b
#include <map>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "ops/along_axis/along_axis.h"
#include "ops/elementwise/elementwise.h"
#include "ops/regions/region_body.h"
#include "ops/shape/shape.h"
#include "ops/sort/sort.h"

namespace hearth {

Types infer_sort_with_body(const InferArgs& args) {
  const size_t n = operand_count(args);
  check_same_sizes(args, n);
  const Value& x = args.in[0];
  const int64_t axis = args.attrs.integer("dimension");
  HEARTH_CHECK(axis >= 0 && axis < x.rank(), value, args.op, ": axis ", axis, " does not exist in x ", x);
  Types pairs, out;
  for (size_t i = 0; i < n; ++i) {
    pairs.insert(pairs.end(), 2, {args.in[i].dtype(), {}});
    out.push_back(args.in[i].type());
  }
  check_body(args, {.own = pairs, .gives = {{DType::boolean, {}}}, .captured = part(args.in, n)});
  return out;
}

namespace {

// --- comparators that compare keys ----------------------------------------------------------------------------------

struct Key {
  Value of_a;  // in the body
  bool descending = false, total_order = false;
};

// NaN equals NaN here.
bool same_attrs(const Node& a, const Node& b) {
  const std::optional<double> x = constant_of(a), y = constant_of(b);
  return a.attrs == b.attrs || (x && y && *x != *x && *y != *y);
}

// Reads a comparator: compare(LT, f(a), f(b)), or a chain of such, each deciding where those before are equal.
class KeyReader {
 public:
  KeyReader(const Graph& body, size_t operands) : body_(body), operands_(operands) {}

  std::optional<std::vector<Key>> read() {
    std::vector<Key> keys;
    for (Value rest = body_.outputs()[0].value; rest.valid();) {
      const std::optional<Value> next = read_one(rest, keys);
      if (!next) return std::nullopt;
      rest = *next;
    }
    return keys;
  }

 private:
  const std::string& op(const Value& v) const { return body_.node(v).op->name; }
  const Values& in(const Value& v) const { return body_.node(v).inputs; }
  std::string direction(const Value& v) const {
    return op(v) == "compare" ? body_.node(v).attrs.text("direction") : "";
  }

  // Adds the key that decides first; gives what decides where it is equal (invalid: nothing), or none.
  std::optional<Value> read_one(const Value& v, std::vector<Key>& keys) {
    if (direction(v) == "LT" || direction(v) == "GT") return add(v, keys) ? std::optional(Value{}) : std::nullopt;
    if (op(v) == "or") {  // less or (equal and rest), in any order
      for (const size_t i : {0, 1}) {
        const Value less = in(v)[i], both = in(v)[1 - i];
        if (op(both) != "and") continue;
        for (const size_t k : {0, 1})
          if (const auto rest = chain(in(both)[k], in(both)[1 - k], less, keys)) return rest;
      }
    }
    if (op(v) == "select") return chain(in(v)[0], in(v)[1], in(v)[2], keys);  // equal ? rest : less
    return std::nullopt;
  }

  std::optional<Value> chain(const Value& equal, const Value& rest, const Value& less, std::vector<Key>& keys) {
    if (direction(equal) != "EQ" || (direction(less) != "LT" && direction(less) != "GT")) return std::nullopt;
    const Values e = in(equal), l = in(less);
    const bool same = (is_same(e[0], l[0]) && is_same(e[1], l[1])) || (is_same(e[0], l[1]) && is_same(e[1], l[0]));
    return same && add(less, keys) ? std::optional(rest) : std::nullopt;
  }

  bool add(const Value& less, std::vector<Key>& keys) {
    const Node& node = body_.node(less);
    const bool total = is_total_order(node);
    const bool greater = direction(less) == "GT";
    for (const bool swapped : {false, true}) {  // b > a is a < b
      const Value a = node.inputs[swapped], b = node.inputs[!swapped];
      if (is_complex(a.dtype()) || !mirrors(a, b)) continue;
      keys.push_back({a, greater != swapped, total});
      return true;
    }
    return false;
  }

  // Whether b is the same function of the second of each pair as a is of the first.
  bool mirrors(const Value& a, const Value& b) { return equal(a, b, true); }
  bool is_same(const Value& a, const Value& b) { return equal(a, b, false); }

  bool equal(const Value& a, const Value& b, bool mirrored) {
    const auto [known, fresh] = known_.try_emplace({a.node, b.node, mirrored}, false);
    if (!fresh) return known->second && a.output == b.output;
    const Node &x = body_.node(a), &y = body_.node(b);
    bool same = a.output == b.output && x.op == y.op;
    if (same && x.op->name == "input") {
      const int32_t i = body_.input_index(a.node), k = body_.input_index(b.node);
      same = mirrored && size_t(i) < 2 * operands_ ? i % 2 == 0 && k == i + 1 : i == k;
    } else if (same) {
      same = same_attrs(x, y) && x.types == y.types && x.inputs.size() == y.inputs.size() && x.bodies == y.bodies;
      for (size_t i = 0; same && i < x.inputs.size(); ++i) same = equal(x.inputs[i], y.inputs[i], mirrored);
    }
    known_[{a.node, b.node, mirrored}] = same;
    return same;
  }

  const Graph& body_;
  const size_t operands_;
  std::map<std::tuple<int32_t, int32_t, bool>, bool> known_;
};

bool is_number(const Graph& body, const Value& v, bool (*holds)(double)) {
  const std::optional<double> number = constant_of(body.node(v));
  return number && holds(*number);
}

// JAX compares in total order what it first makes one zero and one NaN of: the order of sort_keys, which needs neither.
// The number behind those selects when both are there; otherwise invalid.
Value behind_one_zero_and_one_nan(const Graph& body, Value v) {
  bool zero = false, nan = false;
  Value looked_at;
  while (body.node(v).op->name == "select") {
    const Values& in = body.node(v).inputs;
    const Node& pred = body.node(in[0]);
    if (pred.op->name != "compare") return {};
    const std::string& direction = pred.attrs.text("direction");
    if (direction == "EQ" && is_number(body, in[1], [](double x) { return x == 0; }) &&
        is_number(body, pred.inputs[1], [](double x) { return x == 0; }) && pred.inputs[0] == in[2]) {
      zero = true;
    } else if (direction == "NE" && is_number(body, in[1], [](double x) { return x != x; }) &&
               pred.inputs[0] == pred.inputs[1]) {
      nan = true;
      looked_at = pred.inputs[0] == in[2] ? Value{} : pred.inputs[0];  // perhaps before the zeros: NaN either way
    } else {
      return {};
    }
    v = in[2];
  }
  return zero && nan && (!looked_at.valid() || looked_at == v) ? v : Value{};
}

// Integers in the total order of floats: those below zero with the other bits turned around.
Value total_order_key(const Value& x) {
  const int64_t bits = 8 * size_bytes(x.dtype());
  const DType dtype = bits == 16 ? DType::i16 : bits == 32 ? DType::i32 : DType::i64;
  const Value i = bitcast_convert(x, dtype), zero = scalar_like(i, 0);
  const Value sign = shift_right_logical(~zero, scalar_like(i, 1));  // 0111...
  return select(compare("LT", i, zero), i ^ sign, i);
}

// Keys as arrays: the body computes them from a's side, with the arrays in place of both sides.
Values key_arrays(Graph& graph, const Graph& body, std::vector<Key>& keys, const Values& xs, const Values& captured) {
  Graph of_a;
  for (int32_t id = 0; id < body.size(); ++id) {
    Node node = body.node(id);
    for (Value& in : node.inputs) in.graph = &of_a;
    of_a.add_node(std::move(node));
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    Value key = keys[i].of_a;
    if (keys[i].total_order && is_float(key.dtype())) {
      const Value number = behind_one_zero_and_one_nan(body, key);
      if (number.valid()) {
        key = number;
        keys[i].total_order = false;
      }
    }
    of_a.output("key" + std::to_string(i), {&of_a, key.node, key.output});
  }
  Values pairs;
  for (const Value& x : xs) pairs.insert(pairs.end(), 2, x);
  Values arrays = apply_body(graph, of_a, pairs, captured);
  for (size_t i = 0; i < keys.size(); ++i) {
    const bool turned = keys[i].descending != keys[0].descending;  // sort_keys has one direction for all
    if (is_float(arrays[i].dtype()) && (keys[i].total_order || turned)) arrays[i] = total_order_key(arrays[i]);
    if (turned) arrays[i] = ~arrays[i];
  }
  return arrays;
}

Values sort_by_arrays(const Values& keys, const Values& xs, int64_t axis, SortOptions options) {
  bool plain = true;  // the keys are the first operands themselves
  for (size_t i = 0; i < keys.size(); ++i) plain = plain && i < xs.size() && keys[i] == xs[i];
  Values operands = plain ? Values{} : keys;
  append(operands, xs);
  return part(sort_by_keys(operands, axis, int64_t(keys.size()), options), plain ? 0 : keys.size());
}

// --- any comparator: a merge network --------------------------------------------------------------------------------

// xs [rows, n], and the numbers of their elements as the last: n is a power of two, numbers from `size` on are padding.
class Network {
 public:
  Network(Graph& graph, const Graph& body, Values captured, int64_t size)
      : graph_(graph), body_(body), captured_(std::move(captured)), size_(size) {}

  // Bitonic, with the second half of each block read backwards so that all comparisons go the same way.
  // Source: Batcher 1968, "Sorting networks and their applications".
  Values sorted(Values xs) const {
    const int64_t n = xs[0].dim(1);
    for (int64_t block = 2; block <= n; block *= 2) {
      xs = exchange(xs, block / 2, true);
      for (int64_t half = block / 4; half >= 1; half /= 2) xs = exchange(xs, half, false);
    }
    return xs;
  }

 private:
  Values exchange(const Values& xs, int64_t half, bool turned) const {
    const int64_t rows = xs[0].dim(0), blocks = xs[0].dim(1) / (2 * half);
    Values a, b, out;
    for (const Value& x : xs) {
      const Value pairs = reshape(x, {rows, blocks, 2, half});
      const Value second = slice_axis(pairs, 2, 1, 2);
      a.push_back(slice_axis(pairs, 2, 0, 1));
      b.push_back(turned ? reverse(second, {3}) : second);
    }
    const Value swap = must_swap(a, b);
    for (size_t i = 0; i < xs.size(); ++i) {
      const Value second = select(swap, a[i], b[i]);
      const Value both = concatenate({select(swap, b[i], a[i]), turned ? reverse(second, {3}) : second}, 2);
      out.push_back(reshape(both, xs[i].dims()));
    }
    return out;
  }

  // b before a, or neither and b has the lower number. Padding stands last.
  Value must_swap(const Values& a, const Values& b) const {
    const Value i = a.back(), k = b.back(), size = scalar_like(i, double(size_));
    const Value lower = compare("LT", k, i);
    const Value real = compare("LT", i, size) & compare("LT", k, size);
    return select(real, before(b, a) | (~before(a, b) & lower), lower);
  }

  Value before(const Values& a, const Values& b) const {
    Values pairs;
    for (size_t i = 0; i + 1 < a.size(); ++i) {
      pairs.push_back(a[i]);
      pairs.push_back(b[i]);
    }
    return apply_body(graph_, body_, pairs, captured_)[0];
  }

  Graph& graph_;
  const Graph& body_;
  const Values captured_;
  const int64_t size_;
};

// The numbers come out of the network; everything else is fetched by them, so that derivatives cost one scatter.
Values sort_by_network(Graph& graph, const Graph& body, const Values& xs, const Values& captured, int64_t axis) {
  const int64_t n = xs[0].dim(axis), rank = xs[0].rank();
  HEARTH_CHECK(n <= INT32_MAX / 2, unsupported, "sort_with_body: at most 2^30 elements along the axis; x is ", xs[0]);
  if (n <= 1 || xs[0].type().elements() == 0) return xs;
  int64_t padded = 1;
  while (padded < n) padded *= 2;
  Dims order(static_cast<size_t>(rank));  // swaps the axis and the last: its own inverse
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[size_t(axis)], order.back());
  const int64_t rows = xs[0].type().elements() / n;
  Values in;
  for (const Value& x : xs) {
    const Value flat = reshape(transpose(x, order), {rows, n});
    in.push_back(pad(flat, constant(*x.graph, 0, x.dtype()), {{0, 0}, {0, padded - n}, {0, 0}}));
  }
  in.push_back(iota(innermost(graph), DType::i32, {rows, padded}, 1));
  const Value last = Network(graph, body, captured, n).sorted(in).back();
  Dims turned = xs[0].dims();
  std::swap(turned[size_t(axis)], turned.back());
  const Value numbers = transpose(reshape(slice_axis(last, 1, 0, n), turned), order);
  Values out;
  for (const Value& x : xs) out.push_back(gather_along_axis(x, numbers, axis));
  return out;
}

}  // namespace

Values decompose_sort_with_body(Graph& graph, const Node& node, const Values& in) {
  const size_t n = size_t(node.attrs.integer("operands"));
  const int64_t axis = node.attrs.integer("dimension");
  const Graph& body = *node.bodies[0];
  const Values xs = part(in, 0, n), captured = part(in, n);
  std::optional<std::vector<Key>> keys = KeyReader(body, n).read();
  if (!keys) return sort_by_network(graph, body, xs, captured, axis);
  const Values arrays = key_arrays(graph, body, *keys, xs, captured);
  return sort_by_arrays(arrays, xs, axis, {.descending = (*keys)[0].descending});
}

}  // namespace hearth
