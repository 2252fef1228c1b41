// SPDX-License-Identifier: Apache-2.0
#pragma once
// jit and the derivative, batching and recomputation transforms for functions of arrays.
//   auto step = jit([](const Array& w, const Array& g) { return w - 0.1 * g; });
//   auto loss_and_grad = value_and_grad([](const Array& w, const Array& x) { return sum(w * x); });
// Transforms compose in any order. What a function reads besides its arguments are constants of the derivative.

#include "array/function.h"
#include "array/transforms.h"

namespace hearth {

struct JitOptions {
  std::vector<size_t> static_arguments =
      {};                           // known while tracing, so the function may read them; traced anew for others
  std::vector<size_t> donate = {};  // arguments whose memory results may take; where they do, every array that shares
                                    // it throws Error{state} when it is read
};

// The function traced once for each combination of argument types (and static values) and compiled as a whole. A call
// with known types costs the run of its plan and a few microseconds. Arrays from outside that f reads are captured as
// they are when it is traced. The function keeps the kTracesKept combinations used last; one that comes back after so
// many others is traced again. Any thread may call it; calls take turns. Error{state} when f reads elements of its
// traced arguments.
inline constexpr size_t kTracesKept = 256;
ArrayFunction jit(ArrayFunction f, JitOptions options = {});

// As in array/transforms.h.
ArrayFunction value_and_grad(ArrayFunction f, std::vector<size_t> argnums = {0});
ArrayFunction grad(ArrayFunction f, std::vector<size_t> argnums = {0});
ArrayFunction vmap(ArrayFunction f, BatchAxes in_axes = {}, BatchAxes out_axes = {});
ArrayFunction jacfwd(ArrayFunction f, std::vector<size_t> argnums = {0});
ArrayFunction jacrev(ArrayFunction f, std::vector<size_t> argnums = {0});
ArrayFunction hessian(ArrayFunction f, std::vector<size_t> argnums = {0});
ArrayFunction checkpoint(ArrayFunction f, CheckpointPolicy policy = save_nothing());
using TwoPartArrayFunction = std::function<Arrays(const Arrays& first, const Arrays& second)>;
ArrayFunction custom_vjp(ArrayFunction f, ArrayFunction forward, TwoPartArrayFunction backward);
ArrayFunction custom_jvp(ArrayFunction f, TwoPartArrayFunction rule);

struct ArrayJvp {
  Arrays outputs, tangents;
};
ArrayJvp jvp(const ArrayFunction& f, const Arrays& arguments, const Arrays& tangents);
struct ArrayVjp {
  Arrays outputs;
  ArrayFunction pull_back;
};
ArrayVjp vjp(const ArrayFunction& f, const Arrays& arguments);

// --- control flow on arrays, as in ops/control/control.h; usable inside and outside of jit
Arrays while_loop(const std::function<Array(const Arrays&)>& cond, const ArrayFunction& body, const Arrays& init);
Arrays fori_loop(int64_t start, int64_t stop, const std::function<Arrays(const Array& i, const Arrays&)>& body,
                 const Arrays& init);
Arrays cond(const Array& pred, const ArrayFunction& on_true, const ArrayFunction& on_false, const Arrays& arguments);
Arrays switch_case(const Array& index, const std::vector<ArrayFunction>& branches, const Arrays& arguments);
struct ArrayScan {
  Arrays carry, ys;
};
ArrayScan scan(const std::function<ArrayScan(const Arrays& carry, const Arrays& x)>& body, const Arrays& init,
               const Arrays& xs, int64_t length = -1, bool reverse = false);
Arrays map(const ArrayFunction& f, const Arrays& xs);

// --- the same for functions of several arrays
template <OnArrays F>
auto jit(F f, JitOptions options = {}) {
  using R = typename detail::Signature<F>::Result;
  return as_signature_of<F, R>(jit(on_list(std::move(f)), std::move(options)));
}
// One derivative comes as an Array, several as a list.
template <OnArrays F>
auto grad(F f) {
  return as_signature_of<F, Array>(grad(on_list(std::move(f)), {0}));
}
template <OnArrays F>
auto grad(F f, std::vector<size_t> argnums) {
  return as_signature_of<F, Arrays>(grad(on_list(std::move(f)), std::move(argnums)));
}
template <OnArrays F>
auto value_and_grad(F f, std::vector<size_t> argnums = {0}) {
  return as_signature_of<F, Arrays>(value_and_grad(on_list(std::move(f)), std::move(argnums)));
}
template <OnArrays F>
auto vmap(F f, BatchAxes in_axes = {}, BatchAxes out_axes = {}) {
  using R = typename detail::Signature<F>::Result;
  return as_signature_of<F, R>(vmap(on_list(std::move(f)), std::move(in_axes), std::move(out_axes)));
}
template <OnArrays F>
auto jacfwd(F f) {
  return as_signature_of<F, Array>(jacfwd(on_list(std::move(f))));
}
template <OnArrays F>
auto jacrev(F f) {
  return as_signature_of<F, Array>(jacrev(on_list(std::move(f))));
}
template <OnArrays F>
auto hessian(F f) {
  return as_signature_of<F, Array>(hessian(on_list(std::move(f))));
}
template <OnArrays F>
auto checkpoint(F f, CheckpointPolicy policy = save_nothing()) {
  using R = typename detail::Signature<F>::Result;
  return as_signature_of<F, R>(checkpoint(on_list(std::move(f)), std::move(policy)));
}

}  // namespace hearth
