// SPDX-License-Identifier: Apache-2.0
#include "ops/shape/shape.h"

#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

const std::vector<DType> kAll = {DType::f32, DType::bf16, DType::f16};

using Build = std::function<Value(const std::vector<Value>&)>;
// Where the result's element at `index` comes from: sets input number and index there, or returns false for none.
using Source = std::function<bool(const Dims& index, const std::vector<Reals>& in, size_t* input, Dims* at)>;

// Every row is tested twice: the moved elements by themselves (a copy), and read by a sum and by a product (a view).
std::vector<OpTest> moving_test(const std::string& op, const std::string& name, const std::vector<TestInput>& in,
                                const Dims& result, const Build& build, const Source& source) {
  const auto move = [=](const std::vector<Reals>& inputs) {
    Reals y(result);
    for_each_index(result, [&](const Dims& index, int64_t i) {
      size_t input = 0;
      Dims at;
      if (source(index, inputs, &input, &at)) y[i] = inputs[input](at);
    });
    return y;
  };
  OpTest alone{.op = op,
               .cases = {{name, in}},
               .build = [=](Graph&, const std::vector<Value>& v) -> std::vector<Value> { return {build(v)}; },
               .definition = [=](const std::vector<Reals>& v) -> std::vector<Reals> { return {move(v)}; },
               .dtypes = kAll};
  OpTest integers = alone;
  integers.cases[0].name += "_integers";
  integers.dtypes = {DType::i32, DType::u8, DType::i64, DType::boolean};
  for (TestInput& x : integers.cases[0].in) x.low = 0, x.high = 2;
  OpTest read{.op = op,
              .cases = {{name + "_read_by_others", in}},
              .build = [=](Graph&, const std::vector<Value>& v) -> std::vector<Value> {
                const Value y = build(v);
                return {y + y * y};
              },
              .definition = [=](const std::vector<Reals>& v) -> std::vector<Reals> {
                Reals y = move(v);
                for (double& x : y.at) x += x * x;
                return {y};
              },
              .dtypes = {DType::f32}};
  return {alone, integers, read};
}

void append(std::vector<OpTest>& tests, std::vector<OpTest> more) {
  tests.insert(tests.end(), more.begin(), more.end());
}

std::vector<OpTest> broadcast(const std::string& name, const Dims& from, const Dims& to, const Dims& axes) {
  return moving_test(
      "broadcast_in_dim", name, {{from}}, to,
      [=](const std::vector<Value>& v) { return broadcast_in_dim(v[0], to, axes); },
      [=](const Dims& index, const std::vector<Reals>&, size_t*, Dims* at) {
        for (size_t i = 0; i < axes.size(); ++i) at->push_back(from[i] == 1 ? 0 : index[size_t(axes[i])]);
        return true;
      });
}

std::vector<OpTest> reshaped(const std::string& name, const Dims& from, const Dims& to) {
  return moving_test(
      "reshape", name, {{from}}, to,
      [=](const std::vector<Value>& v) {
        return v[0].graph->add("reshape", {v[0]}, {{"shape", to}});
      },
      [=](const Dims& index, const std::vector<Reals>&, size_t*, Dims* at) {
        int64_t rest = reference::position(index, to);
        at->assign(from.size(), 0);
        for (size_t axis = from.size(); axis-- > 0; rest /= from[axis]) (*at)[axis] = rest % from[axis];
        return true;
      });
}

// Reads through a transpose first, so that strides cannot express the reshape.
std::vector<OpTest> reshaped_after_transpose(const std::string& name, const Dims& from, const Dims& to) {
  return moving_test(
      "reshape", name, {{from}}, to,
      [=](const std::vector<Value>& v) {
        return reshape(transpose(v[0], {1, 0}), to);
      },
      [=](const Dims& index, const std::vector<Reals>&, size_t*, Dims* at) {
        const int64_t i = reference::position(index, to);
        *at = {i % from[0], i / from[0]};
        return true;
      });
}

std::vector<OpTest> transposed(const std::string& name, const Dims& from, const Dims& permutation) {
  Dims to;
  for (const int64_t p : permutation) to.push_back(from[size_t(p)]);
  return moving_test(
      "transpose", name, {{from}}, to, [=](const std::vector<Value>& v) { return transpose(v[0], permutation); },
      [=](const Dims& index, const std::vector<Reals>&, size_t*, Dims* at) {
        at->assign(index.size(), 0);
        for (size_t i = 0; i < index.size(); ++i) (*at)[size_t(permutation[i])] = index[i];
        return true;
      });
}

std::vector<OpTest> sliced(const std::string& name, const Dims& from, const Dims& start, const Dims& limit,
                           const Dims& step) {
  Dims to;
  for (size_t i = 0; i < from.size(); ++i) to.push_back((limit[i] - start[i] + step[i] - 1) / step[i]);
  return moving_test(
      "slice", name, {{from}}, to, [=](const std::vector<Value>& v) { return slice(v[0], start, limit, step); },
      [=](const Dims& index, const std::vector<Reals>&, size_t*, Dims* at) {
        for (size_t i = 0; i < index.size(); ++i) at->push_back(start[i] + index[i] * step[i]);
        return true;
      });
}

std::vector<OpTest> reversed(const std::string& name, const Dims& dims, const Dims& axes) {
  return moving_test(
      "reverse", name, {{dims}}, dims, [=](const std::vector<Value>& v) { return reverse(v[0], axes); },
      [=](const Dims& index, const std::vector<Reals>&, size_t*, Dims* at) {
        *at = index;
        for (const int64_t axis : axes) (*at)[size_t(axis)] = dims[size_t(axis)] - 1 - index[size_t(axis)];
        return true;
      });
}

std::vector<OpTest> concatenated(const std::string& name, const std::vector<Dims>& parts, int64_t axis) {
  std::vector<TestInput> in;
  Dims to = parts[0];
  to[size_t(axis)] = 0;
  for (const Dims& part : parts) {
    in.push_back({part});
    to[size_t(axis)] += part[size_t(axis)];
  }
  return moving_test(
      "concatenate", name, in, to, [=](const std::vector<Value>& v) { return concatenate(v, axis); },
      [=](const Dims& index, const std::vector<Reals>& inputs, size_t* input, Dims* at) {
        *at = index;
        while ((*at)[size_t(axis)] >= inputs[*input].dim(axis)) (*at)[size_t(axis)] -= inputs[(*input)++].dim(axis);
        return true;
      });
}

std::vector<OpTest> padded(const std::string& name, const Dims& from, const Padding& p) {
  Dims to;
  for (size_t i = 0; i < from.size(); ++i)
    to.push_back(p.low[i] + p.high[i] + from[i] + std::max<int64_t>(0, from[i] - 1) * p.interior[i]);
  return moving_test(
      "pad", name, {{from}, {{}}}, to, [=](const std::vector<Value>& v) { return pad(v[0], v[1], p); },
      [=](const Dims& index, const std::vector<Reals>&, size_t* input, Dims* at) {
        for (size_t i = 0; i < index.size(); ++i) {
          const int64_t place = index[i] - p.low[i], step = p.interior[i] + 1;
          if (place < 0 || place % step || place / step >= from[i]) {
            *input = 1;  // the fill
            at->clear();
            return true;
          }
          at->push_back(place / step);
        }
        return true;
      });
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests;
  append(tests, broadcast("scalar", {}, {3, 5}, {}));
  append(tests, broadcast("to_same", {3, 5}, {3, 5}, {0, 1}));
  append(tests, broadcast("columns", {5}, {3, 5}, {1}));
  append(tests, broadcast("rows", {3}, {3, 5}, {0}));
  append(tests, broadcast("ones", {1, 4, 1}, {2, 4, 129}, {0, 1, 2}));
  append(tests, broadcast("to_nothing", {1}, {0}, {0}));
  append(tests, reshaped("flat", {3, 4, 5}, {60}));
  append(tests, reshaped("regroup", {4, 6}, {3, 8}));
  append(tests, reshaped("with_ones", {6}, {1, 2, 1, 3, 1}));
  append(tests, reshaped("scalar", {1, 1}, {}));
  append(tests, reshaped("empty", {0, 4}, {2, 0, 7}));
  append(tests, reshaped_after_transpose("needs_copy", {4, 6}, {3, 8}));
  append(tests, reshaped_after_transpose("splits", {4, 6}, {2, 3, 4}));
  append(tests, transposed("matrix", {5, 7}, {1, 0}));
  append(tests, transposed("four_axes", {2, 3, 4, 5}, {0, 2, 1, 3}));
  append(tests, transposed("turn", {3, 4, 5}, {2, 0, 1}));
  append(tests, transposed("same", {3, 4}, {0, 1}));
  append(tests, transposed("empty", {0, 3}, {1, 0}));
  append(tests, transposed("tile_plus_one", {129, 3}, {1, 0}));
  append(tests, sliced("box", {5, 7}, {1, 2}, {4, 6}, {1, 1}));
  append(tests, sliced("steps", {5, 129}, {0, 1}, {5, 128}, {2, 3}));
  append(tests, sliced("nothing", {5, 7}, {2, 7}, {5, 7}, {1, 1}));
  append(tests, sliced("all", {4}, {0}, {4}, {1}));
  append(tests, reversed("rows", {5, 7}, {0}));
  append(tests, reversed("both", {5, 129}, {0, 1}));
  append(tests, reversed("no_axis", {5}, {}));
  append(tests, reversed("empty", {0, 3}, {0}));
  append(tests, concatenated("rows", {{2, 3}, {4, 3}, {1, 3}}, 0));
  append(tests, concatenated("columns", {{3, 2}, {3, 0}, {3, 129}}, 1));
  append(tests, concatenated("single", {{3}}, 0));
  append(tests, concatenated("middle", {{2, 1, 3}, {2, 2, 3}}, 1));
  append(tests, padded("edges", {3, 4}, {{1, 0}, {2, 3}, {0, 0}}));
  append(tests, padded("interior", {3, 4}, {{0, 1}, {0, 1}, {2, 1}}));
  append(tests, padded("negative", {5, 4}, {{-1, 0}, {-2, 1}, {0, 0}}));
  append(tests, padded("negative_with_interior", {5}, {{-1}, {-2}, {1}}));
  append(tests, padded("empty", {0, 4}, {{1, 0}, {1, 0}, {1, 1}}));
  append(tests, padded("removes_all", {3}, {{-1}, {-2}, {0}}));
  return tests;
}

HEARTH_OP_TESTS(shape, rows)

}  // namespace
}  // namespace hearth
