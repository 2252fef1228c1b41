// SPDX-License-Identifier: Apache-2.0
#include "generate/generator.h"

#include <algorithm>

#include "base/clock.h"
#include "base/error.h"
#include "generate/beam_search.h"

namespace hearth {

struct Generator::State {
  CachedModel cached;
  std::vector<int32_t> held = {};  // tokens whose keys and values row 0 has, for generate_on

  void check_ids(const std::vector<int32_t>& ids) const;
  void check_fits(int64_t prompt, int64_t max_tokens) const;
  Generation without_cache(const std::vector<int32_t>& prompt, const GenerateOptions& options, int64_t sample,
                           const TextReader& on_text);
  size_t grow(Answer& answer, std::span<const float> logits, const GenerateOptions& options);
  Generations one_by_one(const std::vector<int32_t>& prompt, const GenerateOptions& options, const TextReader& on_text);
  int64_t reusable(const std::vector<int32_t>& ids, int64_t max_tokens) const;
};

void Generator::State::check_ids(const std::vector<int32_t>& ids) const {
  const ModelSpec& c = cached.model().spec();
  HEARTH_CHECK(!ids.empty(), value, "the prompt is empty, and this tokenizer puts no token in front of a text");
  for (const int32_t id : ids) {
    HEARTH_CHECK(id >= 0 && id < c.vocab, value, "the tokenizer gave token ", id, ", but the model has only ", c.vocab,
                 "; tokenizer and weights in '", cached.model().path(), "' do not belong together");
  }
}

void Generator::State::check_fits(int64_t prompt, int64_t max_tokens) const {
  const int64_t most = cached.model().spec().max_positions;
  HEARTH_CHECK(prompt <= most, value, "the prompt has ", prompt, " tokens, but the model's context is ", most,
               "; shorten the prompt");
  HEARTH_CHECK(max_tokens <= most - prompt, value, "the prompt's ", prompt, " tokens and ", max_tokens,
               " new ones do not fit in the model's context of ", most, "; at most ", most - prompt, " new tokens do");
}

// The whole text again for every token.
Generation Generator::State::without_cache(const std::vector<int32_t>& prompt, const GenerateOptions& options,
                                           int64_t sample, const TextReader& on_text) {
  Answer answer(cached.model(), options, prompt, sample, on_text);
  const double begin = seconds_now();
  std::vector<float> logits = cached.run_whole(prompt);
  const double decode_begin = seconds_now();
  while (answer.push(logits)) logits = cached.run_whole(answer.ids());
  Generation result = answer.finish();
  result.prefill_seconds = decode_begin - begin;
  result.decode_seconds = seconds_now() - decode_begin;
  return result;
}

// Lets an answer whose prompt row 0 holds grow. Returns how many of its tokens the row holds then.
size_t Generator::State::grow(Answer& answer, std::span<const float> logits, const GenerateOptions& options) {
  size_t fed = answer.ids().size();
  while (answer.push(logits)) {
    if (options.cancelled && options.cancelled()) {
      answer.cancel();
      break;
    }
    const std::vector<int32_t>* text = &answer.ids();
    logits = {cached.step({&text, 1}), size_t(cached.model().spec().vocab)};
    fed = text->size();
  }
  return fed;
}

// Tokens at the begin of ids that row 0 holds; the last one's logits are wanted, so it is computed anyway. Where angles
// depend on the length, keys of another length do not fit.
int64_t Generator::State::reusable(const std::vector<int32_t>& ids, int64_t max_tokens) const {
  if (int64_t(ids.size()) + max_tokens > cached.longest_alike()) return 0;
  const size_t most = std::min(held.size(), ids.size() - 1);
  return std::mismatch(ids.begin(), ids.begin() + long(most), held.begin()).first - ids.begin();
}

Generator::Generator(const LanguageModel& model, const LoraAdapter* adapter, DType dtype)
    : state_(new State{CachedModel(model, adapter, dtype)}) {}

Generator::~Generator() = default;

const LanguageModel& Generator::model() const { return state_->cached.model(); }

std::vector<float> Generator::logits(const std::vector<int32_t>& ids) {
  State& s = *state_;
  s.check_ids(ids);
  const int64_t count = int64_t(ids.size()), most = model().spec().max_positions;
  HEARTH_CHECK(count <= most, value, count, " tokens do not fit in the model's context of ", most);
  s.cached.make_room(1, CachedModel::prefill_room(count));
  s.held.clear();
  const std::span<const float> logits = s.cached.prefill(0, ids);
  return {logits.begin(), logits.end()};
}

Generation Generator::generate(const std::string& prompt, const GenerateOptions& options, const TextReader& on_text) {
  check_options(options);
  return generate_all({model().tokenizer().encode(prompt)}, options, on_text).answers[0][0];
}

// What is not computed in batches: nothing at all, beams, and answers without the cache.
Generations Generator::State::one_by_one(const std::vector<int32_t>& prompt, const GenerateOptions& options,
                                         const TextReader& on_text) {
  if (options.max_tokens > 0 && options.beams > 0) return beam_search(cached, prompt, options);
  Generations result;
  result.answers.resize(1);
  for (int64_t sample = 0; sample < options.samples; ++sample) {
    Generation answer;
    answer.prompt_tokens = int64_t(prompt.size());
    if (options.max_tokens > 0) answer = without_cache(prompt, options, sample, on_text);
    result.prefill_seconds += answer.prefill_seconds;
    result.decode_seconds += answer.decode_seconds;
    result.answers[0].push_back(std::move(answer));
  }
  return result;
}

static void append(Generations& all, Generations one, const AnswerReader& on_answer) {
  all.prefilled_tokens += one.prefilled_tokens;
  all.decoded_tokens += one.decoded_tokens;
  all.prefill_seconds += one.prefill_seconds;
  all.decode_seconds += one.decode_seconds;
  const std::vector<Generation>& answers = all.answers.emplace_back(std::move(one.answers[0]));
  for (size_t i = 0; i < answers.size() && on_answer; ++i) on_answer(all.answers.size() - 1, int64_t(i), answers[i]);
}

Generations Generator::generate_all(const std::vector<std::vector<int32_t>>& prompts, const GenerateOptions& options,
                                    const TextReader& on_text, const AnswerReader& on_answer) {
  check_options(options);
  State& s = *state_;
  for (const auto& ids : prompts) {
    s.check_ids(ids);
    s.check_fits(int64_t(ids.size()), options.max_tokens);
  }
  s.held.clear();
  Generations result;
  if (options.max_tokens > 0 && options.beams == 0 && options.cache) {
    result = run_batch(s.cached, prompts, options, on_text, on_answer);
  } else {
    for (const auto& ids : prompts) append(result, s.one_by_one(ids, options, on_text), on_answer);
  }
  if (result.answers.size() == 1 && result.answers[0].size() == 1) {
    result.answers[0][0].prefill_seconds = result.prefill_seconds;
    result.answers[0][0].decode_seconds = result.decode_seconds;
  }
  return result;
}

Generation Generator::generate_on(const std::vector<int32_t>& prompt, const GenerateOptions& options,
                                  const TextReader& on_text, int64_t* reused) {
  check_options(options);
  State& s = *state_;
  s.check_ids(prompt);
  s.check_fits(int64_t(prompt.size()), options.max_tokens);
  const int64_t tokens = int64_t(prompt.size()), held = s.reusable(prompt, options.max_tokens);
  if (reused) *reused = held;
  s.held.clear();  // should anything be thrown
  const int64_t room = std::max(tokens + options.max_tokens, CachedModel::prefill_room(tokens, held));
  // Twice what is needed, as the text is likely to go on.
  if (room > s.cached.capacity())
    s.cached.make_room(1, std::max(room, std::min(model().spec().max_positions, 2 * room)));
  Answer answer(model(), options, prompt, 0, on_text);
  const double begin = seconds_now();
  const std::span<const float> logits = s.cached.prefill(0, prompt, held, options.cancelled);
  const double decode_begin = seconds_now();
  size_t fed = logits.empty() ? size_t(held) : prompt.size();
  if (logits.empty()) {
    answer.cancel();
  } else if (options.max_tokens > 0) {
    fed = s.grow(answer, logits, options);
  }
  if (int64_t(fed) <= s.cached.longest_alike()) s.held.assign(answer.ids().begin(), answer.ids().begin() + long(fed));
  Generation result = answer.finish();
  result.prefill_seconds = decode_begin - begin;
  result.decode_seconds = seconds_now() - decode_begin;
  return result;
}

}  // namespace hearth
