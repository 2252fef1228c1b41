// SPDX-License-Identifier: Apache-2.0
// Transforms of functions on arrays: those of functions on values, between arrays and values of the current recording.
#include "array/jit.h"
#include "array/recording.h"
#include "base/error.h"
#include "ops/control/control.h"

namespace hearth {
namespace {

Arrays to_arrays(const Values& values) {
  Arrays arrays;
  for (const Value& value : values) arrays.push_back(from_value(value));
  return arrays;
}
Values all_values(const Arrays& arrays) {
  Values values;
  for (const Array& x : arrays) values.push_back(to_value(x));
  return values;
}

// A transform begins with evaluated arguments in a recording of its own, so that arrays made before can still be read.
void begin_transform(const Arrays& arguments) {
  if (is_tracing()) return;
  eval(arguments);
  end_lazy_recording(current_recording());
}

Function on_values(ArrayFunction f) {
  return [f = std::move(f)](const Values& in) {
    const Transforming transforming;
    return all_values(f(to_arrays(in)));
  };
}
TwoPartFunction on_values(TwoPartArrayFunction f) {
  return [f = std::move(f)](const Values& a, const Values& b) {
    const Transforming transforming;
    return all_values(f(to_arrays(a), to_arrays(b)));
  };
}
ArrayFunction on_arrays(Function f) {
  return [f = std::move(f)](const Arrays& in) {
    const std::lock_guard lock(array_mutex());
    begin_transform(in);
    return to_arrays(f(all_values(in)));
  };
}

}  // namespace

ArrayFunction value_and_grad(ArrayFunction f, std::vector<size_t> argnums) {
  return on_arrays(value_and_grad(on_values(std::move(f)), std::move(argnums)));
}
ArrayFunction grad(ArrayFunction f, std::vector<size_t> argnums) {
  return on_arrays(grad(on_values(std::move(f)), std::move(argnums)));
}
ArrayFunction vmap(ArrayFunction f, BatchAxes in_axes, BatchAxes out_axes) {
  return on_arrays(vmap(on_values(std::move(f)), std::move(in_axes), std::move(out_axes)));
}
ArrayFunction jacfwd(ArrayFunction f, std::vector<size_t> argnums) {
  return on_arrays(jacfwd(on_values(std::move(f)), std::move(argnums)));
}
ArrayFunction jacrev(ArrayFunction f, std::vector<size_t> argnums) {
  return on_arrays(jacrev(on_values(std::move(f)), std::move(argnums)));
}
ArrayFunction hessian(ArrayFunction f, std::vector<size_t> argnums) {
  return on_arrays(hessian(on_values(std::move(f)), std::move(argnums)));
}
ArrayFunction checkpoint(ArrayFunction f, CheckpointPolicy policy) {
  return on_arrays(checkpoint(on_values(std::move(f)), std::move(policy)));
}
ArrayFunction custom_vjp(ArrayFunction f, ArrayFunction forward, TwoPartArrayFunction backward) {
  return on_arrays(custom_vjp(on_values(std::move(f)), on_values(std::move(forward)), on_values(std::move(backward))));
}
ArrayFunction custom_jvp(ArrayFunction f, TwoPartArrayFunction rule) {
  return on_arrays(custom_jvp(on_values(std::move(f)), on_values(std::move(rule))));
}

ArrayJvp jvp(const ArrayFunction& f, const Arrays& arguments, const Arrays& tangents) {
  const std::lock_guard lock(array_mutex());
  begin_transform(arguments);
  const Jvp result = jvp(on_values(f), all_values(arguments), all_values(tangents));
  return {to_arrays(result.outputs), to_arrays(result.tangents)};
}

ArrayVjp vjp(const ArrayFunction& f, const Arrays& arguments) {
  const std::lock_guard lock(array_mutex());
  // The pull-back traces f again: its values belong to the recording that is current when it is called.
  return {f(arguments), [f, arguments](const Arrays& cotangents) {
            const std::lock_guard again(array_mutex());
            begin_transform(arguments);
            return to_arrays(vjp(on_values(f), all_values(arguments)).pull_back(all_values(cotangents)));
          }};
}

// --- control flow ---------------------------------------------------------------------------------------------------

Arrays while_loop(const std::function<Array(const Arrays&)>& cond, const ArrayFunction& body, const Arrays& init) {
  const std::lock_guard lock(array_mutex());
  begin_transform(init);
  const auto condition = [&](const Values& state) {
    const Transforming transforming;
    return to_value(cond(to_arrays(state)));
  };
  return to_arrays(while_loop(condition, on_values(body), all_values(init)));
}

Arrays fori_loop(int64_t start, int64_t stop, const std::function<Arrays(const Array& i, const Arrays&)>& body,
                 const Arrays& init) {
  const std::lock_guard lock(array_mutex());
  begin_transform(init);
  const auto step = [&](const Value& i, const Values& state) {
    const Transforming transforming;
    return all_values(body(from_value(i), to_arrays(state)));
  };
  return to_arrays(fori_loop(start, stop, step, all_values(init)));
}

Arrays cond(const Array& pred, const ArrayFunction& on_true, const ArrayFunction& on_false, const Arrays& arguments) {
  const std::lock_guard lock(array_mutex());
  begin_transform(arguments);
  const Values in = all_values(arguments);
  const auto branch = [&](const ArrayFunction& f) { return [&] { return on_values(f)(in); }; };
  return to_arrays(cond(to_value(pred), branch(on_true), branch(on_false)));
}

Arrays switch_case(const Array& index, const std::vector<ArrayFunction>& branches, const Arrays& arguments) {
  HEARTH_CHECK(index.ndim() == 0 && !is_inexact(index.dtype()), dtype,
               "switch_case: the index must be an integer scalar; it is ", index.type());
  const std::lock_guard lock(array_mutex());
  begin_transform(arguments);
  const Values in = all_values(arguments);
  std::vector<std::function<Values()>> traced;
  for (const ArrayFunction& f : branches) traced.push_back([&] { return on_values(f)(in); });
  return to_arrays(switch_case(to_value(index, DType::i32), traced));
}

ArrayScan scan(const std::function<ArrayScan(const Arrays& carry, const Arrays& x)>& body, const Arrays& init,
               const Arrays& xs, int64_t length, bool reverse) {
  const std::lock_guard lock(array_mutex());
  begin_transform(init);
  const ScanBody step = [&](const Values& carry, const Values& x) -> ScanResult {
    const Transforming transforming;
    const ArrayScan result = body(to_arrays(carry), to_arrays(x));
    return {all_values(result.carry), all_values(result.ys)};
  };
  const ScanResult end =
      scan(current_recording()->graph, step, all_values(init), all_values(xs), {.length = length, .reverse = reverse});
  return {to_arrays(end.carry), to_arrays(end.ys)};
}

Arrays map(const ArrayFunction& f, const Arrays& xs) {
  const std::lock_guard lock(array_mutex());
  begin_transform(xs);
  return to_arrays(map(on_values(f), all_values(xs)));
}

}  // namespace hearth
