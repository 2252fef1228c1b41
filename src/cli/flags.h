// SPDX-License-Identifier: Apache-2.0
#pragma once
// A command's flags, declared once. A command is a struct of fields with
//   template <class Visit> void visit(Visit&& flag) {
//     flag.group("model");                                  // heading in --help, optional
//     flag("model", model, "folder with config.json and *.safetensors", {.needed = true, .path = PathKind::folder});
//     flag("dtype", dtype, "type of the arithmetic", {.allowed = {"f32", "bf16"}});
//   }
// From that come parsing and --help (flags_parse.h, flags_help.h), --config (flags_config.h), the resolved
// configuration as JSON (flags_json below) and shell completion (completion.h). A field's value before the visit is the
// default.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"

namespace hearth {

// What the user typed is wrong: exit code 2. The message is one sentence without the command's name.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(Kind::value, message) {}
};

enum class PathKind { none, file, folder };

struct FlagOptions {
  bool needed = false;                           // the command does not run without it
  bool hidden = false;                           // works, but is not in --help or completion
  bool positional = false;                       // may also be given without its name: hearth completion bash
  bool distinct = false;                         // a list that may not name the same thing twice
  PathKind path = PathKind::none;                // what completion offers; also the placeholder FILE or DIR
  std::vector<std::string> allowed = {};         // the only values, for strings and lists of strings
  std::optional<double> minimum = {};            // inclusive, for numbers and lists of numbers
  std::optional<double> maximum = {};            // inclusive
  std::optional<double> above = {};              // exclusive minimum: learning rates are above 0
  std::string short_name = {};                   // one letter
  std::string value_name = {};                   // placeholder in --help instead of N, X, TEXT, FILE, DIR
  char separator = ',';                          // between the items of a list; 0: one item per use of the flag
  std::optional<std::string> default_text = {};  // shown by --help instead of value and limits
};

// A bool is --name and --no-name; its help says what on means. An optional without value is "not set" (null in JSON). A
// list is items joined by the separator, or the flag used several times.
using FlagTarget = std::variant<bool*, int*, int64_t*, uint64_t*, float*, double*, std::string*,
                                std::optional<int64_t>*, std::optional<double>*, std::optional<std::string>*,
                                std::vector<std::string>*, std::vector<int64_t>*, std::vector<double>*>;

// One declared flag. The target belongs to the command's struct, which must outlive this.
struct Flag {
  std::string name;  // without dashes: "max-tokens"
  std::string help;
  std::string group;
  FlagTarget target;
  FlagOptions options;
  std::string default_text;  // as --help shows it; empty: nothing to show
  bool given = false;        // by the command line or the configuration file

  bool is_bool() const { return std::holds_alternative<bool*>(target); }
  bool is_list() const { return target.index() >= 10; }
  bool is_number() const;
  std::string placeholder() const;  // "N", "DIR", "f32|bf16"; empty for a bool
};

// Converts text and stores it; `where` starts the message of a UsageError ("--batch-size"). A list takes all texts,
// anything else exactly one.
void set_flag(Flag& flag, const std::vector<std::string>& texts, const std::string& where);

std::string flag_range(const FlagOptions& options);  // "at least 1", "from 0 to 1"; empty without limits
std::string flag_text(const Flag& flag);             // the value as a user would type it; empty for "not set"
nlohmann::ordered_json flag_json(const Flag& flag);  // the value with its type

class FlagTable {
 public:
  template <class T>
  void operator()(const char* name, T& field, const char* help, FlagOptions options = {}) {
    add(name, &field, help, std::move(options));
  }
  void group(const std::string& title) { group_ = title; }

  std::vector<Flag> flags;

  Flag* find(const std::string& name);  // nullptr if there is none
  // Throws UsageError naming the first needed flag that was not given.
  void check_needed() const;
  nlohmann::ordered_json to_json() const;  // {"max-tokens": 256, ...} in the order of declaration, hidden flags too

 private:
  void add(const std::string& name, FlagTarget target, const std::string& help, FlagOptions options);
  std::string group_;
};

// The flags of a command's struct, bound to its fields.
template <class Flags>
FlagTable flag_table(Flags& flags) {
  FlagTable table;
  flags.visit(table);
  return table;
}

// The resolved configuration: every flag with its value. Written back as a file, --config accepts it.
template <class Flags>
nlohmann::ordered_json flags_json(Flags flags) {
  return flag_table(flags).to_json();
}

// The name that was most likely meant: few typing mistakes away, or abbreviated; empty when none is near (which is
// where it differs from io's nearest_name).
std::string likely_name(const std::string& wrong, const std::vector<std::string>& names);
// "; did you mean --model?" or nothing.
std::string did_you_mean(const std::string& wrong, const std::vector<std::string>& names,
                         const std::string& prefix = "");

}  // namespace hearth
