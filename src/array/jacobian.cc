// SPDX-License-Identifier: Apache-2.0
// All derivatives: one derivative along each element, all of them at once by vmap.
#include "array/transforms.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

// Row i is 1 at element i: [n, shape...]
Value basis_of(const Value& x) {
  const int64_t n = x.type().elements();
  Dims shape = x.dims();
  shape.insert(shape.begin(), n);
  const Value row = iota(*x.graph, DType::i32, {n, n}, 0), column = iota(*x.graph, DType::i32, {n, n}, 1);
  return reshape(convert(compare("EQ", row, column), x.dtype()), shape);
}

Dims joined(const Dims& a, const Dims& b) {
  Dims all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

// f as a function of the chosen arguments only.
Function with_others_fixed(const Function& f, const std::vector<Value>& arguments, const std::vector<size_t>& argnums) {
  return [f, arguments, argnums](const std::vector<Value>& chosen) {
    std::vector<Value> all = arguments;
    for (size_t i = 0; i < argnums.size(); ++i) all[argnums[i]] = chosen[i];
    return f(all);
  };
}

std::vector<Value> chosen_of(const char* transform, const std::vector<Value>& arguments,
                             const std::vector<size_t>& argnums) {
  std::vector<Value> chosen;
  for (const size_t i : argnums) {
    HEARTH_CHECK(i < arguments.size(), value, transform, ": argument ", i, " does not exist; there are ",
                 arguments.size());
    HEARTH_CHECK(is_float(arguments[i].dtype()), dtype, transform, ": argument ", i, " must be a float; it is ",
                 arguments[i]);
    chosen.push_back(arguments[i]);
  }
  return chosen;
}

// Zeros but for number i.
std::vector<Value> all_zero_but(const std::vector<Value>& like, size_t i, const Value& value) {
  std::vector<Value> all;
  for (size_t k = 0; k < like.size(); ++k) all.push_back(k == i ? value : scalar_like(like[k], 0));
  return all;
}

}  // namespace

Function jacfwd(Function f, std::vector<size_t> argnums) {
  return [f = std::move(f), argnums = std::move(argnums)](const std::vector<Value>& arguments) {
    const std::vector<Value> chosen = chosen_of("jacfwd", arguments, argnums);
    const Linearized linear = linearize(with_others_fixed(f, arguments, argnums), chosen);
    std::vector<Value> results(linear.outputs.size() * chosen.size());
    for (size_t i = 0; i < chosen.size(); ++i) {
      const Function along = [&](const std::vector<Value>& t) {
        return linear.push_forward(all_zero_but(chosen, i, t[0]));
      };
      const std::vector<Value> columns = vmap(along, {0}, BatchAxes(linear.outputs.size(), -1))({basis_of(chosen[i])});
      for (size_t o = 0; o < columns.size(); ++o)
        results[o * chosen.size() + i] = reshape(columns[o], joined(linear.outputs[o].dims(), chosen[i].dims()));
    }
    return results;
  };
}

Function jacrev(Function f, std::vector<size_t> argnums) {
  return [f = std::move(f), argnums = std::move(argnums)](const std::vector<Value>& arguments) {
    const std::vector<Value> chosen = chosen_of("jacrev", arguments, argnums);
    const Vjp reverse = vjp(with_others_fixed(f, arguments, argnums), chosen);
    std::vector<Value> results;
    for (size_t o = 0; o < reverse.outputs.size(); ++o) {
      const Value& y = reverse.outputs[o];
      HEARTH_CHECK(is_float(y.dtype()), dtype, "jacrev: result ", o, " has no derivative: it is ", y);
      const Function back = [&](const std::vector<Value>& u) {
        return reverse.pull_back(all_zero_but(reverse.outputs, o, u[0]));
      };
      const std::vector<Value> rows = vmap(back)({basis_of(y)});
      for (size_t i = 0; i < rows.size(); ++i) results.push_back(reshape(rows[i], joined(y.dims(), chosen[i].dims())));
    }
    return results;
  };
}

Function hessian(Function f, std::vector<size_t> argnums) { return jacfwd(jacrev(std::move(f), argnums), argnums); }

}  // namespace hearth
