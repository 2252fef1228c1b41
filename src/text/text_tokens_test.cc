// SPDX-License-Identifier: Apache-2.0
#include "text/text_tokens.h"

#include "base/file_test_folder.h"

namespace hearth {

static std::vector<int32_t> all_tokens(const TokenSpool& spool) {
  std::vector<int32_t> ids(static_cast<size_t>(spool.size()));
  spool.read(0, ids);
  return ids;
}

TEST(TextTokens, pieces_give_the_tokens_of_the_whole) {
  const TestFolder folder;
  const Tokenizer tokenizer = Tokenizer::load(source_file("assets/prose-14m"));
  const std::string plain = read_file(source_file("assets/tinyshakespeare.txt"), 1 << 24).substr(0, 200000);
  std::string windows;
  for (const char c : plain) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const std::string file = join_path(folder.path(), "t.txt");
  for (const std::string& text :
       {plain, windows, std::string("no place to cut ") + std::string(20000, 'x'), std::string("é\n")})
    for (const size_t piece : {size_t{700}, size_t{4099}, size_t{1} << 20}) {
      write_file_atomic(file, text);
      TokenSpool spool(folder.path(), 1000);  // the rest of them on disk
      append_text_tokens(tokenizer, file, {.piece_bytes = piece}, &spool);
      EXPECT_EQ(all_tokens(spool), tokenizer.encode(text, {.add_special = false})) << text.substr(0, 20) << piece;
    }
  write_file_atomic(file, windows);
  TokenSpool spool(folder.path());
  append_text_tokens(tokenizer, file, {.universal_newlines = true, .piece_bytes = 1001}, &spool);
  EXPECT_EQ(all_tokens(spool), tokenizer.encode(plain, {.add_special = false}));
}

TEST(TokenSpool, reads_back_what_was_appended_from_memory_and_disk) {
  const TestFolder folder;
  TokenSpool spool(folder.path(), 100);
  std::vector<int32_t> all;
  for (int32_t i = 0; all.size() < (3u << 20); ++i) {
    const std::vector<int32_t> part(static_cast<size_t>(1 + i % 977), i);
    spool.append(part);
    all.insert(all.end(), part.begin(), part.end());
  }
  EXPECT_TRUE(spool.on_disk());
  EXPECT_EQ(list_folder(folder.path()).size(), 0u);  // its file has no name
  for (const size_t begin : {size_t{0}, size_t{99}, size_t{1} << 20, (size_t{1} << 20) + 1, all.size() - 5}) {
    std::vector<int32_t> out(std::min<size_t>(70000, all.size() - begin));
    spool.read(int64_t(begin), out);
    EXPECT_TRUE(std::equal(out.begin(), out.end(), all.begin() + std::ptrdiff_t(begin)));
  }
  EXPECT_THROW(TokenSpool("/nonexistent", 0).append(all), Error);
}

}  // namespace hearth
