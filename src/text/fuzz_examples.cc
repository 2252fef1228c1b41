// SPDX-License-Identifier: Apache-2.0
// clang++ -fsanitize=fuzzer,address,undefined ...; corpus: tests/corpus/examples
#include "text/fuzz_examples.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::ExampleFuzzer::get().run(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
