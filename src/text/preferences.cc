// SPDX-License-Identifier: Apache-2.0
#include "text/preferences.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "text/example_file.h"

namespace hearth {
namespace {

const Json& needed(const Json& example, const std::string& name) {
  const auto found = example.find(name);
  HEARTH_CHECK(found != example.end() && (found->is_string() || found->is_array()), format, "a preference needs '",
               name, "', a text or a list of messages");
  return *found;
}

Json slice(const Json& list, size_t begin, size_t end) {
  return Json(std::vector<Json>(list.begin() + std::ptrdiff_t(begin), list.begin() + std::ptrdiff_t(end)));
}

// How many messages both begin with; each keeps at least one of its own.
size_t alike(const Json& a, const Json& b) {
  const size_t most = std::min(a.size(), b.size());
  size_t same = 0;
  while (same < most && a[same] == b[same]) ++same;
  HEARTH_CHECK(same < a.size() && same < b.size(), value,
               "'chosen' and 'rejected' hold the same messages; one has nothing that the other has not");
  return same;
}

bool has_answer(const std::vector<int32_t>& ids) {
  return ids.size() > 1 && std::any_of(ids.begin() + 1, ids.end(), [](int32_t id) { return id >= 0; });
}

class PreferenceFile {
 public:
  PreferenceFile(const Tokenizer& tokenizer, const std::string& model_dir, const ExampleOptions& options)
      : tokenizer_(tokenizer), options_(options) {
    spool_ = std::make_shared<TokenSpool>(options.folder.empty() ? temporary_folder() : options.folder);
    if (ChatTemplate::is_in(model_dir)) chat_ = ChatTemplate::load(model_dir);
    blocks_.block_size = options.max_length;
    blocks_.together = 2;
    blocks_.example_begins = {0};
  }

  TokenBlocks run(const std::string& file) {
    each_example(file, [&](const Json& example) { add(example); });
    HEARTH_CHECK(blocks_.examples() > 0, value, "'", file, "' has no pair of answers that fit in --max-length ",
                 options_.max_length, "; ", blocks_.left_out, " were cut off");
    blocks_.spool = spool_;
    return std::move(blocks_);
  }

 private:
  void add(const Json& example) {
    PreferencePair pair = tokenize_preference(tokenizer_, chat_ ? &*chat_ : nullptr, example, options_);
    const size_t most = size_t(options_.max_length);
    int64_t lost = 0, cut = 0;
    for (std::vector<int32_t>* ids : {&pair.chosen, &pair.rejected}) {
      if (ids->size() <= most) continue;
      ++cut;
      lost += int64_t(ids->size() - most);
      ids->resize(most);
    }
    if (!has_answer(pair.chosen) || !has_answer(pair.rejected)) {
      ++blocks_.left_out;
      return;
    }
    blocks_.truncated += cut;
    blocks_.truncated_tokens += lost;
    for (const std::vector<int32_t>* ids : {&pair.chosen, &pair.rejected}) {
      blocks_.counted_tokens += std::count_if(ids->begin() + 1, ids->end(), [](int32_t id) { return id >= 0; });
      spool_->append(*ids);
      blocks_.example_begins.push_back(spool_->size());
    }
  }

  const Tokenizer& tokenizer_;
  const ExampleOptions& options_;
  std::optional<ChatTemplate> chat_;
  std::shared_ptr<TokenSpool> spool_;
  TokenBlocks blocks_;
};

}  // namespace

PreferencePair tokenize_preference(const Tokenizer& tokenizer, const ChatTemplate* chat, const Json& example,
                                   const ExampleOptions& given) {
  HEARTH_CHECK(example.is_object(), format, "a preference must be an object, found ", example.type_name());
  Json chosen = needed(example, "chosen"), rejected = needed(example, "rejected"), prompt;
  if (example.contains(given.prompt_field)) {
    prompt = needed(example, given.prompt_field);
  } else {
    HEARTH_CHECK(chosen.is_array() && rejected.is_array(), format, "a preference of texts needs '", given.prompt_field,
                 "'; only conversations show by themselves where the prompt ends");
    const size_t same = alike(chosen, rejected);
    prompt = slice(chosen, 0, same);
    chosen = slice(chosen, same, chosen.size());
    rejected = slice(rejected, same, rejected.size());
  }
  ExampleOptions options = given;
  options.loss_on = LossOn::completion;
  const auto tokens = [&](const char* name, const Json& answer) {
    HEARTH_CHECK(prompt.is_array() == answer.is_array(), format, "'", given.prompt_field, "' and '", name,
                 "' must both be texts or both be lists of messages");
    Json one = {{options.prompt_field, prompt}, {options.completion_field, answer}};
    if (example.contains(options.tools_field)) one[options.tools_field] = example[options.tools_field];
    return tokenize_example(tokenizer, chat, one, options);
  };
  return {tokens("chosen", chosen), tokens("rejected", rejected)};
}

TokenBlocks read_preferences(const Tokenizer& tokenizer, const std::string& model_dir, const std::string& file,
                             const ExampleOptions& options) {
  HEARTH_CHECK(options.max_length >= 2, value, "the largest length of an answer is ", options.max_length,
               "; it must be at least 2");
  HEARTH_CHECK(!options.packing, value, "pairs of answers cannot share rows\n  hint: leave out --packing");
  return PreferenceFile(tokenizer, model_dir, options).run(file);
}

}  // namespace hearth
