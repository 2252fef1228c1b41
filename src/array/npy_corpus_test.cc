// SPDX-License-Identifier: Apache-2.0
// Runs every file of tests/corpus/npy through the fuzz target and the reader of arrays, so that what a fuzzer once
// found stays fixed in plain test runs.
#define LLVMFuzzerTestOneInput fuzz_npy_input
#include "array/fuzz_npy.cc"
#undef LLVMFuzzerTestOneInput

#include "array/npy.h"
#include "base/file.h"
#include "base/file_test_folder.h"

namespace hearth {

TEST(NpyCorpus, every_file_ends_well) {
  const std::string folder = source_file("tests/corpus/npy");
  int arrays = 0;
  for (const std::string& name : list_folder(folder)) {
    SCOPED_TRACE(name);
    const std::string bytes = read_file(join_path(folder, name), 1 << 20);
    EXPECT_NO_THROW(fuzz_npy_input(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
    try {
      parse_npy(bytes, name).eval();
      ++arrays;
    } catch (const Error&) {
    }
    try {
      arrays += int(parse_npz(bytes, name).size());
    } catch (const Error&) {
    }
  }
  EXPECT_GE(arrays, 8);  // the corpus must lead behind the headers, or it guards nothing
}

}  // namespace hearth
