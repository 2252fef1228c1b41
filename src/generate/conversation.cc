// SPDX-License-Identifier: Apache-2.0
#include "generate/conversation.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {

Conversation::Conversation(Generator& generator, ChatTemplate chat, const std::string& system)
    : generator_(generator), chat_(std::move(chat)) {
  if (system.empty()) return;
  messages_.push_back({{"role", "system"}, {"content", system}});
  kept_ = 1;
}

void Conversation::reset() { messages_.erase(messages_.begin() + long(kept_), messages_.end()); }

std::vector<int32_t> Conversation::prompt() const {
  return generator_.model().tokenizer().encode(chat_.apply(messages_, {.add_generation_prompt = true}),
                                               {.add_special = false});
}

// What the user said first and the answers to it. False when nothing else was said.
bool Conversation::drop_oldest() {
  const auto from_user = [](const Json& message) { return message["role"] == "user"; };
  const auto first = messages_.begin() + long(kept_);
  const auto next = std::find_if(first + 1, messages_.end(), from_user);
  if (next == messages_.end()) return false;
  messages_.erase(first, next);
  return true;
}

std::vector<int32_t> Conversation::fitting_prompt(int64_t wanted, int64_t* dropped) {
  const int64_t context = generator_.model().spec().max_positions;
  std::vector<int32_t> ids = prompt();
  while (int64_t(ids.size()) + std::min(wanted, std::max<int64_t>(context / 4, 1)) > context && drop_oldest()) {
    ++*dropped;
    ids = prompt();
  }
  HEARTH_CHECK(int64_t(ids.size()) < context, value, "this message has ", ids.size(),
               " tokens as the template writes it, but the model's context is ", context, "; say it shorter");
  return ids;
}

Reply Conversation::say(const std::string& text, GenerateOptions options, const TextReader& on_text) {
  const Json before = messages_;
  Reply reply;
  try {
    messages_.push_back({{"role", "user"}, {"content", text}});
    const std::vector<int32_t> ids = fitting_prompt(options.max_tokens, &reply.dropped_turns);
    const int64_t room = generator_.model().spec().max_positions - int64_t(ids.size());
    const bool cut = options.max_tokens > room;
    options.max_tokens = std::min(options.max_tokens, room);
    reply.answer = generator_.generate_on(ids, options, on_text, &reply.reused_tokens);
    reply.context_full = cut && reply.answer.reason == StopReason::max_tokens;
  } catch (...) {
    messages_ = before;
    throw;
  }
  messages_.push_back({{"role", "assistant"}, {"content", reply.answer.text}});
  return reply;
}

}  // namespace hearth
