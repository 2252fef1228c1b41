// SPDX-License-Identifier: Apache-2.0
// clang++ -fsanitize=fuzzer,address,undefined ...; corpus: tests/corpus/config_file
#include "cli/fuzz_config_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::fuzz_config_file(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
