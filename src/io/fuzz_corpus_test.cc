// SPDX-License-Identifier: Apache-2.0
// Runs every file of tests/corpus through its fuzz target, so that what a fuzzer once found stays fixed in plain test
// runs.
#include "base/file_test_folder.h"
#include "io/fuzz_targets.h"

namespace hearth {

struct CorpusRow {
  const char* folder;
  void (*target)(std::string_view);
};
class FuzzCorpus : public testing::TestWithParam<CorpusRow> {};

TEST_P(FuzzCorpus, every_file_ends_well) {
  const std::string folder = source_file(std::string("tests/corpus/") + GetParam().folder);
  const std::vector<std::string> names = list_folder(folder);
  EXPECT_GE(names.size(), 10u);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    EXPECT_NO_THROW(GetParam().target(read_file(join_path(folder, name), 1 << 20)));
  }
}

INSTANTIATE_TEST_SUITE_P(io, FuzzCorpus,
                         testing::Values(CorpusRow{"safetensors", fuzz_safetensors}, CorpusRow{"index", fuzz_index},
                                         CorpusRow{"config", fuzz_config},
                                         CorpusRow{"adapter_config", fuzz_adapter_config},
                                         CorpusRow{"torch_file", fuzz_torch_file}, CorpusRow{"pickle", fuzz_pickle}),
                         [](const auto& row) { return std::string(row.param.folder); });

}  // namespace hearth
