// SPDX-License-Identifier: Apache-2.0
#include "text/example_file.h"

#include "base/error.h"
#include "base/file.h"
#include "text/token_spool.h"

namespace hearth {
namespace {

constexpr size_t kReadBytes = 1 << 20, kMaxLineBytes = size_t{256} << 20;
constexpr int64_t kMaxJsonBytes = int64_t{1} << 30;

// Calls take(line, its number) for every line that is not blank.
void each_line(const std::string& file, const std::function<void(std::string_view, int64_t)>& take) {
  FileReader reader(file);
  std::string buffer;
  int64_t number = 0;
  bool more = true;
  const auto give = [&](std::string_view line) {
    ++number;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);  // a byte order mark
    if (line.find_first_not_of(" \t\r") != line.npos) take(line, number);
  };
  while (more) {
    more = reader.append(buffer, kReadBytes);
    size_t begin = 0;
    for (size_t end = buffer.find('\n'); end != buffer.npos; end = buffer.find('\n', begin)) {
      give(std::string_view(buffer).substr(begin, end - begin));
      begin = end + 1;
    }
    buffer.erase(0, begin);
    HEARTH_CHECK(buffer.size() <= kMaxLineBytes, format, file, ": line ", number + 1, " has more than ",
                 kMaxLineBytes >> 20, " MiB\n  hint: a .jsonl file holds an object a line");
  }
  if (!buffer.empty()) give(buffer);
}

// Errors of one example say where it stands.
template <class Work>
void at(const std::string& file, const std::string& place, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with(file)) throw;
    throw Error(error.kind(), place + ": " + error.what());
  }
}

void each_of_list(const std::string& file, const std::function<void(const Json&)>& take) {
  const Json all = read_json_file(file, {.max_bytes = kMaxJsonBytes});
  HEARTH_CHECK(all.is_array(), format, file, ": a .json file of examples must be a list of objects, found ",
               all.type_name(), "\n  hint: an object a line is a .jsonl file");
  for (size_t i = 0; i < all.size(); ++i) at(file, cat(file, ": example ", i + 1), [&] { take(all[i]); });
}

}  // namespace

void each_example(const std::string& file, const std::function<void(const Json&)>& take) {
  if (file.ends_with(".json")) return each_of_list(file, take);
  each_line(file, [&](std::string_view line, int64_t number) {
    const std::string place = cat(file, ": line ", number);
    const Json example = parse_json(line, place);  // whose errors name the place
    at(file, place, [&] { take(example); });
  });
}

}  // namespace hearth
