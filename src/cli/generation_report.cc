// SPDX-License-Identifier: Apache-2.0
#include "cli/generation_report.h"

#include "base/error.h"
#include "cli/progress_format.h"
#include "train/metrics/memory.h"

namespace hearth {
namespace {

Json chance_json(const Tokenizer& tokenizer, int32_t id, double logprob) {
  return {{"id", id}, {"token", tokenizer.has(id) ? tokenizer.token(id) : ""}, {"logprob", logprob}};
}

Json chances_json(const Generation& answer, const Tokenizer& tokenizer) {
  Json all = Json::array();
  for (size_t i = 0; i < answer.chances.size(); ++i) {
    Json place = chance_json(tokenizer, answer.ids[i], answer.chances[i].logprob);
    place["top"] = Json::array();
    for (const TokenChance& chance : answer.chances[i].top)
      place["top"].push_back(chance_json(tokenizer, chance.id, chance.logprob));
    all.push_back(std::move(place));
  }
  return all;
}

// What is the same alone and among others.
void add_text(const Generation& answer, const Tokenizer& tokenizer, Json* json) {
  (*json)["text"] = answer.text;
  (*json)["token_ids"] = answer.ids;
  (*json)["tokens"] = answer.ids.size();
  (*json)["prompt_tokens"] = answer.prompt_tokens;
  (*json)["stopped"] = stop_reason_name(answer.reason);
  if (answer.reason == StopReason::stop_text) (*json)["stop_text"] = answer.stop_text;
  if (answer.score) (*json)["score"] = *answer.score;
  if (!answer.chances.empty()) (*json)["logprobs"] = chances_json(answer, tokenizer);
}

}  // namespace

Json answer_json(const Generation& answer, const Tokenizer& tokenizer) {
  Json json = Json::object();
  add_text(answer, tokenizer, &json);
  json["prefill_seconds"] = answer.prefill_seconds;
  json["prefill_tokens_per_second"] = answer.prefill_tokens_per_second();
  json["decode_seconds"] = answer.decode_seconds;
  json["decode_tokens_per_second"] = answer.decode_tokens_per_second();
  json["memory_bytes"] = peak_resident_bytes();
  return json;
}

Json answers_json(const Generations& all, const Tokenizer& tokenizer) {
  Json answers = Json::array();
  for (size_t prompt = 0; prompt < all.answers.size(); ++prompt)
    for (size_t sample = 0; sample < all.answers[prompt].size(); ++sample) {
      Json json{{"prompt", prompt}, {"sample", sample}};
      add_text(all.answers[prompt][sample], tokenizer, &json);
      answers.push_back(std::move(json));
    }
  return {{"answers", std::move(answers)},          {"prefilled_tokens", all.prefilled_tokens},
          {"prefill_seconds", all.prefill_seconds}, {"decoded_tokens", all.decoded_tokens},
          {"decode_seconds", all.decode_seconds},   {"decode_tokens_per_second", all.decode_tokens_per_second()},
          {"memory_bytes", peak_resident_bytes()}};
}

std::string speed_remark(const Generation& answer) {
  std::string text = cat("prompt ", format_count(answer.prompt_tokens), " tokens, ",
                         format_short(answer.prefill_tokens_per_second()), " tok/s; ", answer.ids.size(), " new");
  if (answer.decode_tokens_per_second() > 0)
    text += cat(", ", format_short(answer.decode_tokens_per_second()), " tok/s");
  if (answer.reason == StopReason::end_token) text += "; the model ended the text";
  if (answer.reason == StopReason::stop_text) text += "; a stop text ended it";
  return text;
}

std::string speed_remark(const Generations& all) {
  int64_t answers = 0, tokens = 0;
  for (const auto& of_prompt : all.answers)
    for (const Generation& answer : of_prompt) ++answers, tokens += int64_t(answer.ids.size());
  return cat("prompts: ", format_count(int64_t(all.answers.size())), " of ", format_count(all.prefilled_tokens),
             " tokens; answers: ", format_count(answers), " of ", format_count(tokens), " tokens, ",
             format_short(all.decode_tokens_per_second()), " tok/s");
}

}  // namespace hearth
