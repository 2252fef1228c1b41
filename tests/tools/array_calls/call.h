// SPDX-License-Identifier: Apache-2.0
#pragma once
// One case of tests/interop/array_test.py: a function's name, its arrays, its other arguments as JSON.
//   {"f": "sum", "x": [{"name": "x12", "dtype": "bf16", "view": "transposed"}, 3], "o": {"axis": [0], "keepdims":
//   true}}

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "array/arrays.h"

namespace hearth {

using Json = nlohmann::json;

class Call {
 public:
  // `stored`: the arrays that names stand for. bf16 lies there as u16; a view as the array that it is a view of.
  Call(const Json& json, const NamedArrays& stored);

  const Array& operator[](size_t i) const { return arrays_.at(i); }
  const Arrays& arrays() const { return arrays_; }
  // For jit: the same call with other arrays in the place of the first ones.
  Call with(const Arrays& arrays) const;

  bool has(const std::string& name) const { return options_.contains(name); }
  template <class T>
  T get(const std::string& name, T otherwise) const {
    return has(name) ? options_.at(name).get<T>() : otherwise;
  }
  template <class T>
  T get(const std::string& name) const {
    return options_.at(name).get<T>();
  }
  template <class T>
  std::optional<T> maybe(const std::string& name) const {
    return has(name) ? std::optional<T>(options_.at(name).get<T>()) : std::nullopt;
  }
  int64_t integer(const std::string& name, int64_t otherwise = 0) const { return get<int64_t>(name, otherwise); }
  Dims dims(const std::string& name) const { return get<Dims>(name, Dims{}); }
  Axes axes(const std::string& name = "axis") const;  // none, a number or a list
  bool keepdims() const { return get<bool>("keepdims", false); }
  std::optional<DType> maybe_dtype(const std::string& name = "dtype") const;
  DType dtype(DType otherwise = DType::f32) const { return maybe_dtype().value_or(otherwise); }
  Array array(const Json& reference) const;  // as in "x"
  Array array_option(const std::string& name) const { return array(options_.at(name)); }
  std::optional<Array> maybe_array(const std::string& name) const;
  IndexList index(const std::string& name = "index") const;  // 3, true, "...", "new", {"slice": [0, null, 2]}, an array

 private:
  Index index_item(const Json& item) const;
  Arrays arrays_;
  Json options_;
  const NamedArrays* stored_;
};

using CallFunction = std::function<Arrays(const Call&)>;
using CallTable = std::map<std::string, CallFunction>;

DType dtype_named(const std::string& name);
Array text_array(const std::string& text);  // its bytes, u8
PlainNumber number_of(const Json& number);

void add_creation_calls(CallTable& table);
void add_elementwise_calls(CallTable& table);
void add_indexing_calls(CallTable& table);
void add_linear_algebra_calls(CallTable& table);
void add_manipulation_calls(CallTable& table);
void add_neural_calls(CallTable& table);
void add_numpy_calls(CallTable& table);
void add_statistics_calls(CallTable& table);
void add_transform_calls(CallTable& table);

// Rows of a table for functions of one, two or three arrays.
#define HEARTH_CALL_ONE(f)                            \
  {                                                   \
#f, [](const Call& c) { return Arrays{f(c[0])}; } \
  }
#define HEARTH_CALL_TWO(f)                                  \
  {                                                         \
#f, [](const Call& c) { return Arrays{f(c[0], c[1])}; } \
  }
#define HEARTH_CALL_THREE(f)                                      \
  {                                                               \
#f, [](const Call& c) { return Arrays{f(c[0], c[1], c[2])}; } \
  }

}  // namespace hearth
