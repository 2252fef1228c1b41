// SPDX-License-Identifier: Apache-2.0
#pragma once
// Attributes: the compile-time arguments of an operation or kernel, by name. Plain data, so that plans can store them.

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

namespace hearth {

class Attrs {
 public:
  using Item = std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;

  Attrs() = default;
  Attrs(std::initializer_list<std::pair<const std::string, Item>> items) : items_(items) {}

  Attrs& set(const std::string& name, Item item) {
    items_[name] = std::move(item);
    return *this;
  }
  bool has(const std::string& name) const { return items_.count(name) != 0; }
  const std::map<std::string, Item>& items() const { return items_; }

  // Each throws Error{format} when the attribute is missing or of another type.
  int64_t integer(const std::string& name) const;
  double real(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  const std::vector<int64_t>& list(const std::string& name) const;
  const std::vector<double>& reals(const std::string& name) const;
  int64_t integer_or(const std::string& name, int64_t otherwise) const { return has(name) ? integer(name) : otherwise; }

  friend bool operator==(const Attrs&, const Attrs&) = default;

 private:
  template <class T>
  const T& get(const std::string& name, const char* type) const;

  std::map<std::string, Item> items_;
};

std::ostream& operator<<(std::ostream& out, const Attrs& attrs);  // {axis=1, dims=[2,3]}

}  // namespace hearth
