// SPDX-License-Identifier: Apache-2.0
#include "ops/custom_derivative/custom_derivative.h"

#include <cmath>

#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

// Results sin(x) * sum(y) and y * k, k an integer scalar, with their true derivatives.
Values function(const Values& in) {
  const Value y = reduce_sum(in[1], {0});
  return {sin(in[0]) * y, in[1] * convert(in[2], in[1].dtype())};
}

Values by_reverse_rule(Graph&, const Values& in) {
  const auto forward = [](const Values& x) {
    Values all = function(x);
    all.insert(all.end(), {x[0], reduce_sum(x[1], {0}), convert(x[2], x[1].dtype())});
    return all;
  };
  const auto backward = [n = in[1].dim(0)](const Values& kept, const Values& u) -> Values {
    const Value dsum = reduce_sum(u[0] * sin(kept[0]), {0});
    return {u[0] * cos(kept[0]) * kept[1], broadcast_to(dsum, {n}) + u[1] * kept[2], {}};
  };
  return custom_vjp(in, function, forward, backward);
}

Values by_forward_rule(Graph&, const Values& in) {
  const auto rule = [](const Values& x, const Values& t) -> Values {
    const Value y = reduce_sum(x[1], {0}), dy = reduce_sum(t[1], {0});
    return {t[0] * cos(x[0]) * y + sin(x[0]) * dy, t[1] * convert(x[2], t[1].dtype())};
  };
  return custom_jvp(in, function, rule);
}

std::vector<Reals> definition(const std::vector<Reals>& in) {
  Reals first(in[0].dims), second(in[1].dims);
  double sum = 0;
  for (size_t i = 0; i < in[1].at.size(); ++i) {
    sum += in[1].at[i];
    second.at[i] = in[1].at[i] * in[2].at[0];
  }
  for (size_t i = 0; i < in[0].at.size(); ++i) first.at[i] = std::sin(in[0].at[i]) * sum;
  return {first, second};
}

std::vector<OpTest> rows() {
  const auto one = [](const std::string& name, int64_t n, int64_t m) {
    return OpCase{name, {{{n}, -3, 3}, {{m}, -1, 1}, {{}, 0, 0, DType::i32, {3, -2}}}, double(n + m)};
  };
  const std::vector<OpCase> cases = {one("one", 1, 1), one("rows", 5, 3), one("empty", 0, 2),
                                     one("nothing_to_sum", 4, 0)};
  return {{.op = "custom_vjp", .cases = cases, .build = by_reverse_rule, .definition = definition, .c = 8},
          {.op = "custom_jvp", .cases = cases, .build = by_forward_rule, .definition = definition, .c = 8}};
}
HEARTH_OP_TESTS(custom_derivative, rows)

}  // namespace
}  // namespace hearth
