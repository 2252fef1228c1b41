// SPDX-License-Identifier: Apache-2.0
#include "cli/chat.h"

#include <unistd.h>

#include <csignal>
#include <iostream>

#include "cli/generation_report.h"
#include "cli/interrupt.h"
#include "cli/open_model.h"
#include "cli/text_format.h"
#include "generate/conversation.h"
#include "io/nearest.h"

namespace hearth {
namespace {

class Chat {
 public:
  Chat(Conversation& conversation, const Tokenizer& tokenizer, GenerateOptions options, const CommonFlags& common)
      : conversation_(conversation), tokenizer_(tokenizer), options_(std::move(options)), common_(common) {}

  int run();

 private:
  bool read_turn(std::string* text) const;
  void answer(const std::string& text);
  void report(const Reply& reply) const;
  void remark(const std::string& text) const {
    if (!common_.quiet) std::cerr << "(" << text << ")\n";
  }

  Conversation& conversation_;
  const Tokenizer& tokenizer_;
  const GenerateOptions options_;
  const CommonFlags& common_;
  const bool prompts_ = isatty(0) && isatty(1);
  int64_t turn_ = 0;
  bool failed_ = false;
};

// A line; one that ends with a backslash goes on in the next.
bool Chat::read_turn(std::string* text) const {
  text->clear();
  for (std::string line; true;) {
    if (prompts_) std::cout << (text->empty() ? "> " : ". ") << std::flush;
    if (!std::getline(std::cin, line)) return !text->empty();
    if (line.ends_with('\r')) line.pop_back();
    if (!line.ends_with('\\')) {
      *text += line;
      return true;
    }
    line.back() = '\n';
    *text += line;
  }
}

void Chat::report(const Reply& reply) const {
  if (reply.dropped_turns > 0)
    remark(cat("the context is full: the oldest ", reply.dropped_turns, reply.dropped_turns == 1 ? " turn" : " turns",
               " left out from now on"));
  if (reply.context_full) remark("the answer ended because the model's context is full");
  if (reply.answer.reason == StopReason::cancelled) remark("stopped");
}

void Chat::answer(const std::string& text) {
  const Interrupt interrupt;  // the first Ctrl-C ends the answer, a second one the program
  GenerateOptions options = options_;
  options.cancelled = [&] { return interrupt.pending(); };
  options.seed += uint64_t(turn_++);  // else equal turns would draw equal answers
  const auto print = [&](const std::string& piece) {
    if (!common_.json) std::cout << piece << std::flush;
    return std::cout.good();
  };
  const Reply reply = conversation_.say(text, options, print);
  if (common_.json) {
    Json json = answer_json(reply.answer, tokenizer_);
    json["reused_tokens"] = reply.reused_tokens;
    json["dropped_turns"] = reply.dropped_turns;
    print_json(json);
  } else {
    std::cout << "\n" << std::flush;
  }
  report(reply);
  if (interrupt.signal() == SIGTERM) interrupt.die();
}

int Chat::run() {
  for (std::string text; std::cout.good() && read_turn(&text);) {
    const std::string word = text.substr(0, text.find(' '));
    if (text.find_first_not_of(" \t\n") == std::string::npos) continue;
    if (text == "/exit") break;
    if (text == "/reset") {
      conversation_.reset();
      remark("a new conversation");
    } else if (word.starts_with("/")) {
      remark(cat("no command ", printable(word),
                 "; there are /reset and /exit. A message that begins with / needs a space in front"));
    } else {
      try {
        answer(text);
      } catch (const Error& error) {  // of this message; the conversation is as it was
        std::cout.flush();
        std::cerr << "error: chat: " << error.what() << "\n";
        failed_ = true;
      }
    }
  }
  if (prompts_ && std::cin.eof()) std::cout << "\n";
  return failed_ && !prompts_ ? 1 : 0;
}

}  // namespace

int run_chat(const ChatFlags& flags, const CommonFlags& common) {
  const LanguageModel model = LanguageModel::load(flags.model);
  const ChatTemplate chat = ChatTemplate::load(flags.model);
  const std::unique_ptr<LoraAdapter> adapter = open_adapter(model, flags.adapter);
  ResolvedOptions resolved = resolved_options(flags.sampling, common.given, model);
  GenerateOptions& options = resolved.options;
  options.samples = 1;
  options.beams = 0;
  if (model.tokenizer().eos_id() >= 0) options.ends = {model.tokenizer().eos_id()};
  if (!common.quiet && !resolved.remark.empty()) std::cerr << resolved.remark << "\n";
  Generator generator(model, adapter.get(), arithmetic_dtype(model, flags.dtype));
  Conversation conversation(generator, chat, flags.system);
  return Chat(conversation, model.tokenizer(), options, common).run();
}

}  // namespace hearth
