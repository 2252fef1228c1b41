// SPDX-License-Identifier: Apache-2.0
#include "text/decoder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "text/byte_chars.h"
#include "text/normalizer.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

namespace {

class Output : public DecodeStage {
 public:
  explicit Output(std::string* out) : out_(out) {}
  void push(std::string_view token) override { *out_ += token; }
  void finish() override {}

 private:
  std::string* out_;
};

class Stage : public DecodeStage {
 public:
  explicit Stage(std::unique_ptr<DecodeStage> next) : next_(std::move(next)) {}
  void finish() override { next_->finish(); }

 protected:
  std::unique_ptr<DecodeStage> next_;
};

class ReplaceStage : public Stage {
 public:
  ReplaceStage(std::unique_ptr<DecodeStage> next, const ReplaceText& step, bool fused)
      : Stage(std::move(next)), step_(step), fused_(fused) {}

  void push(std::string_view token) override {
    if (!fused_) return next_->push(replaced(token));
    // The text comes in pieces, and an occurrence may lie across two: hold back what may be its beginning.
    held_ += token;
    size_t from = 0;
    for (size_t at; (at = held_.find(step_.pattern, from)) != std::string::npos; from = at + step_.pattern.size()) {
      next_->push(std::string_view(held_).substr(from, at - from));
      next_->push(step_.content);
    }
    held_.erase(0, from);
    size_t keep = std::min(held_.size(), step_.pattern.size() - 1);
    while (keep > 0 && held_.compare(held_.size() - keep, keep, step_.pattern, 0, keep) != 0) --keep;
    next_->push(std::string_view(held_).substr(0, held_.size() - keep));
    held_.erase(0, held_.size() - keep);
  }

  void finish() override {
    if (!held_.empty()) next_->push(held_);
    next_->finish();
  }

 private:
  std::string_view replaced(std::string_view token) {
    if (token.find(step_.pattern) == std::string_view::npos) return token;
    held_for_next_ = replace_all(token, step_.pattern, step_.content);
    return held_for_next_;
  }
  const ReplaceText& step_;
  bool fused_;
  std::string held_, held_for_next_;
};

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The byte that "<0x0A>" stands for, or -1. "+A" is taken for the number 10, as Rust's u8::from_str_radix does.
static int byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
  const int high = token[3] == '+' ? 0 : hex_digit(token[3]), low = hex_digit(token[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

class BytesStage : public Stage {
 public:
  using Stage::Stage;
  void push(std::string_view token) override {
    const int byte = byte_of_token(token);
    if (byte >= 0) return held_.push_back(static_cast<char>(byte));
    flush();
    next_->push(token);
  }
  void finish() override {
    flush();
    next_->finish();
  }

 private:
  void flush() {  // the run is judged as a whole, so nothing of it is final before it ends
    if (held_.empty()) return;
    if (is_valid_utf8(held_)) {
      next_->push(held_);
    } else {
      for (size_t i = 0; i < held_.size(); ++i) next_->push(kReplacementText);
    }
    held_.clear();
  }
  std::string held_;
};

class FuseStage : public Stage {
 public:
  using Stage::Stage;
  void push(std::string_view token) override { next_->push(token); }
};

class StripStage : public Stage {
 public:
  StripStage(std::unique_ptr<DecodeStage> next, const StripEnds& step, bool fused)
      : Stage(std::move(next)), step_(step), fused_(fused) {}

  void push(std::string_view token) override {
    while (stripped_ < step_.start && !token.empty()) {
      if (!token.starts_with(step_.content)) {
        stripped_ = step_.start;
        break;
      }
      token.remove_prefix(step_.content.size());
      ++stripped_;
    }
    std::string text;
    for (; held_ > 0; --held_) text += step_.content;
    text += token;
    while (held_ < step_.stop && text.ends_with(step_.content)) {
      text.erase(text.size() - step_.content.size());
      ++held_;
    }
    next_->push(text);
    if (!fused_) stripped_ = held_ = 0;  // the token's end is here: what is held is stripped
  }

 private:
  const StripEnds& step_;
  bool fused_;
  size_t stripped_ = 0;  // at the begin
  size_t held_ = 0;      // repeats of content at the end of what came so far
};

class CharsToBytesStage : public Stage {
 public:
  using Stage::Stage;
  void push(std::string_view token) override {
    std::string bytes;
    for (size_t at = 0; at < token.size();) {
      const CodePoint c = decode_valid(token, at);
      const int byte = char_to_byte(c.value);
      if (byte < 0) {  // a token with any other character stands for itself
        bytes = token;
        break;
      }
      bytes += static_cast<char>(byte);
      at += c.size_bytes;
    }
    held_ += bytes;
    size_t done = 0;
    while (done < held_.size()) {
      const Utf8Step step = check_utf8(held_, done);
      if (step.state == Utf8State::cut_short) break;
      done += step.size_bytes;
    }
    next_->push(replace_invalid_utf8(std::string_view(held_).substr(0, done)));
    held_.erase(0, done);
  }
  void finish() override {
    next_->push(replace_invalid_utf8(held_));
    next_->finish();
  }

 private:
  std::string held_;
};

class SpaceStage : public Stage {
 public:
  SpaceStage(std::unique_ptr<DecodeStage> next, const SpaceFromMeta& step, bool fused)
      : Stage(std::move(next)), step_(step), fused_(fused) {}
  void push(std::string_view token) override {
    const bool drop = step_.drop_in_first && (first_ || fused_);
    first_ = false;
    next_->push(replace_all(token, step_.replacement, drop ? "" : " "));
  }

 private:
  const SpaceFromMeta& step_;
  bool fused_, first_ = true;
};

class ReplaceMatchesStage : public Stage {
 public:
  ReplaceMatchesStage(std::unique_ptr<DecodeStage> next, const ReplaceMatches& step)
      : Stage(std::move(next)), step_(step) {}
  void push(std::string_view token) override { next_->push(step_.pattern.replace_all(token, step_.content)); }

 private:
  const ReplaceMatches& step_;
};

// Source: clean_up_tokenization of BERT's first tokenizer.
std::string cleaned_up(std::string text) {
  static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules)
    if (text.find(from) != std::string::npos) text = replace_all(text, from, to);
  return text;
}

class JoinPiecesStage : public Stage {
 public:
  JoinPiecesStage(std::unique_ptr<DecodeStage> next, const JoinPieces& step) : Stage(std::move(next)), step_(step) {}
  void push(std::string_view token) override {
    std::string text;
    if (!first_ && token.starts_with(step_.prefix)) {
      token.remove_prefix(step_.prefix.size());
    } else if (!first_) {
      text = " ";
    }
    first_ = false;
    text += token;
    next_->push(step_.cleanup ? cleaned_up(std::move(text)) : text);
  }

 private:
  const JoinPieces& step_;
  bool first_ = true;
};

class SpaceFromSuffixStage : public Stage {
 public:
  SpaceFromSuffixStage(std::unique_ptr<DecodeStage> next, const SpaceFromSuffix& step)
      : Stage(std::move(next)), step_(step) {}
  void push(std::string_view token) override {  // the last token is different, so one is held back
    if (held_) next_->push(replace_all(*held_, step_.suffix, " "));
    held_ = token;
  }
  void finish() override {
    if (held_) next_->push(replace_all(*held_, step_.suffix, ""));
    next_->finish();
  }

 private:
  const SpaceFromSuffix& step_;
  std::optional<std::string> held_;
};

class MergeRepeatsStage : public Stage {
 public:
  MergeRepeatsStage(std::unique_ptr<DecodeStage> next, const MergeRepeats& step)
      : Stage(std::move(next)), step_(step) {}
  void push(std::string_view token) override {
    if (before_ && *before_ == token) return;
    before_ = token;
    std::string text(token);
    if (!step_.pad_token.empty()) text = replace_all(text, step_.pad_token, "");
    if (step_.cleanup) text = replace_all(cleaned_up(std::move(text)), step_.word_delimiter, " ");
    if (!text.empty()) next_->push(text);
  }

 private:
  const MergeRepeats& step_;
  std::optional<std::string> before_;
};

// All that comes is one token for what is behind.
class WholeStage : public Stage {
 public:
  using Stage::Stage;
  void push(std::string_view token) override { all_ += token; }
  void finish() override {
    next_->push(all_);
    next_->finish();
  }

 private:
  std::string all_;
};

class JoinStage : public Stage {
 public:
  using Stage::Stage;
  void push(std::string_view token) override {
    if (!first_) next_->push(" ");
    first_ = false;
    next_->push(token);
  }

 private:
  bool first_ = true;
};

}  // namespace

static bool fuses(const DecoderStep& step) {
  return std::holds_alternative<Fuse>(step) || std::holds_alternative<CharsToBytes>(step) ||
         std::holds_alternative<JoinWithSpaces>(step);
}

static bool needs_whole_tokens(const DecoderStep& step) {
  return std::holds_alternative<ReplaceMatches>(step) || std::holds_alternative<BytesFromTokens>(step) ||
         std::holds_alternative<CharsToBytes>(step) || std::holds_alternative<JoinPieces>(step) ||
         std::holds_alternative<SpaceFromSuffix>(step) || std::holds_alternative<MergeRepeats>(step);
}

static std::unique_ptr<DecodeStage> make_stage(const DecoderStep& step, bool fused, std::unique_ptr<DecodeStage> next) {
  if (const auto* replace = std::get_if<ReplaceText>(&step))
    return std::make_unique<ReplaceStage>(std::move(next), *replace, fused);
  if (const auto* matches = std::get_if<ReplaceMatches>(&step))
    return std::make_unique<ReplaceMatchesStage>(std::move(next), *matches);
  if (const auto* strip = std::get_if<StripEnds>(&step))
    return std::make_unique<StripStage>(std::move(next), *strip, fused);
  if (const auto* space = std::get_if<SpaceFromMeta>(&step))
    return std::make_unique<SpaceStage>(std::move(next), *space, fused);
  if (const auto* pieces = std::get_if<JoinPieces>(&step))
    return std::make_unique<JoinPiecesStage>(std::move(next), *pieces);
  if (const auto* suffix = std::get_if<SpaceFromSuffix>(&step))
    return std::make_unique<SpaceFromSuffixStage>(std::move(next), *suffix);
  if (const auto* repeats = std::get_if<MergeRepeats>(&step))
    return std::make_unique<MergeRepeatsStage>(std::move(next), *repeats);
  if (std::holds_alternative<BytesFromTokens>(step)) return std::make_unique<BytesStage>(std::move(next));
  if (std::holds_alternative<CharsToBytes>(step)) return std::make_unique<CharsToBytesStage>(std::move(next));
  if (std::holds_alternative<JoinWithSpaces>(step)) return std::make_unique<JoinStage>(std::move(next));
  return std::make_unique<FuseStage>(std::move(next));
}

std::unique_ptr<DecodeStage> Decoder::start(std::string* out) const {
  std::vector<bool> fused_before;
  bool fused = false;
  for (const DecoderStep& step : steps_) {
    fused_before.push_back(fused);
    fused = fused || fuses(step);
  }
  std::unique_ptr<DecodeStage> chain = std::make_unique<Output>(out);
  for (size_t i = steps_.size(); i-- > 0;) {
    chain = make_stage(steps_[i], fused_before[i], std::move(chain));
    if (fused_before[i] && needs_whole_tokens(steps_[i])) chain = std::make_unique<WholeStage>(std::move(chain));
  }
  return chain;
}

}  // namespace hearth::tokenizers
