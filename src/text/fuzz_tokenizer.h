// SPDX-License-Identifier: Apache-2.0
#pragma once
// What both fuzz entries do with bytes that claim to be a tokenizer file: read, encode, decode. Only Error may come
// out.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/tokenizer.h"

namespace hearth {

inline void fuzz_text(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options) {
  const std::vector<int32_t> ids = tokenizer.encode(text, options);
  const std::string whole = tokenizer.decode(ids, {.skip_special = options.add_special});
  StreamDecoder stream(tokenizer, {.skip_special = options.add_special});
  std::string joined;
  for (const int32_t id : ids) joined += stream.push(id);
  joined += stream.finish();
  if (joined != whole) std::abort();
}

template <class Parse>
void fuzz_tokenizer(const uint8_t* data, size_t size, const Parse& parse) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const Tokenizer tokenizer = parse(bytes);
    for (const bool on : {true, false}) {
      const EncodeOptions options{.add_special = on, .parse_special = on};
      fuzz_text(tokenizer, bytes.substr(0, 300), options);
      fuzz_text(tokenizer, " Hello  world\r\n <s>\xE2\x96\x81\xF0\x9F\x98\x80 caf\xC3\xA9 e\xCC\x81 123 \xFF", options);
    }
  } catch (const Error& error) {
    if (error.kind() == Kind::bug) std::abort();
  }
}

}  // namespace hearth
