// SPDX-License-Identifier: Apache-2.0
#include "cli/flags_help.h"

#include <algorithm>
#include <sstream>

namespace hearth {

static constexpr size_t kWidth = 80;
static constexpr size_t kIndent = 2;
static constexpr size_t kMaxLeft = 28;  // a longer left side gets a line of its own

std::string help_columns(const std::vector<HelpRow>& rows) {
  size_t left_width = 0;
  for (const HelpRow& row : rows)
    if (!row.right.empty() && row.left.size() <= kMaxLeft) left_width = std::max(left_width, row.left.size());
  const size_t column = kIndent + left_width + 2;
  std::string out;
  for (const HelpRow& row : rows) {
    if (row.right.empty()) {
      out += "\n" + row.left + ":\n";
      continue;
    }
    std::string line = std::string(kIndent, ' ') + row.left;
    if (line.size() + 2 > column) {
      out += line + "\n";
      line.clear();
    }
    line.resize(column, ' ');
    std::istringstream words(row.right);
    size_t used = 0;  // characters of the right column in this line
    for (std::string word; words >> word;) {
      if (used && column + used + 1 + word.size() > kWidth) {
        out += line + "\n";
        line.assign(column, ' ');
        used = 0;
      }
      line += (used ? " " : "") + word;
      used += (used ? 1 : 0) + word.size();
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + "\n";
  }
  return out;
}

static std::string flag_spelling(const Flag& flag) {
  std::string text;
  if (!flag.options.short_name.empty()) text = "-" + flag.options.short_name + ", ";
  if (flag.is_bool()) return text + (flag.default_text == "true" ? "--[no-]" : "--") + flag.name;
  if (flag.options.positional) return flag.placeholder();
  text += "--" + flag.name + " ";
  return text + flag.placeholder();
}

// "(needed)", "(default: 8, at least 1)", "(default: on)" or nothing.
static std::string flag_note(const Flag& flag) {
  std::string note;
  if (flag.options.needed) {
    note = "needed";
  } else if (flag.options.default_text) {
    note = "default: " + *flag.options.default_text;
  } else if (flag.is_bool()) {
    note = flag.default_text == "true" ? "default: on" : "default: off";
  } else {
    note = "default: " + (flag.default_text.empty() ? "none" : flag.default_text);
  }
  const std::string range = flag_range(flag.options);
  if (!range.empty() && !flag.options.default_text) note += ", " + range;
  if (!flag.options.allowed.empty() && !flag.options.value_name.empty()) {
    note += ", one of";
    for (const std::string& value : flag.options.allowed) note += " " + value;
  }
  return " (" + note + ")";
}

static std::string usage_line(const std::string& program, const std::string& command, const FlagTable& table) {
  std::string line = "usage: " + program + " " + command;
  for (const Flag& flag : table.flags) {
    if (flag.options.hidden || (!flag.options.needed && !flag.options.positional)) continue;
    const std::string text = flag.options.positional ? flag.placeholder() : "--" + flag.name + " " + flag.placeholder();
    line += " " + (flag.options.needed ? text : "[" + text + "]");
  }
  return line + " [flags]\n";
}

std::string help_text(const std::string& program, const std::string& command, const std::string& summary,
                      const FlagTable& table) {
  std::string out = program + " " + command + ": " + summary + "\n\n" + usage_line(program, command, table);
  std::vector<std::string> groups;
  for (const Flag& flag : table.flags)
    if (std::find(groups.begin(), groups.end(), flag.group) == groups.end()) groups.push_back(flag.group);
  std::vector<HelpRow> rows;
  for (const std::string& group : groups) {
    rows.push_back({group.empty() ? "flags" : group, ""});
    for (const Flag& flag : table.flags)
      if (flag.group == group && !flag.options.hidden)
        rows.push_back({flag_spelling(flag), flag.help + flag_note(flag)});
    if (rows.back().right.empty()) rows.pop_back();  // all of it is hidden
  }
  rows.push_back({"-h, --help", "show this text"});
  return out + help_columns(rows);
}

}  // namespace hearth
