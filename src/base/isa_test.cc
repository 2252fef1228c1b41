// SPDX-License-Identifier: Apache-2.0
#include "base/isa.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace hearth {

TEST(Isa, is_what_was_asked) {
  const char* wanted = std::getenv("HEARTH_ISA");
  EXPECT_STREQ(isa_name(isa()), wanted && *wanted ? wanted : isa_name(best_isa()));
}

}  // namespace hearth
