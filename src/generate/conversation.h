// SPDX-License-Identifier: Apache-2.0
#pragma once
// A conversation with a chat model. Keys and values of what was said stay in the cache: a turn costs its own tokens,
// unless the template writes earlier turns differently now; then all from the first difference on.

#include "generate/generator.h"
#include "text/chat_template.h"

namespace hearth {

struct Reply {
  Generation answer;
  int64_t reused_tokens = 0;  // of the prompt, from the cache
  int64_t dropped_turns = 0;  // that were left out from now on, the oldest first, so that the rest fits in the context
  bool context_full = false;  // the answer ended because the context did
};

class Conversation {
 public:
  // generator must outlive this, and serve nothing else while the conversation goes on. `system`: empty for none.
  Conversation(Generator& generator, ChatTemplate chat, const std::string& system);

  // The answer to what the user says; both are part of the conversation afterwards, a cancelled answer as far as it
  // came. options.max_tokens is cut to what fits in the context; when less than a quarter of the context would be left
  // for it, the oldest turns are dropped, the system's text never. Throws Error{value} when the message alone does not
  // fit or the template refuses it; then the conversation is as before.
  Reply say(const std::string& text, GenerateOptions options, const TextReader& on_text = {});

  void reset();  // forgets all but the system's text
  const Json& messages() const { return messages_; }

 private:
  std::vector<int32_t> prompt() const;
  bool drop_oldest();
  std::vector<int32_t> fitting_prompt(int64_t wanted, int64_t* dropped);
  Generator& generator_;
  ChatTemplate chat_;
  Json messages_ = Json::array();
  size_t kept_ = 0;  // messages at the begin that are never dropped
};

}  // namespace hearth
