// SPDX-License-Identifier: Apache-2.0
#include "cli/sampling_flags.h"

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "cli/text_format.h"
#include "generate/generation_config.h"
#include "io/nearest.h"

namespace hearth {
namespace {

// "262:-5"
TokenBias parse_bias(const std::string& text, int64_t vocab) {
  const size_t colon = text.find(':');
  const std::string id = text.substr(0, colon), bias = colon == std::string::npos ? "" : text.substr(colon + 1);
  char* end = nullptr;
  const double x = std::strtod(bias.c_str(), &end);
  const bool number = !bias.empty() && *end == 0 && (std::isfinite(x) || x == -INFINITY);
  const bool digits = !id.empty() && id.size() < 10 && id.find_first_not_of("0123456789") == std::string::npos;
  if (!number || !digits)
    throw UsageError(cat("--logit-bias takes ID:X such as 262:-5 or 262:-inf, not '", printable(text), "'"));
  const int32_t token = int32_t(std::stol(id));
  HEARTH_CHECK(token < vocab, value, "--logit-bias: the model has ", vocab, " tokens, so none has the id ", token);
  return {{token}, x};
}

// The word as it stands at the begin of a text, and behind a space.
void forbid(const Tokenizer& tokenizer, const std::string& word, std::vector<TokenBias>* bias) {
  for (const std::string& text : {word, " " + word}) {
    const std::vector<int32_t> ids = tokenizer.encode(text, {.add_special = false});
    if (ids.empty()) throw UsageError("--bad-words may not be empty");
    bias->push_back({ids, -INFINITY});
  }
}

// Takes the model's value where the flag was not given.
class Defaults {
 public:
  Defaults(const GenerateOptions& model, const std::set<std::string>& given, GenerateOptions* options)
      : model_(model), given_(given), options_(options) {}

  template <class T>
  void take(const std::string& flag, T GenerateOptions::*member) {
    if (given_.count(flag) || model_.*member == options_->*member) return;
    options_->*member = model_.*member;
    if constexpr (std::is_arithmetic_v<T>) taken_.insert(taken_.end(), {"--" + flag, cat(options_->*member)});
  }
  void add(const std::string& word) { taken_.push_back(word); }
  std::string taken() const { return shell_words(taken_); }

 private:
  const GenerateOptions& model_;
  const std::set<std::string>& given_;
  GenerateOptions* options_;
  std::vector<std::string> taken_;
};

std::string take_defaults(const GenerateOptions& model, const std::set<std::string>& given, GenerateOptions* options) {
  Defaults defaults(model, given, options);
  const bool draws = given.count("temperature") && options->temperature > 0;
  if (!draws) {
    defaults.take("beams", &GenerateOptions::beams);
    defaults.take("length-penalty", &GenerateOptions::length_penalty);
    if (!given.count("early-stopping")) options->early_stopping = model.early_stopping;
  }
  if (options->beams == 0) defaults.take("temperature", &GenerateOptions::temperature);
  defaults.take("top-k", &GenerateOptions::top_k);
  defaults.take("top-p", &GenerateOptions::top_p);
  defaults.take("min-p", &GenerateOptions::min_p);
  defaults.take("typical-p", &GenerateOptions::typical_p);
  defaults.take("repetition-penalty", &GenerateOptions::repetition_penalty);
  defaults.take("no-repeat-ngram", &GenerateOptions::no_repeat_ngram);
  defaults.take("max-tokens", &GenerateOptions::max_tokens);
  defaults.take("min-tokens", &GenerateOptions::min_tokens);
  defaults.take("samples", &GenerateOptions::samples);
  defaults.take("stop", &GenerateOptions::stop);
  for (const std::string& stop : given.count("stop") ? std::vector<std::string>{} : model.stop) {
    defaults.add("--stop");
    defaults.add(stop);
  }
  options->bias.insert(options->bias.end(), model.bias.begin(), model.bias.end());
  options->never_first = model.never_first;
  std::string taken = defaults.taken();
  if (!model.bias.empty()) taken += cat(taken.empty() ? "" : ", ", model.bias.size(), " biased or forbidden words");
  return taken;
}

}  // namespace

ResolvedOptions resolved_options(const SamplingFlags& flags, const std::set<std::string>& given,
                                 const LanguageModel& model) {
  ResolvedOptions resolved{flags.options, ""};
  GenerateOptions& o = resolved.options;
  for (const std::string& stop : o.stop)
    if (stop.empty()) throw UsageError("--stop may not be empty");
  for (const std::string& text : flags.logit_bias) o.bias.push_back(parse_bias(text, model.spec().vocab));
  for (const std::string& word : flags.bad_words) forbid(model.tokenizer(), word, &o.bias);
  const std::optional<Json>& config = model.folder().generation_config();
  if (!flags.model_defaults || !config) return resolved;
  const ModelDefaults defaults = read_generation_config(
      JsonView(*config, join_path(model.path(), "generation_config.json")), flags.options.max_tokens);
  const std::string taken = take_defaults(defaults.options, given, &o);
  if (!taken.empty()) resolved.remark = "from generation_config.json: " + taken;
  if (!defaults.ignored.empty())
    resolved.remark += cat(resolved.remark.empty() ? "" : "\n", "generation_config.json: ignored ",
                           list_names(defaults.ignored), ", which Hearth has not");
  return resolved;
}

}  // namespace hearth
