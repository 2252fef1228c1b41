// SPDX-License-Identifier: Apache-2.0
#include "cli/flags.h"

#include <algorithm>
#include <numeric>

namespace hearth {

bool Flag::is_number() const {
  return std::visit(
      [](auto* field) {
        using T = std::decay_t<decltype(*field)>;
        return !std::is_same_v<T, bool> && !std::is_same_v<T, std::string> &&
               !std::is_same_v<T, std::optional<std::string>> && !std::is_same_v<T, std::vector<std::string>>;
      },
      target);
}

static std::string join(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string Flag::placeholder() const {
  if (is_bool()) return "";
  std::string text = options.value_name;
  if (text.empty() && !options.allowed.empty()) text = join(options.allowed, "|");
  if (text.empty() && options.path == PathKind::file) text = "FILE";
  if (text.empty() && options.path == PathKind::folder) text = "DIR";
  if (text.empty() && !is_number()) text = "TEXT";
  if (text.empty()) {
    const bool real = std::holds_alternative<float*>(target) || std::holds_alternative<double*>(target) ||
                      std::holds_alternative<std::optional<double>*>(target) ||
                      std::holds_alternative<std::vector<double>*>(target);
    text = real ? "X" : "N";
  }
  if (is_list() && options.separator) text += std::string(1, options.separator) + "...";
  return text;
}

Flag* FlagTable::find(const std::string& name) {
  for (Flag& flag : flags)
    if (flag.name == name) return &flag;
  return nullptr;
}

void FlagTable::add(const std::string& name, FlagTarget target, const std::string& help, FlagOptions options) {
  HEARTH_CHECK(!find(name), bug, "flag --", name, " is declared twice");
  Flag flag{
      .name = name, .help = help, .group = group_, .target = target, .options = std::move(options), .default_text = ""};
  flag.default_text = flag.options.default_text.value_or(flag_text(flag));
  flags.push_back(std::move(flag));
}

void FlagTable::check_needed() const {
  for (const Flag& flag : flags) {
    if (!flag.options.needed || flag.given) continue;
    throw UsageError(cat("missing ",
                         flag.options.positional ? flag.placeholder() : "--" + flag.name + " " + flag.placeholder(),
                         " (", flag.help, ")"));
  }
}

nlohmann::ordered_json FlagTable::to_json() const {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const Flag& flag : flags) json[flag.name] = flag_json(flag);
  return json;
}

// Edit distance in which swapping two neighbours counts as one edit ("modle" is 1 from "model").
// Source: optimal string alignment, Boytsov 2011, "Indexing methods for approximate dictionary searching", section 2.2.
static size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string likely_name(const std::string& wrong, const std::vector<std::string>& names) {
  if (wrong.empty() || wrong.size() > 100) return "";  // nobody mistypes a name into a paragraph
  std::string best;
  size_t best_distance = 1 + std::clamp<size_t>(wrong.size() / 3, 1, 3);
  for (const std::string& name : names) {
    const size_t distance = edit_distance(wrong, name);
    if (distance < best_distance && distance < name.size()) {
      best_distance = distance;
      best = name;
    }
  }
  if (!best.empty()) return best;
  for (const std::string& name : names)  // an abbreviation: --temp, or a name with too much: --model-path
    if (wrong.size() >= 3 && (name.starts_with(wrong) || (name.size() >= 3 && wrong.starts_with(name)))) return name;
  return "";
}

std::string did_you_mean(const std::string& wrong, const std::vector<std::string>& names, const std::string& prefix) {
  const std::string name = likely_name(wrong, names);
  return name.empty() ? "" : "; did you mean " + prefix + name + "?";
}

}  // namespace hearth
