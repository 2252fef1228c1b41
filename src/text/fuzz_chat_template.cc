// SPDX-License-Identifier: Apache-2.0
// clang++ -fsanitize=fuzzer,address,undefined ...; corpus: tests/corpus/chat_template
#include "text/fuzz_chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::fuzz_chat_template(data, size);
  return 0;
}
