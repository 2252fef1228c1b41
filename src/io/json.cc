// SPDX-License-Identifier: Apache-2.0
#include "io/json.h"

#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "io/nearest.h"

namespace hearth {
namespace {

// Builds the tree from the parser's events. nlohmann's own builder looks through all keys of an object for each new
// one, which is quadratic for a header of 100,000 tensors, and knows no depth limit.
class TreeBuilder {
 public:
  using string_t = std::string;
  TreeBuilder(Json* root, const JsonRules& rules) : root_(root), rules_(rules) {}

  bool null() { return place(Json(nullptr)); }
  bool boolean(bool v) { return place(Json(v)); }
  bool number_integer(Json::number_integer_t v) { return place(Json(v)); }
  bool number_unsigned(Json::number_unsigned_t v) { return place(Json(v)); }
  bool number_float(Json::number_float_t v, const string_t& text) {
    return place(Json(rules_.read_number ? rules_.read_number(text) : v));
  }
  bool string(string_t& v) { return place(Json(std::move(v))); }
  bool binary(Json::binary_t&) { return false; }

  bool start_object(size_t) { return open(Json::object()); }
  bool start_array(size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(string_t& name) {
    Level& level = levels_.back();
    auto& members = *level.node->get_ptr<Json::object_t*>();
    const auto [it, is_new] = level.index.try_emplace(name, members.size());
    if (is_new) {
      members.push_back({std::move(name), Json()});
    } else if (rules_.unique_keys) {
      reason_ = "the key '" + printable(name) + "' appears twice in one object";
      return false;
    }
    level.member = it->second;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) {
    position_ = static_cast<int64_t>(position);
    const std::string_view text = error.what();  // "[json.exception.parse_error.101] parse error at line ...: <reason>"
    const size_t colon = text.find(": ");
    reason_ = shortened(colon == std::string_view::npos ? text : text.substr(colon + 2));
    return false;
  }

  const std::string& reason() const { return reason_; }
  int64_t position() const { return position_; }  // -1: unknown, the parser's own place counts

 private:
  struct Level {
    Json* node;
    size_t member = 0;                              // of an object: where the next value goes
    std::unordered_map<std::string, size_t> index;  // of an object: key -> place
  };

  // The parser's reason shows all that it read last, which may be megabytes: its middle is left out.
  static std::string shortened(std::string_view reason) {
    size_t head = 120, tail = reason.size() - std::min<size_t>(reason.size(), 60);
    if (tail <= head) return std::string(reason);
    const auto inside = [&](size_t at) { return (static_cast<unsigned char>(reason[at]) & 0xC0) == 0x80; };
    while (head > 0 && inside(head)) --head;
    while (tail < reason.size() && inside(tail)) ++tail;
    return cat(reason.substr(0, head), " ... ", reason.substr(tail));
  }

  Json* slot() {
    if (levels_.empty()) return root_;
    Level& level = levels_.back();
    if (level.node->is_object())
      return &level.node->get_ptr<Json::object_t*>()->begin()[static_cast<std::ptrdiff_t>(level.member)].second;
    auto& items = *level.node->get_ptr<Json::array_t*>();
    items.emplace_back();
    return &items.back();
  }
  bool place(Json value) {
    *slot() = std::move(value);
    return true;
  }
  bool open(Json container) {
    if (static_cast<int>(levels_.size()) >= rules_.max_depth) {
      reason_ = cat("objects and arrays are nested deeper than ", rules_.max_depth);
      return false;
    }
    Json* node = slot();
    *node = std::move(container);
    levels_.push_back({.node = node, .member = 0, .index = {}});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return true;
  }

  Json* root_;
  JsonRules rules_;
  std::vector<Level> levels_;  // a parent's vector does not grow while a child is open, so node stays valid
  std::string reason_;
  int64_t position_ = -1;
};

// Counts what the parser has consumed, for errors that the builder itself raises.
struct CountingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  const char* at;
  const char** furthest;
  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    ++at;
    if (at > *furthest) *furthest = at;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at == b.at; }
  friend bool operator!=(const CountingIterator& a, const CountingIterator& b) { return a.at != b.at; }
};

std::string shorten(const std::string& text) {
  if (text.size() <= 60) return text;
  size_t cut = 57;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;  // not inside a UTF-8 character
  return text.substr(0, cut) + "...";
}

std::string range_text(const std::string& kind, bool has_min, bool has_max, const std::string& min,
                       const std::string& max) {
  const std::string article = kind == "integer" ? "an " : "a ";
  if (has_min && has_max) return article + kind + " in " + min + ".." + max;
  if (has_min) return article + kind + " >= " + min;
  if (has_max) return article + kind + " <= " + max;
  return article + kind;
}

// The integer that a JSON number means, 4096.0 included; false for 0.5, "4096" and what does not fit 64 bits.
bool as_integer(const Json& value, int64_t* out) {
  if (value.is_number_unsigned()) {
    const uint64_t v = value.get<uint64_t>();
    *out = static_cast<int64_t>(v);
    return v <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  }
  if (value.is_number_integer()) return *out = value.get<int64_t>(), true;
  if (!value.is_number_float()) return false;
  const double v = value.get<double>();
  if (!(v >= -9007199254740992.0 && v <= 9007199254740992.0)) return false;
  *out = static_cast<int64_t>(v);
  return static_cast<double>(*out) == v;
}

}  // namespace

Json parse_json(std::string_view text, const std::string& file, JsonRules rules, int64_t base) {
  Json root;
  TreeBuilder builder(&root, rules);
  const char* furthest = text.data();
  const CountingIterator begin{text.data(), &furthest}, end{text.data() + text.size(), &furthest};
  if (!Json::sax_parse(begin, end, &builder)) {
    const int64_t at = builder.position() > 0 ? builder.position() - 1 : furthest - text.data();
    HEARTH_FAIL(format, file_name(file), ": not valid JSON at byte ", base + at, ": ", builder.reason(), "\n  file ",
                file);
  }
  return root;
}

Json read_json_file(const std::string& path, JsonRules rules) {
  return parse_json(read_file(path, rules.max_bytes), path, rules);
}

std::string dump_json(const Json& value) { return value.dump(2, ' ', true, Json::error_handler_t::replace); }

JsonView::JsonView(const Json& object, std::string file, std::string prefix)
    : json_(&object), file_(std::move(file)), prefix_(std::move(prefix)) {
  if (object.is_object()) return;
  const std::string place = prefix_.empty() ? "the file" : "'" + prefix_.substr(0, prefix_.size() - 1) + "'";
  HEARTH_FAIL(format, file_name(file_), ": ", place, " must be a JSON object, found ", shorten(dump_json(object)),
              "\n  file ", file_);
}

const Json* JsonView::find(const std::string& key) const {
  const auto it = json_->find(key);
  return it == json_->end() || it->is_null() ? nullptr : &*it;
}

bool JsonView::has(const std::string& key) const { return find(key) != nullptr; }

const Json& JsonView::get(const std::string& key) const {
  const Json* value = find(key);
  HEARTH_CHECK(value, format, file_name(file_), ": '", prefix_, key, "' is missing\n  file ", file_);
  return *value;
}

void JsonView::refuse(const std::string& key, const std::string& wanted) const {
  const Json* value = find(key);
  HEARTH_FAIL(format, file_name(file_), ": '", printable(prefix_ + key), "' must be ", wanted, ", found ",
              value ? shorten(value->dump(-1, ' ', false, Json::error_handler_t::replace)) : "nothing", "\n  file ",
              file_);
}

int64_t JsonView::integer(const std::string& key, IntegerRange range) const {
  int64_t v = 0;
  if (as_integer(get(key), &v) && v >= range.min && v <= range.max) return v;
  refuse(key, range_text("integer", range.min != IntegerRange().min, range.max != IntegerRange().max, cat(range.min),
                         cat(range.max)));
}

int64_t JsonView::integer_or(const std::string& key, int64_t other, IntegerRange range) const {
  return has(key) ? integer(key, range) : other;
}

double JsonView::number(const std::string& key, NumberRange range) const {
  const Json& value = get(key);
  if (value.is_number()) {
    const double v = value.get<double>();
    if (v >= range.min && v <= range.max) return v;
  }
  refuse(key, range_text("number", range.min != NumberRange().min, range.max != NumberRange().max, cat(range.min),
                         cat(range.max)));
}

double JsonView::number_or(const std::string& key, double other, NumberRange range) const {
  return has(key) ? number(key, range) : other;
}

bool JsonView::boolean_or(const std::string& key, bool other) const {
  const Json* value = find(key);
  if (!value) return other;
  if (!value->is_boolean()) refuse(key, "true or false");
  return value->get<bool>();
}

std::string JsonView::text(const std::string& key) const {
  const Json& value = get(key);
  if (!value.is_string()) refuse(key, "a string");
  return value.get<std::string>();
}

std::string JsonView::text_or(const std::string& key, const std::string& other) const {
  return has(key) ? text(key) : other;
}

std::vector<std::string> JsonView::texts(const std::string& key) const {
  const Json& value = get(key);
  if (!value.is_array()) refuse(key, "a list of strings");
  std::vector<std::string> out;
  for (const Json& item : value) {
    if (!item.is_string()) refuse(key, "a list of strings");
    out.push_back(item.get<std::string>());
  }
  return out;
}

std::vector<int64_t> JsonView::integers(const std::string& key, IntegerRange range) const {
  const Json& value = get(key);
  if (!value.is_array()) return {integer(key, range)};
  std::vector<int64_t> out;
  for (const Json& item : value) {
    int64_t v = 0;
    if (!as_integer(item, &v) || v < range.min || v > range.max)
      refuse(key, "an integer or a list of integers in range");
    out.push_back(v);
  }
  return out;
}

JsonView JsonView::object(const std::string& key) const { return JsonView(get(key), file_, prefix_ + key + "."); }

std::vector<std::string> JsonView::keys() const {
  std::vector<std::string> out;
  for (const auto& [key, value] : json_->items()) out.push_back(key);
  return out;
}

}  // namespace hearth
