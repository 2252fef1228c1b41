// SPDX-License-Identifier: Apache-2.0
#include "call.h"

#include "base/error.h"

namespace hearth {

namespace {

// What is a view in the test is stored as the array it is a view of.
Array viewed(const Array& x, const std::string& view) {
  if (view == "transposed") return transpose(x);
  if (view == "reversed") return flip(x);
  HEARTH_CHECK(view == "strided", value, "no view ", view);
  IndexList index(size_t(x.ndim()), Index(Slice{.start = 1, .step = 2}));
  return get_indexed(x, index);
}

Array stored_array(const Json& reference, const NamedArrays& stored) {
  const std::string name = reference.at("name").get<std::string>();
  const auto found = stored.find(name);
  HEARTH_CHECK(found != stored.end(), value, "no array ", name, " in the file");
  Array x = found->second;
  if (reference.value("dtype", "") == "bf16") x = array_from_bytes({DType::bf16, x.shape()}, x.data());
  return reference.contains("view") ? viewed(x, reference.at("view").get<std::string>()) : x;
}

}  // namespace

DType dtype_named(const std::string& name) {
  DType dtype{};
  HEARTH_CHECK(parse_dtype(name, &dtype), value, "no dtype ", name);
  return dtype;
}

Array text_array(const std::string& text) { return array_from_bytes({DType::u8, {int64_t(text.size())}}, text.data()); }

// JSON has no infinities and no complex numbers: "inf", "-inf", "nan", {"re": 1, "im": 2}.
PlainNumber number_of(const Json& number) {
  if (number.is_boolean()) return number.get<bool>();
  if (number.is_number_integer()) return number.get<int64_t>();
  if (number.is_string()) return std::stod(number.get<std::string>());
  if (number.is_object()) return std::complex<double>(number.at("re").get<double>(), number.at("im").get<double>());
  return number.get<double>();
}

Call::Call(const Json& json, const NamedArrays& stored) : options_(json.value("o", Json::object())), stored_(&stored) {
  for (const Json& reference : json.value("x", Json::array())) arrays_.push_back(array(reference));
}

Call Call::with(const Arrays& arrays) const {
  Call other = *this;
  other.arrays_ = arrays;
  return other;
}

Array Call::array(const Json& reference) const {
  return reference.is_object() && reference.contains("name") ? stored_array(reference, *stored_)
                                                             : weak_scalar(number_of(reference));
}

std::optional<Array> Call::maybe_array(const std::string& name) const {
  return has(name) ? std::optional<Array>(array(options_.at(name))) : std::nullopt;
}

Axes Call::axes(const std::string& name) const {
  if (!has(name)) return {};
  const Json& value = options_.at(name);
  return value.is_array() ? Axes(value.get<Dims>()) : Axes(value.get<int64_t>());
}

std::optional<DType> Call::maybe_dtype(const std::string& name) const {
  return has(name) ? std::optional<DType>(dtype_named(get<std::string>(name))) : std::nullopt;
}

IndexList Call::index(const std::string& name) const {
  IndexList list;
  for (const Json& item : options_.at(name)) list.push_back(index_item(item));
  return list;
}

Index Call::index_item(const Json& item) const {
  if (item.is_boolean()) return Index(item.get<bool>());
  if (item.is_number_integer()) return Index(item.get<int64_t>());
  if (item == "...") return Index(kEllipsis);
  if (item == "new") return Index(kNewAxis);
  if (!item.contains("slice")) return Index(array(item));
  const auto bound = [&](size_t i) {
    const Json& value = item.at("slice").at(i);
    return value.is_null() ? std::nullopt : std::optional<int64_t>(value.get<int64_t>());
  };
  return Index(Slice{bound(0), bound(1), bound(2)});
}

}  // namespace hearth
