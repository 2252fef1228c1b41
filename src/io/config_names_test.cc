// SPDX-License-Identifier: Apache-2.0
#include "io/config_names.h"

#include <gtest/gtest.h>

namespace hearth {

static std::string converted(const char* text) { return with_v4_names(parse_json(text, "x")).dump(); }

TEST(ConfigNames, version_5_names_become_those_of_version_4_in_place) {
  EXPECT_EQ(
      converted(
          R"({"a":1,"dtype":"bfloat16","rope_parameters":{"rope_theta":10000.0,"rope_type":"default"},"z":1e-06})"),
      R"({"a":1,"torch_dtype":"bfloat16","rope_scaling":null,"rope_theta":10000.0,"z":1e-06})");
  EXPECT_EQ(converted(R"({"rope_parameters":{"rope_theta":500000.0,"rope_type":"llama3","factor":8.0}})"),
            R"({"rope_scaling":{"rope_type":"llama3","factor":8.0},"rope_theta":500000.0})");
}

TEST(ConfigNames, what_needs_no_change_stays) {
  for (const char* text :
       {R"({"torch_dtype":"float16","rope_theta":10000.0,"rope_scaling":null,"new_key":[1,{"x":2.0}]})",
        R"({"rope_parameters":{"full_attention":{"rope_theta":1.0},"sliding":{"rope_theta":2.0}}})",
        R"({"rope_parameters":null})", R"([1])"}) {
    EXPECT_EQ(converted(text), text);
  }
}

}  // namespace hearth
