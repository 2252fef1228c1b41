// SPDX-License-Identifier: Apache-2.0
// Systems, factorisations and norms: functions of ops/linalg on arrays.
#include "array/linear_algebra.h"

#include <cmath>

#include "array/recording.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linalg/linalg.h"
#include "ops/linalg/linalg_functions.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

// What a result computed in f32 is rounded to when the operands are f16 or bf16.
DType rounded(DType result, DType operands) {
  const bool narrow = operands == DType::f16 || operands == DType::bf16;
  return narrow && result == DType::f32 ? operands : result;
}

// f(values) -> Values, of operands in a common inexact type that the factorisations take.
template <class F>
Arrays factored(const Arrays& in, F&& f) {
  const std::lock_guard lock(array_mutex());
  const DType dtype = promote_to_inexact(promoted(in)).dtype;
  Values values;
  for (const Value& v : to_values(in, dtype)) values.push_back(widened(v));
  Arrays out;
  for (const Value& y : f(values)) out.push_back(from_value(convert(y, rounded(y.dtype(), dtype))));
  return out;
}
template <class F>
Array factored_one(const Arrays& in, F&& f) {
  return factored(in, [&](const Values& v) { return Values{f(v)}; })[0];
}

}  // namespace

Array solve(const Array& a, const Array& b) {
  return factored_one({a, b}, [](const Values& v) { return solve(v[0], v[1]); });
}
Array inv(const Array& a) {
  return factored_one({a}, [](const Values& v) { return inv(v[0]); });
}
Array det(const Array& a) {
  return factored_one({a}, [](const Values& v) { return det(v[0]); });
}
SignAndLogDet slogdet(const Array& a) {
  const Arrays out = factored({a}, [](const Values& v) {
    const SignAndLog both = slogdet(v[0]);
    return Values{both.sign, both.log_abs};
  });
  return {out[0], out[1]};
}
Array pinv(const Array& a, std::optional<double> rtol) {
  return factored_one({a}, [&](const Values& v) { return pinv(v[0], rtol); });
}
LstsqResult lstsq(const Array& a, const Array& b, std::optional<double> rtol) {
  const Arrays out = factored({a, b}, [&](const Values& v) {
    const LeastSquares all = lstsq(v[0], v[1], rtol);
    return Values{all.x, all.residuals, all.rank, all.singular_values};
  });
  return {out[0], out[1], out[2], out[3]};
}

Array cholesky(const Array& a, CholeskyOptions options) {
  return factored_one({a}, [&](const Values& v) { return cholesky(v[0], !options.upper); });
}
QrResult qr(const Array& a, const std::string& mode) {
  HEARTH_CHECK(mode == "reduced" || mode == "complete", value, "qr: mode '", mode, "' is neither reduced nor complete");
  const Arrays out = factored({a}, [&](const Values& v) {
    const Qr both = qr(v[0], mode == "complete");
    return Values{both.q, both.r};
  });
  return {out[0], out[1]};
}
SvdResult svd(const Array& a, SvdOptions options) {
  const Arrays out = factored({a}, [&](const Values& v) {
    const Svd all = svd(v[0], options.full_matrices);
    return Values{all.u, all.s, all.vh};
  });
  return {out[0], out[1], out[2]};
}
Array svdvals(const Array& a) {
  return factored_one({a}, [](const Values& v) { return svdvals(v[0]); });
}
EigResult eigh(const Array& a) {
  const Arrays out = factored({a}, [](const Values& v) {
    const Eigh both = eigh(v[0]);
    return Values{both.values, both.vectors};
  });
  return {out[0], out[1]};
}
Array eigvalsh(const Array& a) {
  return factored_one({a}, [](const Values& v) { return eigvalsh(v[0]); });
}
EigResult eig(const Array& a) {
  const Arrays out = factored({a}, [](const Values& v) {
    const Eig both = eig(v[0]);
    return Values{both.values, both.vectors};
  });
  return {out[0], out[1]};
}
Array eigvals(const Array& a) {
  return factored_one({a}, [](const Values& v) { return eigvals(v[0]); });
}

Array matrix_norm(const Array& x, const std::string& ord, const Axes& axis, bool keepdims) {
  return factored_one({x}, [&](const Values& v) {
    Dims given = axis.named.value_or(Dims{-2, -1});
    HEARTH_CHECK(given.size() == 2, value, "matrix_norm: needs two axes, given ", ShowDims{given});
    const Dims axes = axes_of("matrix_norm", v[0], axis);  // rising
    for (int64_t& i : given) i = i < 0 ? i + v[0].rank() : i;
    Dims order;
    for (int64_t i = 0; i < v[0].rank(); ++i) {
      if (i != given[0] && i != given[1]) order.push_back(i);
    }
    order.insert(order.end(), given.begin(), given.end());
    return put_back(matrix_norm(transpose(v[0], order), ord), v[0], axes, keepdims);
  });
}
Array vector_norm(const Array& x, const NormOptions& o) {
  return factored_one({x}, [&](const Values& v) {
    const Dims axes = axes_of("vector_norm", v[0], o.axis);
    return vector_norm(v[0], {.ord = o.ord, .axes = axes, .keepdims = o.keepdims});
  });
}

namespace {

// The name that matrix_norm has for the order.
std::string matrix_order(const NormOrder& order) {
  if (const auto* name = std::get_if<std::string>(&order.what)) return *name;
  const double number = std::get<double>(order.what);
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  const bool known = std::abs(number) == 1 || std::abs(number) == 2;
  HEARTH_CHECK(known, value, "norm: no order ", number, " for matrices: it is one of fro nuc 1 -1 2 -2 inf -inf");
  return std::to_string(int(number));
}

}  // namespace

Array norm(const Array& x, const NumpyNormOptions& o) {
  if (!o.ord) return vector_norm(x, {.axis = o.axis, .keepdims = o.keepdims});
  const int64_t axes = o.axis.named ? int64_t(o.axis.named->size()) : x.ndim();
  HEARTH_CHECK(axes == 1 || axes == 2, value, "norm: an order needs one axis or two, it has ", axes, "\n  x is ",
               x.type(), "\n  hint: name them, or leave the order out: then it is the 2-norm of all elements");
  if (axes == 2) return matrix_norm(x, matrix_order(*o.ord), o.axis.named ? o.axis : Axes{0, 1}, o.keepdims);
  const auto* number = std::get_if<double>(&o.ord->what);
  HEARTH_CHECK(number, value, "norm: order '", std::get<std::string>(o.ord->what), "' is for matrices\n  x is ",
               x.type());
  return vector_norm(x, {.axis = o.axis, .keepdims = o.keepdims, .ord = *number});
}
Array cond(const Array& a, const std::string& ord) {
  return factored_one({a}, [&](const Values& v) { return cond(v[0], ord); });
}
Array matrix_rank(const Array& a, std::optional<double> rtol) {
  return factored_one({a}, [&](const Values& v) { return matrix_rank(v[0], rtol); });
}

Array matrix_transpose(const Array& x) {
  HEARTH_CHECK(x.ndim() >= 2, shape, "matrix_transpose: needs at least 2 axes\n  x is ", x.type());
  return record([](const Value& v) { return move_axis(v, v.rank() - 1, v.rank() - 2); }, x);
}
Array diagonal(const Array& x, int64_t offset) {
  return record([&](const Value& v) { return diagonal(v, offset); }, x);
}
Array trace(const Array& x, int64_t offset, std::optional<DType> dtype) {
  return record(
      [&](const Value& v) {
        HEARTH_CHECK(v.rank() >= 2, shape, "trace: needs matrices, at least 2 axes\n  x is ", v);
        const Value d = diagonal(v, offset);
        return reduce_sum(convert(d, dtype.value_or(sum_dtype(d.dtype()))), {d.rank() - 1});
      },
      x);
}

}  // namespace hearth
