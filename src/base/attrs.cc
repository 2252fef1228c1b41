// SPDX-License-Identifier: Apache-2.0
#include "base/attrs.h"

#include "base/error.h"

namespace hearth {

template <class T>
const T& Attrs::get(const std::string& name, const char* type) const {
  const auto found = items_.find(name);
  HEARTH_CHECK(found != items_.end(), format, "attribute '", name, "' is missing");
  const T* item = std::get_if<T>(&found->second);
  HEARTH_CHECK(item, format, "attribute '", name, "' is not ", type);
  return *item;
}

int64_t Attrs::integer(const std::string& name) const { return get<int64_t>(name, "an integer"); }
double Attrs::real(const std::string& name) const { return get<double>(name, "a real number"); }
const std::string& Attrs::text(const std::string& name) const { return get<std::string>(name, "a text"); }
const std::vector<int64_t>& Attrs::list(const std::string& name) const {
  return get<std::vector<int64_t>>(name, "a list of integers");
}
const std::vector<double>& Attrs::reals(const std::string& name) const {
  return get<std::vector<double>>(name, "a list of real numbers");
}

template <class T>
static void print_list(std::ostream& out, const std::vector<T>& list) {
  out << '[';
  for (size_t i = 0; i < list.size(); ++i) out << (i ? "," : "") << list[i];
  out << ']';
}

std::ostream& operator<<(std::ostream& out, const Attrs& attrs) {
  const auto precision = out.precision(17);  // equal text means equal attributes
  struct Print {
    std::ostream& out;
    void operator()(int64_t x) { out << x; }
    void operator()(double x) { out << x; }
    void operator()(const std::string& x) { out << '"' << x << '"'; }
    void operator()(const std::vector<int64_t>& x) { print_list(out, x); }
    void operator()(const std::vector<double>& x) { print_list(out, x); }
  };
  out << '{';
  bool first = true;
  for (const auto& [name, item] : attrs.items()) {
    out << (first ? "" : ", ") << name << '=';
    std::visit(Print{out}, item);
    first = false;
  }
  out.precision(precision);
  return out << "}";
}

}  // namespace hearth
