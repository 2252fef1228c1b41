// SPDX-License-Identifier: Apache-2.0
// Runs every file of the tokenizers' corpora through its fuzz target, so that what a fuzzer once found stays fixed in
// plain test runs.
#include "base/file_test_folder.h"
#include "text/fuzz_tokenizer.h"

namespace hearth {

struct TokenizerCorpusRow {
  const char* folder;
  Tokenizer (*parse)(std::string_view bytes);
};
class TokenizerCorpus : public testing::TestWithParam<TokenizerCorpusRow> {};

TEST_P(TokenizerCorpus, every_file_ends_well) {
  const std::string folder = source_file(std::string("tests/corpus/") + GetParam().folder);
  const std::vector<std::string> names = list_folder(folder);
  EXPECT_GE(names.size(), 10u);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const std::string bytes = read_file(join_path(folder, name), 1 << 20);
    EXPECT_NO_THROW(fuzz_tokenizer(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), GetParam().parse));
  }
}

static Tokenizer parse_json_bytes(std::string_view bytes) { return Tokenizer::parse_json(bytes, "corpus.json"); }
static Tokenizer parse_model_bytes(std::string_view bytes) {
  return Tokenizer::parse_sentencepiece(bytes, "corpus.model");
}

INSTANTIATE_TEST_SUITE_P(text, TokenizerCorpus,
                         testing::Values(TokenizerCorpusRow{"tokenizer_json", parse_json_bytes},
                                         TokenizerCorpusRow{"tokenizer_model", parse_model_bytes}),
                         [](const auto& row) { return std::string(row.param.folder); });

}  // namespace hearth
