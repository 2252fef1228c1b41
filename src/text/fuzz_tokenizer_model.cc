// SPDX-License-Identifier: Apache-2.0
// clang++ -fsanitize=fuzzer,address,undefined ...; corpus: tests/corpus/tokenizer_model
#include "text/fuzz_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::fuzz_tokenizer(
      data, size, [](std::string_view bytes) { return hearth::Tokenizer::parse_sentencepiece(bytes, "fuzz.model"); });
  return 0;
}
