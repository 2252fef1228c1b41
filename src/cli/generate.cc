// SPDX-License-Identifier: Apache-2.0
#include "cli/generate.h"

#include <algorithm>
#include <iostream>
#include <map>

#include "cli/generation_report.h"
#include "cli/open_model.h"
#include "cli/prompt_files.h"
#include "cli/text_format.h"
#include "generate/generator.h"

namespace hearth {
namespace {

void check_use(const GenerateFlags& flags, const CommonFlags& common) {
  const int prompts =
      int(common.given.count("prompt") + common.given.count("prompt-file") + common.given.count("prompts"));
  if (prompts == 0) throw UsageError("needs --prompt, --prompt-file or --prompts");
  if (prompts > 1) throw UsageError("takes one of --prompt, --prompt-file and --prompts, not several");
  const GenerateOptions& o = flags.sampling.options;
  if (flags.logprobs && !common.json) throw UsageError("--logprobs shows its numbers in JSON only: add --json");
  if (o.beams > 0 && o.temperature > 0)
    throw UsageError("--beams takes the likeliest texts and draws none: leave --temperature out");
  if (o.beams > 0 && o.samples > o.beams)
    throw UsageError(cat("--beams ", o.beams, " gives at most ", o.beams, " answers, but --samples is ", o.samples));
}

GenerateOptions options_of(const GenerateFlags& flags, const CommonFlags& common, const LanguageModel& model) {
  ResolvedOptions resolved = resolved_options(flags.sampling, common.given, model);
  GenerateOptions& o = resolved.options;
  if (common.given.count("early-stopping")) {
    o.early_stopping = flags.early_stopping == "full"    ? EarlyStopping::full
                       : flags.early_stopping == "never" ? EarlyStopping::never
                                                         : EarlyStopping::heuristic;
  }
  o.logprobs = flags.logprobs.value_or(-1);
  if (!common.quiet && !resolved.remark.empty()) std::cerr << resolved.remark << "\n";
  return o;
}

std::vector<std::vector<int32_t>> prompts_of(const GenerateFlags& flags, const LanguageModel& model) {
  if (!flags.prompts.empty()) return read_prompts(model, flags.prompts);
  return {model.tokenizer().encode(flags.prompt_file.empty() ? flags.prompt : read_prompt(flags.prompt_file))};
}

// A length that nobody asked for is cut to what the context has room for behind the longest prompt.
void fit_max_tokens(const std::vector<std::vector<int32_t>>& prompts, const LanguageModel& model,
                    const CommonFlags& common, GenerateOptions* options) {
  int64_t longest = 0;
  for (const auto& ids : prompts) longest = std::max(longest, int64_t(ids.size()));
  const int64_t room = model.spec().max_positions - longest;
  if (common.given.count("max-tokens") || room < 1 || options->max_tokens <= room) return;
  options->max_tokens = room;
  if (!common.quiet) std::cerr << "--max-tokens " << room << ": more do not fit in the model's context\n";
}

// Prints the answers to several prompts in order, each as soon as those before it are there.
class InOrder {
 public:
  InOrder(size_t prompts, int64_t samples) : prompts_(prompts), samples_(samples) {}
  void add(size_t prompt, int64_t sample, const Generation& answer) {
    texts_[{prompt, sample}] = answer.text;
    for (auto text = texts_.find(next_); text != texts_.end(); text = texts_.find(next_)) {
      std::cout << heading() << text->second << "\n" << std::flush;
      texts_.erase(text);
      if (++next_.second == samples_) next_ = {next_.first + 1, 0};
    }
  }

 private:
  // "--- prompt 2, answer 1"
  std::string heading() const {
    std::string words;
    if (prompts_ > 1) words = cat("prompt ", next_.first + 1);
    if (samples_ > 1) words += cat(words.empty() ? "" : ", ", "answer ", next_.second + 1);
    return words.empty() ? "" : "--- " + words + "\n";
  }
  size_t prompts_;
  int64_t samples_;
  std::pair<size_t, int64_t> next_ = {0, 0};
  std::map<std::pair<size_t, int64_t>, std::string> texts_;
};

}  // namespace

int run_generate(const GenerateFlags& flags, const CommonFlags& common) {
  check_use(flags, common);
  const LanguageModel model = LanguageModel::load(flags.model);
  const std::unique_ptr<LoraAdapter> adapter = open_adapter(model, flags.adapter);
  GenerateOptions options = options_of(flags, common, model);
  const std::vector<std::vector<int32_t>> prompts = prompts_of(flags, model);
  fit_max_tokens(prompts, model, common, &options);
  Generator generator(model, adapter.get(), arithmetic_dtype(model, flags.dtype));
  const bool streams = !common.json && prompts.size() == 1 && options.samples == 1 && options.beams == 0;
  InOrder printed(prompts.size(), options.samples);
  const auto print = [&](const std::string& piece) {
    if (streams) std::cout << piece << std::flush;
    return std::cout.good();
  };
  const auto print_answer = [&](size_t prompt, int64_t sample, const Generation& answer) {
    if (!common.json && !streams) printed.add(prompt, sample, answer);
  };
  const Generations result = generator.generate_all(prompts, options, print, print_answer);
  const bool one = flags.prompts.empty() && options.samples == 1;
  if (common.json) {
    print_json(one ? answer_json(result.answers[0][0], model.tokenizer()) : answers_json(result, model.tokenizer()));
    return 0;
  }
  if (streams) std::cout << "\n" << std::flush;
  if (!common.quiet) std::cerr << (one ? speed_remark(result.answers[0][0]) : speed_remark(result)) << "\n";
  return 0;
}

}  // namespace hearth
