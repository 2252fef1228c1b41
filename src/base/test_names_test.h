// SPDX-License-Identifier: Apache-2.0
#pragma once
// Lists of which test holds which case that broke other libraries. A test that is renamed or removed is missed by them.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "base/file_test_folder.h"

namespace hearth {

// The case, and "Suite.test" of this program or "tests/<file>.py:test".
using TestsOfCases = std::multimap<std::string, std::string>;

inline std::set<std::string> names_of_tests() {
  std::set<std::string> names;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int s = 0; s < all.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *all.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t)
      names.insert(std::string(suite.name()) + "." + suite.GetTestInfo(t)->name());
  }
  return names;
}

inline void expect_all_there(const TestsOfCases& rows) {
  const std::set<std::string> names = names_of_tests();
  for (const auto& [what, name] : rows) {
    const size_t colon = name.find(".py:");
    const bool found = colon == name.npos ? names.count(name) > 0
                                          : contains_text(read_file(source_file(name.substr(0, colon + 3)), 1 << 20),
                                                          "def " + name.substr(colon + 4) + "(");
    EXPECT_TRUE(found) << name << ", which holds: " << what;
  }
}

}  // namespace hearth
