// SPDX-License-Identifier: Apache-2.0
#pragma once
// Functions on arrays of any C++ signature, seen as functions of a list of arrays: what jit, grad, vmap and the other
// transforms take and give. A function of arrays (by value or const reference) that returns an Array, a std::vector of
// them or a std::tuple of them keeps its signature through every transform.

#include <functional>
#include <tuple>
#include <utility>

#include "array/array.h"

namespace hearth {

using ArrayFunction = std::function<Arrays(const Arrays&)>;

namespace detail {

template <class T>
struct Signature : Signature<decltype(&T::operator())> {};
template <class R, class... A>
struct Signature<R (*)(A...)> {
  using Result = std::decay_t<R>;
  static constexpr size_t kArguments = sizeof...(A);
  static constexpr bool kTakesArrays = (std::same_as<std::decay_t<A>, Array> && ...);
};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const> : Signature<R (*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...)> : Signature<R (*)(A...)> {};

template <class R>
Arrays to_list(const R& result) {
  if constexpr (std::same_as<R, Array>)
    return {result};
  else if constexpr (std::same_as<R, Arrays>)
    return result;
  else
    return std::apply([](const auto&... x) { return Arrays{x...}; }, result);
}

template <class R>
R from_list(const Arrays& list) {
  if constexpr (std::same_as<R, Array>)
    return list.at(0);
  else if constexpr (std::same_as<R, Arrays>)
    return list;
  else
    return [&]<size_t... i>(std::index_sequence<i...>) { return R{list.at(i)...}; }
  (std::make_index_sequence<std::tuple_size_v<R>>());
}

template <class F, size_t... i>
Arrays call_with_list(const F& f, const Arrays& in, std::index_sequence<i...>) {
  return to_list(f(in.at(i)...));
}

template <size_t>
using ArrayArgument = const Array&;

template <class R, size_t... i>
auto spread(ArrayFunction f, std::index_sequence<i...>) {
  return [f = std::move(f)](ArrayArgument<i>... in) -> R { return from_list<R>(f(Arrays{in...})); };
}

}  // namespace detail

// A callable whose arguments are all arrays.
template <class F>
concept OnArrays = !std::same_as<std::decay_t<F>, ArrayFunction> && requires {
  typename detail::Signature<std::decay_t<F>>::Result;
}
&&detail::Signature<std::decay_t<F>>::kTakesArrays;

template <OnArrays F>
ArrayFunction on_list(F f) {
  constexpr size_t n = detail::Signature<F>::kArguments;
  return [f = std::move(f)](const Arrays& in) { return detail::call_with_list(f, in, std::make_index_sequence<n>()); };
}

// The list function with the arguments of F and result R.
template <class F, class R>
auto as_signature_of(ArrayFunction f) {
  return detail::spread<R>(std::move(f), std::make_index_sequence<detail::Signature<F>::kArguments>());
}

}  // namespace hearth
