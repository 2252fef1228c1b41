// SPDX-License-Identifier: Apache-2.0
#include "text/normalizer.h"

#include <algorithm>

#include "text/byte_chars.h"
#include "text/charsmap.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

std::string Normalizer::apply(std::string_view text, size_t* head) const {
  std::string out(text);
  for (const auto& step : steps_) {
    if (head != nullptr) *head = step->head_after(out, *head);
    out = step->apply(out);
  }
  return out;
}

std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (size_t from = 0;;) {
    const size_t at = text.find(pattern, from);
    out += text.substr(from, at == std::string_view::npos ? at : at - from);
    if (at == std::string_view::npos) return out;
    out += content;
    from = at + pattern.size();
  }
}

namespace {

class PrependStep : public NormalizerStep {
 public:
  explicit PrependStep(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string apply(std::string_view text) const override {
    return text.empty() ? std::string() : prefix_ + std::string(text);
  }

 private:
  std::string prefix_;
};

class ReplaceStep : public NormalizerStep {
 public:
  explicit ReplaceStep(std::string content) : content_(std::move(content)) {}
  // What replaces a match stems from the match's last byte; what replaces nothing, from the byte before.
  size_t head_after(std::string_view text, size_t head) const override {
    size_t after = 0, done = 0;
    bool is_head = head > 0;
    for_each_match(text, [&](size_t begin, size_t end) {
      if (!is_head) return;
      after += std::min(begin, head) - done;
      done = end;
      is_head = begin < head && (end == 0 || end <= head);
      if (is_head) after += content_.size();
    });
    return is_head && done < head ? after + head - done : after;
  }

 protected:
  virtual void for_each_match(std::string_view text, const std::function<void(size_t, size_t)>& found) const = 0;
  std::string content_;
};

class ReplaceTextStep : public ReplaceStep {
 public:
  ReplaceTextStep(std::string pattern, std::string content)
      : ReplaceStep(std::move(content)), pattern_(std::move(pattern)) {}
  std::string apply(std::string_view text) const override { return replace_all(text, pattern_, content_); }

 private:
  void for_each_match(std::string_view text, const std::function<void(size_t, size_t)>& found) const override {
    for (size_t at = 0; (at = text.find(pattern_, at)) != std::string_view::npos; at += pattern_.size())
      found(at, at + pattern_.size());
  }
  std::string pattern_;
};

class ReplaceRegexStep : public ReplaceStep {
 public:
  ReplaceRegexStep(Regex pattern, std::string content)
      : ReplaceStep(std::move(content)), pattern_(std::move(pattern)) {}
  std::string apply(std::string_view text) const override { return pattern_.replace_all(text, content_); }

 private:
  void for_each_match(std::string_view text, const std::function<void(size_t, size_t)>& found) const override {
    pattern_.for_each_match(text, found);
  }
  Regex pattern_;
};

class UnicodeFormStep : public NormalizerStep {
 public:
  explicit UnicodeFormStep(NormalForm form) : form_(form) {}
  std::string apply(std::string_view text) const override { return normalize_unicode(text, form_); }

 private:
  NormalForm form_;
};

// A step that turns each character into a text by itself: change(code_point, bytes, out) appends that.
template <class Change>
class CharacterStep : public NormalizerStep {
 public:
  explicit CharacterStep(Change change) : change_(std::move(change)) {}
  std::string apply(std::string_view text) const override {
    std::string out;
    out.reserve(text.size() + text.size() / 8);
    for (size_t at = 0; at < text.size();) {
      const CodePoint c = decode_valid(text, at);
      change_(c.value, text.substr(at, c.size_bytes), out);
      at += c.size_bytes;
    }
    return out;
  }

 private:
  Change change_;
};

template <class Change>
std::unique_ptr<const NormalizerStep> character_step(Change change) {
  return std::make_unique<CharacterStep<Change>>(std::move(change));
}

class StripStep : public NormalizerStep {
 public:
  StripStep(bool left, bool right) : left_(left), right_(right) {}
  std::string apply(std::string_view text) const override {
    text.remove_prefix(white_space_at_start(text));
    while (right_ && !text.empty() && is_white_space(last_code_point(text)))
      text.remove_suffix(last_code_point_size(text));
    return std::string(text);
  }
  size_t head_after(std::string_view text, size_t head) const override {
    return head - std::min(head, white_space_at_start(text));
  }

 private:
  size_t white_space_at_start(std::string_view text) const {
    size_t size = 0;
    while (left_ && size < text.size() && is_white_space(decode_valid(text, size).value))
      size += decode_valid(text, size).size_bytes;
    return size;
  }
  bool left_, right_;
};

class BertStep : public NormalizerStep {
 public:
  explicit BertStep(BertOptions options) : options_(options) {}
  std::string apply(std::string_view text) const override {
    std::string out = cleaned(text);
    if (options_.strip_accents) out = normalize_unicode(out, NormalForm::nfd);
    std::string result;
    result.reserve(out.size());
    for (size_t at = 0; at < out.size();) {
      const CodePoint c = decode_valid(out, at);
      at += c.size_bytes;
      if (options_.strip_accents && is_nonspacing_mark(c.value)) continue;
      options_.lowercase ? append_lower_case(result, c.value) : append_utf8(result, c.value);
    }
    return result;
  }

 private:
  std::string cleaned(std::string_view text) const {
    std::string out;
    out.reserve(text.size() + text.size() / 8);
    for (size_t at = 0; at < text.size();) {
      const CodePoint c = decode_valid(text, at);
      const std::string_view character = text.substr(at, c.size_bytes);
      at += c.size_bytes;
      const bool is_set_apart = options_.handle_chinese_chars && is_cjk_ideograph(c.value);
      if (options_.clean_text && is_cleaned_by_bert(c.value)) continue;
      if (is_set_apart) out += ' ';
      out += options_.clean_text && is_white_space(c.value) ? std::string_view(" ") : character;
      if (is_set_apart) out += ' ';
    }
    return out;
  }
  BertOptions options_;
};

class CharsmapStep : public NormalizerStep {
 public:
  CharsmapStep(std::string_view bytes, CharsmapUse use, const std::string& where) : map_(bytes, use, where) {}
  std::string apply(std::string_view text) const override { return map_.apply(text); }
  // Where the first characters vanish, the real library takes the first that is left for the user's first.
  size_t head_after(std::string_view text, size_t head) const override {
    const size_t after = NormalizerStep::head_after(text, head);
    if (head == 0 || after > 0) return after;
    const std::string left = apply(text);
    return left.empty() ? 0 : decode_valid(left, 0).size_bytes;
  }

 private:
  Charsmap map_;
};

class MergeWhiteSpaceStep : public NormalizerStep {
 public:
  std::string apply(std::string_view text) const override {
    std::string out;
    for (const char c : text)
      if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
  }
  size_t head_after(std::string_view, size_t head) const override { return head; }  // transformers adds its mark anyway
};

// Source: sentencepiece's nmt_nfkc rules.
bool nmt_drops(uint32_t c) {
  return (c >= 1 && c <= 8) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
}
bool nmt_makes_space(uint32_t c) {
  return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
         c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
}

}  // namespace

std::unique_ptr<const NormalizerStep> prepend_step(std::string prefix) {
  return std::make_unique<PrependStep>(std::move(prefix));
}
std::unique_ptr<const NormalizerStep> replace_step(std::string pattern, std::string content) {
  return std::make_unique<ReplaceTextStep>(std::move(pattern), std::move(content));
}
std::unique_ptr<const NormalizerStep> replace_regex_step(Regex pattern, std::string content) {
  return std::make_unique<ReplaceRegexStep>(std::move(pattern), std::move(content));
}
std::unique_ptr<const NormalizerStep> unicode_form_step(NormalForm form) {
  return std::make_unique<UnicodeFormStep>(form);
}
std::unique_ptr<const NormalizerStep> lower_case_step() {
  return character_step([](uint32_t c, std::string_view, std::string& out) { append_lower_case(out, c); });
}
std::unique_ptr<const NormalizerStep> strip_accents_step() {
  return character_step([](uint32_t c, std::string_view bytes, std::string& out) {
    if (!is_combining_mark(c)) out += bytes;
  });
}
std::unique_ptr<const NormalizerStep> strip_white_space_step(bool left, bool right) {
  return std::make_unique<StripStep>(left, right);
}
std::unique_ptr<const NormalizerStep> bert_step(BertOptions options) { return std::make_unique<BertStep>(options); }
std::unique_ptr<const NormalizerStep> nmt_step() {
  return character_step([](uint32_t c, std::string_view bytes, std::string& out) {
    if (nmt_drops(c)) return;
    out += nmt_makes_space(c) ? std::string_view(" ") : bytes;
  });
}
std::unique_ptr<const NormalizerStep> charsmap_step(std::string_view bytes, CharsmapUse use, const std::string& where) {
  return std::make_unique<CharsmapStep>(bytes, use, where);
}
std::unique_ptr<const NormalizerStep> bytes_to_chars_step() {
  return character_step([](uint32_t, std::string_view bytes, std::string& out) { append_byte_chars(out, bytes); });
}
std::unique_ptr<const NormalizerStep> merge_white_space_step() { return std::make_unique<MergeWhiteSpaceStep>(); }

}  // namespace hearth::tokenizers
