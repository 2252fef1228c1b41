// SPDX-License-Identifier: Apache-2.0
// One example as tokens and labels.
#include <algorithm>

#include "base/error.h"
#include "text/examples.h"

namespace hearth {
namespace {

constexpr EncodeOptions kAsWritten{.add_special = false};

// "<0x0A>": one byte.
bool is_byte(const std::string& token) { return token.size() == 6 && token.starts_with("<0x") && token[5] == '>'; }

// Where each token begins and ends in the text, by what the tokens decode to. A tokenizer may put spaces into the
// text that are not there; anything else that differs (a normalizer at work) gives an empty answer.
std::vector<jinja::TextSpan> places_of(const Tokenizer& tokenizer, const std::string& text,
                                       const std::vector<int32_t>& ids) {
  std::vector<jinja::TextSpan> places;
  places.reserve(ids.size());
  StreamDecoder decoder(tokenizer, {.skip_special = false});
  size_t at = 0;
  const auto follow = [&](const std::string& piece) {
    for (const char c : piece) {
      if (at < text.size() && text[at] == c)
        ++at;
      else if (c != ' ')
        return false;
    }
    return true;
  };
  size_t waiting = 0;  // tokens whose text has not come yet: bytes, or parts of one character
  // What came belongs to the tokens that waited: a byte to each that stands for one, else all of it to all of them.
  const auto settle = [&](size_t begin) {
    const size_t first = places.size() - waiting;
    size_t next = begin;
    for (size_t i = first; i < places.size(); ++i) {
      const bool byte = is_byte(tokenizer.token(ids[i]));
      places[i] = {next, byte ? next + 1 : at};
      if (byte) ++next;
    }
    waiting = 0;
  };
  for (const int32_t id : ids) {
    const size_t begin = at;
    if (!follow(decoder.push(id))) return {};
    places.push_back({begin, at});
    ++waiting;
    if (at > begin) settle(begin);
  }
  const size_t begin = at;
  if (!follow(decoder.finish()) || at != text.size()) return {};
  settle(begin);
  return places;
}

// The number of tokens that a text shares with its own beginning: exact where the beginning ends between tokens.
size_t shared_tokens(const Tokenizer& tokenizer, std::string_view beginning, const std::vector<int32_t>& ids,
                     size_t* of) {
  const std::vector<int32_t> first = tokenizer.encode(beginning, kAsWritten);
  *of = first.size();
  return static_cast<size_t>(std::mismatch(ids.begin(), ids.end(), first.begin(), first.end()).first - ids.begin());
}

const Json* field(const Json& example, const std::string& name) {
  const auto found = example.find(name);
  return found == example.end() || found->is_null() ? nullptr : &*found;
}

std::string text_of(const Json& value, const std::string& name) {
  HEARTH_CHECK(value.is_string(), format, "'", name, "' must be a text, found ", value.type_name());
  return value.get<std::string>();
}

std::string with_eos(const Tokenizer& tokenizer, std::string text) {
  if (tokenizer.eos_id() < 0) return text;
  const std::string& eos = tokenizer.token(tokenizer.eos_id());
  if (!text.ends_with(eos)) text += eos;
  return text;
}

std::vector<int32_t> cut(std::vector<int32_t> ids, size_t uncounted) {
  for (size_t i = 0; i < std::min(uncounted, ids.size()); ++i) ids[i] = ~ids[i];
  return ids;
}

class ExampleReader {
 public:
  ExampleReader(const Tokenizer& tokenizer, const ChatTemplate* chat, const Json& example,
                const ExampleOptions& options)
      : tokenizer_(tokenizer), chat_(chat), example_(example), o_(options) {
    if (const Json* tools = field(example, o_.tools_field)) chat_options_.tools = *tools;
  }

  std::vector<int32_t> run() const {
    HEARTH_CHECK(example_.is_object(), format, "an example must be an object, found ", example_.type_name());
    if (const Json* messages = field(example_, o_.messages_field)) return conversation(*messages);
    const Json *prompt = field(example_, o_.prompt_field), *completion = field(example_, o_.completion_field);
    if (prompt && completion) return answer(*prompt, *completion);
    const Json* text = field(example_, o_.text_field);
    HEARTH_CHECK(text, format, "an example needs '", o_.messages_field, "', or '", o_.prompt_field, "' and '",
                 o_.completion_field, "', or '", o_.text_field, "'");
    HEARTH_CHECK(o_.loss_on != LossOn::completion && o_.loss_on != LossOn::assistant, value,
                 "a plain text has no completion and no assistant\n  hint: --loss-on all");
    return tokenizer_.encode(with_eos(tokenizer_, text_of(*text, o_.text_field)), {});
  }

 private:
  const ChatTemplate& chat() const {
    HEARTH_CHECK(chat_, value, "messages need a chat template, and the model's folder has none");
    return *chat_;
  }

  std::vector<int32_t> conversation(const Json& messages) const {
    HEARTH_CHECK(o_.loss_on != LossOn::completion, value,
                 "messages have no completion\n  hint: --loss-on assistant, or --loss-on all");
    if (o_.loss_on != LossOn::assistant) return tokenizer_.encode(chat().apply(messages, chat_options_), kAsWritten);
    return only_assistant(chat().apply_with_spans(messages, chat_options_));
  }

  std::vector<int32_t> only_assistant(const ChatText& written) const {
    std::vector<int32_t> ids = tokenizer_.encode(written.text, kAsWritten);
    const std::vector<bool> counts = tokens_in_spans(tokenizer_, written.text, ids, written.assistant);
    for (size_t i = 0; i < ids.size(); ++i)
      if (!counts[i]) ids[i] = ~ids[i];
    return ids;
  }

  std::vector<int32_t> answer(const Json& prompt, const Json& completion) const {
    HEARTH_CHECK(prompt.is_array() == completion.is_array(), format, "'", o_.prompt_field, "' and '",
                 o_.completion_field, "' must both be texts or both be lists of messages");
    const bool all = o_.loss_on == LossOn::all;
    if (prompt.is_array()) return answer_in_turns(prompt, completion, all);
    HEARTH_CHECK(o_.loss_on != LossOn::assistant, value,
                 "a prompt and a completion that are texts have no assistant\n  hint: --loss-on completion");
    const std::string before = text_of(prompt, o_.prompt_field);
    const std::string whole = with_eos(tokenizer_, before + text_of(completion, o_.completion_field));
    return cut(tokenizer_.encode(whole, {}), all ? 0 : tokenizer_.encode(before, {}).size());
  }

  std::vector<int32_t> answer_in_turns(const Json& prompt, const Json& completion, bool all) const {
    Json messages = prompt;
    messages.insert(messages.end(), completion.begin(), completion.end());
    if (o_.loss_on == LossOn::assistant) return only_assistant(chat().apply_with_spans(messages, chat_options_));
    ChatOptions asking = chat_options_;
    asking.add_generation_prompt = true;
    const std::string before = chat().apply(prompt, asking), whole = chat().apply(messages, chat_options_);
    return cut(tokenizer_.encode(whole, kAsWritten), all ? 0 : tokenizer_.encode(before, kAsWritten).size());
  }

  const Tokenizer& tokenizer_;
  const ChatTemplate* chat_;
  const Json& example_;
  const ExampleOptions& o_;
  ChatOptions chat_options_;
};

}  // namespace

std::vector<bool> tokens_in_spans(const Tokenizer& tokenizer, const std::string& text, const std::vector<int32_t>& ids,
                                  const std::vector<jinja::TextSpan>& spans) {
  std::vector<bool> in(ids.size(), false);
  const std::vector<jinja::TextSpan> places = places_of(tokenizer, text, ids);
  for (const jinja::TextSpan& span : spans) {
    if (span.begin == span.end) continue;
    if (!places.empty() || ids.empty()) {
      for (size_t i = 0; i < ids.size(); ++i)
        if (places[i].begin < span.end && places[i].end > span.begin) in[i] = true;
      continue;
    }
    size_t size = 0;
    const size_t first = shared_tokens(tokenizer, std::string_view(text).substr(0, span.begin), ids, &size);
    const size_t last = shared_tokens(tokenizer, std::string_view(text).substr(0, span.end), ids, &size);
    const size_t end = std::min(ids.size(), last + (last < size));  // a token that reaches beyond the span is in it
    for (size_t i = first; i < end; ++i) in[i] = true;
  }
  return in;
}

std::vector<int32_t> tokenize_example(const Tokenizer& tokenizer, const ChatTemplate* chat, const Json& example,
                                      const ExampleOptions& options) {
  return ExampleReader(tokenizer, chat, example, options).run();
}

}  // namespace hearth
