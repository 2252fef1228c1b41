// SPDX-License-Identifier: Apache-2.0
// Runs every file of tests/corpus/plan through the fuzz target, so that what a fuzzer once found stays fixed in plain
// test runs.
#define LLVMFuzzerTestOneInput fuzz_plan_input
#include "plan/fuzz_plan.cc"
#undef LLVMFuzzerTestOneInput

#include "base/file.h"
#include "base/file_test_folder.h"

namespace hearth {

TEST(PlanCorpus, every_file_ends_well) {
  const std::string folder = source_file("tests/corpus/plan");
  const std::vector<std::string> names = list_folder(folder);
  EXPECT_GE(names.size(), 5u);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const std::string bytes = read_file(join_path(folder, name), 1 << 20);
    EXPECT_NO_THROW(fuzz_plan_input(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
  }
}

// The corpus must lead behind the header, or it guards nothing.
TEST(PlanCorpus, has_files_that_load) {
  int loaded = 0;
  const std::string folder = source_file("tests/corpus/plan");
  for (const std::string& name : list_folder(folder)) {
    try {
      load_plan(join_path(folder, name));
      ++loaded;
    } catch (const Error&) {
    }
  }
  EXPECT_GE(loaded, 3);
}

}  // namespace hearth
