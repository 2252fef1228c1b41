// SPDX-License-Identifier: Apache-2.0
#include "io/json.h"

#include "base/file_test_folder.h"

namespace hearth {

static std::string why_not(const std::string& text, JsonRules rules = {}) {
  return error_of(Kind::format, [&] { parse_json(text, "dir/config.json", rules); });
}

TEST(Json, errors_name_file_byte_and_reason) {
  EXPECT_TEXT(why_not("{\"a\": 1,}"), "config.json: not valid JSON at byte 8: ");
  EXPECT_TEXT(why_not("{\"a\": 1,}"), "\n  file dir/config.json");
  EXPECT_TEXT(why_not(""), "at byte 0");
  EXPECT_TEXT(why_not("{\"a\": 1} x"), "at byte 9");
  EXPECT_TEXT(why_not("{\"a\": NaN}"), "at byte 6");
  EXPECT_TEXT(why_not("{\"a\": \"\xff\"}"), "at byte 7");
  EXPECT_TEXT(why_not("{\"a\": 1e999}"), "not valid JSON");
  EXPECT_TEXT(error_of(Kind::format, [] { parse_json("[1", "x", {}, 100); }), "at byte 102");
}

TEST(Json, depth_is_limited) {
  EXPECT_TEXT(why_not(std::string(1000000, '[')), "nested deeper than 64");
  EXPECT_EQ(parse_json("[[1]]", "x", {.max_depth = 2})[0][0], 1);
  EXPECT_TEXT(why_not("[[[1]]]", {.max_depth = 2}), "nested deeper than 2");
}

TEST(Json, double_keys) {
  const std::string text = R"({"a": 1, "b": {"a": 2}, "a": 3})";
  const Json json = parse_json(text, "x");
  EXPECT_EQ(json.dump(), R"({"a":3,"b":{"a":2}})");  // the last one wins, as in Python
  EXPECT_TEXT(why_not(text, {.unique_keys = true}), "the key 'a' appears twice in one object");
}

TEST(Json, a_hundred_thousand_keys_are_not_quadratic) {
  std::string text = "{";
  for (int i = 0; i < 200000; ++i) text += cat(i ? "," : "", "\"", i, "\":", i);
  const Json json = parse_json(text + "}", "x", {.unique_keys = true});
  EXPECT_EQ(json.size(), 200000u);
}

// What HF and PEFT wrote comes back byte for byte: order of keys, kinds of numbers, indentation.
TEST(Json, real_files_are_written_back_as_they_were) {
  for (const char* name : {"assets/prose-14m/config.json", "assets/prose-14m/generation_config.json",
                           "assets/prose-14m/model.safetensors.index.json"}) {
    const std::string path = source_file(name);
    EXPECT_EQ(dump_json(read_json_file(path)) + "\n", read_file(path, 1 << 20)) << name;
  }
  const std::string path = source_file("tests/assets/reference/lora_init/adapter_config.json");
  EXPECT_EQ(dump_json(read_json_file(path)), read_file(path, 1 << 20));
}

TEST(Json, number_kinds_survive) {
  const std::string text = R"([8.0,1e-06,1e-05,0.02,8,-1,10000.0,500000.0,18446744073709551615])";
  EXPECT_EQ(parse_json(text, "x").dump(), text);
}

static const char* const kConfig = R"({
  "hidden_size": -3, "heads": "six", "eps": 1e-05, "big": 1e300, "huge": 18446744073709551615, "half": 0.5,
  "whole": 4096.0, "tie": "yes", "none": null, "rope": {"theta": 0}, "eos": [2, 3], "bos": 1, "names": ["a", 1],
  "long": "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé"})";

class JsonViewTest : public testing::Test {
 protected:
  const Json json = parse_json(kConfig, "dir/config.json");
  const JsonView view{json, "dir/config.json"};
  template <class Call>
  std::string why(const Call& call) {
    return error_of(Kind::format, [&] { call(view); });
  }
};

TEST_F(JsonViewTest, wrong_values_are_named_with_what_was_wanted) {
  EXPECT_EQ(why([](const JsonView& v) { v.integer("hidden_size", {.min = 1}); }),
            "config.json: 'hidden_size' must be an integer >= 1, found -3\n  file dir/config.json");
  EXPECT_TEXT(why([](const JsonView& v) { v.integer("heads"); }), "'heads' must be an integer, found \"six\"");
  EXPECT_TEXT(why([](const JsonView& v) { v.integer("huge"); }), "found 18446744073709551615");
  EXPECT_TEXT(why([](const JsonView& v) { v.integer("big"); }), "found 1e+300");
  EXPECT_TEXT(why([](const JsonView& v) { v.integer("half"); }), "found 0.5");
  EXPECT_TEXT(why([](const JsonView& v) { v.integer("bos", {.min = 2, .max = 5}); }), "an integer in 2..5, found 1");
  EXPECT_TEXT(why([](const JsonView& v) { v.integer("none"); }), "'none' is missing");
  EXPECT_TEXT(why([](const JsonView& v) { v.integer("absent"); }), "'absent' is missing");
  EXPECT_TEXT(why([](const JsonView& v) { v.boolean_or("tie", false); }), "'tie' must be true or false");
  EXPECT_TEXT(why([](const JsonView& v) { v.number("eps", {.min = 1}); }), "'eps' must be a number >= 1");
  EXPECT_TEXT(why([](const JsonView& v) { v.text("bos"); }), "'bos' must be a string, found 1");
  EXPECT_TEXT(why([](const JsonView& v) { v.texts("names"); }), "'names' must be a list of strings");
  EXPECT_TEXT(why([](const JsonView& v) { v.object("rope").number("theta", {.min = 1}); }), "'rope.theta' must be");
  EXPECT_TEXT(why([](const JsonView& v) { v.object("eos"); }), "'eos' must be a JSON object");
  EXPECT_TEXT(why([](const JsonView& v) { v.integer("long"); }), "é...");
}

TEST_F(JsonViewTest, right_values_are_returned) {
  EXPECT_EQ(view.integer("whole"), 4096);
  EXPECT_EQ(view.integer_or("absent", 7), 7);
  EXPECT_EQ(view.integer_or("none", 7), 7);
  EXPECT_EQ(view.number("eps"), 1e-5);
  EXPECT_EQ(view.number("bos"), 1.0);
  EXPECT_EQ(view.text_or("absent", "x"), "x");
  EXPECT_TRUE(view.boolean_or("absent", true));
  EXPECT_EQ(view.integers("eos"), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(view.integers("bos"), std::vector<int64_t>{1});
  EXPECT_EQ(view.keys().front(), "hidden_size");
}

TEST(Json, what_is_no_object_is_refused) {
  const Json list = Json::array({1});
  EXPECT_TEXT(error_of(Kind::format, [&] { JsonView(list, "a/config.json"); }),
              "the file must be a JSON object, found [");
}

}  // namespace hearth
