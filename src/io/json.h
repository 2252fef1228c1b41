// SPDX-License-Identifier: Apache-2.0
#pragma once
// JSON files: parsing with errors that name file, byte and reason, and getters that check type and range.
// Json keeps the order of keys and the kind of numbers (8.0 and 1e-06 are written back as such).

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

using Json = nlohmann::ordered_json;

struct JsonRules {
  int max_depth = 64;            // nesting of objects and arrays
  bool unique_keys = false;      // refuse an object that names a key twice; otherwise the last one wins, as in Python
  int64_t max_bytes = 64 << 20;  // read_json_file only
  double (*read_number)(std::string_view text) = nullptr;  // of a number that is no 64-bit integer; null: the nearest
};

// `file` appears in errors, and `base` is added to the byte offsets in them. Throws Error{format}.
Json parse_json(std::string_view text, const std::string& file, JsonRules rules = {}, int64_t base = 0);
Json read_json_file(const std::string& path, JsonRules rules = {});

// As Python's json.dumps(value, indent=2): other characters than ASCII as \uXXXX, no newline at the end.
std::string dump_json(const Json& value);

struct IntegerRange {
  int64_t min = std::numeric_limits<int64_t>::min(), max = std::numeric_limits<int64_t>::max();
};
struct NumberRange {
  double min = -std::numeric_limits<double>::max(), max = std::numeric_limits<double>::max();
};

// Checked access to an object of a file:
//   JsonView config(json, "model/config.json");
//   const int64_t width = config.integer("hidden_size", {.min = 1});   // config.json: 'hidden_size' must be an integer
//   >= 1, found -3
// A key that holds null counts as absent. A view does not own the Json.
class JsonView {
 public:
  JsonView(const Json& object, std::string file, std::string prefix = "");  // Error{format} unless an object

  bool has(const std::string& key) const;
  const Json& get(const std::string& key) const;  // Error{format} when absent
  int64_t integer(const std::string& key, IntegerRange range = {}) const;
  int64_t integer_or(const std::string& key, int64_t other, IntegerRange range = {}) const;
  double number(const std::string& key, NumberRange range = {}) const;
  double number_or(const std::string& key, double other, NumberRange range = {}) const;
  bool boolean_or(const std::string& key, bool other) const;
  std::string text(const std::string& key) const;
  std::string text_or(const std::string& key, const std::string& other) const;
  std::vector<std::string> texts(const std::string& key) const;  // a list of strings
  std::vector<int64_t> integers(const std::string& key,
                                IntegerRange range = {}) const;  // one integer or a list of them
  JsonView object(const std::string& key) const;
  std::vector<std::string> keys() const;

  const Json& json() const { return *json_; }
  const std::string& file() const { return file_; }
  // Throws Error{format}: "config.json: '<key>' must be <wanted>, found <value>" and the path of the file.
  [[noreturn]] void refuse(const std::string& key, const std::string& wanted) const;

 private:
  const Json* find(const std::string& key) const;
  const Json* json_;
  std::string file_, prefix_;
};

}  // namespace hearth
