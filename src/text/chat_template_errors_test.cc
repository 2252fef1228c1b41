// SPDX-License-Identifier: Apache-2.0
// Golden texts of what chat templates can do wrong: tests/assets/chat_template_errors.json has a template and its error
// in each row. Most are Python's or jinja2's own words; where Hearth is stricter, it says what it does not do.
#include <gtest/gtest.h>

#include "base/file_test_folder.h"
#include "io/json.h"
#include "text/jinja/template.h"

namespace hearth {
namespace {

std::string error_of_template(const std::string& source) {
  const Json variables = {{"d", {{"a", 1}}}, {"x", 1}};
  return message_of([&] { jinja::Template::parse(source, "t").render(variables); });
}

TEST(ChatTemplateErrorTexts, golden) {
  const std::string path = source_file("tests/assets/chat_template_errors.json");
  const Json rows = parse_json(read_file(path, size_t{1} << 20), path);
  ASSERT_GT(rows.size(), 120u);
  for (const Json& row : rows) {
    const std::string source = row.at(0);
    EXPECT_EQ(error_of_template(source), "t: " + std::string(row.at(1))) << source;
  }
}

TEST(ChatTemplateErrorTexts, limits) {
  EXPECT_EQ(error_of_template("{{ 1" + std::string(5000, '+') + "1 }}"),
            "t: line 1: more than 120 expressions or blocks stand inside of each other");
  EXPECT_EQ(error_of_template(std::string((size_t{4} << 20) + 1, ' ')),
            "t: the template has 4194305 bytes; at most 4194304 are read");
  EXPECT_EQ(message_of([] { jinja::Template::parse("{{ x }}", "t").render(Json::array()); }),
            "t: the variables of a template must be an object");
}

}  // namespace
}  // namespace hearth
