// SPDX-License-Identifier: Apache-2.0
// For tests/interop: tokenizes what stands on stdin.
//   hearth_tokenize <folder or tokenizer file>
//   hearth_tokenize <folder or tokenizer file> <text file>    how long encoding takes, for bench/tokenizer_speed.py
// Each line of stdin is {"text": "..."} or {"hex": "ff00"} (bytes, for invalid UTF-8) or {"ids": [1, 2]}, with
// "add_special", "parse_special", "skip_special", "decode" (default true). Each line of stdout is {"ids": [...],
// "decoded":
// "..."}, or {"error": "..."}. Decoding goes through both decode and StreamDecoder; a difference is an error.

#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "text/tokenizer.h"

namespace hearth {

static std::string text_of(const nlohmann::json& line) {
  if (!line.contains("hex")) return line.at("text").get<std::string>();
  const std::string hex = line.at("hex").get<std::string>();
  std::string text;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) text += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return text;
}

static nlohmann::json answer(const Tokenizer& tokenizer, const nlohmann::json& line) {
  const EncodeOptions encode{.add_special = line.value("add_special", true),
                             .parse_special = line.value("parse_special", true)};
  const DecodeOptions decode{.skip_special = line.value("skip_special", true)};
  const std::vector<int32_t> ids =
      line.contains("ids") ? line.at("ids").get<std::vector<int32_t>>() : tokenizer.encode(text_of(line), encode);
  if (!line.value("decode", true)) return {{"ids", ids}};
  const std::string decoded = tokenizer.decode(ids, decode);
  StreamDecoder stream(tokenizer, decode);
  std::string streamed;
  for (const int32_t id : ids) streamed += stream.push(id);
  streamed += stream.finish();
  if (streamed != decoded) return {{"error", "StreamDecoder gives '" + streamed + "', decode '" + decoded + "'"}};
  return {{"ids", ids}, {"decoded", decoded}};
}

static Tokenizer load(const std::string& path) {
  if (is_folder(path)) return Tokenizer::load(path);
  return path.ends_with(".model") ? Tokenizer::load_sentencepiece(path) : Tokenizer::load_json(path);
}

// The best of five, of the text as a whole and of its lines one by one.
static int time_text(const Tokenizer& tokenizer, const std::string& text) {
  size_t ids = 0;
  const auto best_seconds = [&](const auto& encode) {
    double best = 1e9;
    for (int i = 0; i < 5; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      encode();
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return best;
  };
  const double whole = best_seconds([&] { ids = tokenizer.encode(text).size(); });
  const double lines = best_seconds([&] {
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      tokenizer.encode(std::string_view(text).substr(at, end - at));
      at = end + 1;
    }
  });
  std::cout << nlohmann::json{{"whole", whole}, {"lines", lines}, {"ids", ids}} << '\n';
  return 0;
}

static int run(const std::string& path) {
  const Tokenizer tokenizer = load(path);
  for (std::string line; std::getline(std::cin, line);)
    std::cout << answer(tokenizer, nlohmann::json::parse(line)) << '\n';
  return 0;
}

}  // namespace hearth

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: hearth_tokenize <folder or tokenizer file> < lines.jsonl\n       hearth_tokenize <folder or "
                 "tokenizer file> <text file>\n";
    return 2;
  }
  try {
    if (argc == 3) return hearth::time_text(hearth::load(argv[1]), hearth::read_file(argv[2], 1 << 30));
    return hearth::run(argv[1]);
  } catch (const std::exception& e) {
    std::cout << nlohmann::json{{"error", e.what()}} << '\n';
    std::cerr << "error: " << e.what() << '\n';
    return 1;
  }
}
