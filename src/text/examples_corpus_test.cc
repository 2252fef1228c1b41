// SPDX-License-Identifier: Apache-2.0
// Runs every file of the examples' corpus through its fuzz target, so that what a fuzzer once found stays fixed in
// plain test runs.
#include "base/file_test_folder.h"
#include "text/fuzz_examples.h"

namespace hearth {

TEST(ExamplesCorpus, every_file_ends_well) {
  const std::string folder = source_file("tests/corpus/examples");
  const std::vector<std::string> names = list_folder(folder);
  EXPECT_GE(names.size(), 10u);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    EXPECT_NO_THROW(ExampleFuzzer::get().run(read_file(join_path(folder, name), 1 << 20)));
  }
}

}  // namespace hearth
