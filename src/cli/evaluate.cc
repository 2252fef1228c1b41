// SPDX-License-Identifier: Apache-2.0
#include "cli/evaluate.h"

#include <iostream>

#include "base/clock.h"
#include "base/file.h"
#include "cli/evaluate_report.h"
#include "cli/open_model.h"

namespace hearth {
namespace {

void check_use(const EvaluateFlags& flags) {
  if (flags.data.empty() && flags.questions.empty())
    throw UsageError("--data or --questions is needed: there is nothing to evaluate on");
  if (flags.compare && flags.adapter.empty())
    throw UsageError("--compare sets a model with an adapter beside the model alone; --adapter is missing");
  if (flags.questions.empty() && (flags.mutual_information || !flags.details.empty()))
    throw UsageError(cat(flags.details.empty() ? "--mutual-information" : "--details",
                         " is about multiple-choice questions; --questions is missing"));
}

TokenBlocks open_blocks(const LanguageModel& model, const EvaluateFlags& flags) {
  if (flags.data.empty()) return {};
  DataSource source{.file = flags.data,
                    .blocks = flags.blocks,
                    .block_size = flags.block_size,
                    .examples = example_options(flags.examples)};
  source.examples.packing = true;  // the losses are those of the examples alone
  return open_data(model, source);
}

EvaluatedModel evaluated(const LanguageModel& model, const LoraAdapter* adapter, const TokenBlocks& blocks,
                         const std::vector<Question>& questions, const EvaluateFlags& flags) {
  EvaluatedModel result{.model = model.path()};
  const DType dtype = arithmetic_dtype(model, flags.dtype);
  const double begin = seconds_now();
  if (!flags.data.empty()) {
    result.data = evaluate(model, adapter, blocks, dtype, flags.batch_size);
    result.data_seconds = seconds_now() - begin;
    result.blocks = blocks.count();
    result.dropped_tokens = blocks.dropped_tokens;
    result.examples = blocks.examples();
    result.truncated = blocks.truncated;
    result.truncated_tokens = blocks.truncated_tokens;
  }
  if (!questions.empty())
    result.answers = answer_questions(model, adapter, questions,
                                      {.delimiter = flags.delimiter,
                                       .mutual_information = flags.mutual_information,
                                       .batch = flags.batch_size,
                                       .dtype = dtype});
  result.seconds = seconds_now() - begin;
  return result;
}

// One model, then with each of the adapters; alone where `alone`.
void add_model(const LanguageModel& model, const std::vector<std::string>& folders, bool alone,
               const std::vector<Question>& questions, const EvaluateFlags& flags, std::vector<EvaluatedModel>* all) {
  std::vector<std::unique_ptr<LoraAdapter>> adapters;  // all are opened before the first is run
  for (const std::string& folder : folders) adapters.push_back(open_adapter(model, folder));
  const TokenBlocks blocks = open_blocks(model, flags);
  if (alone) all->push_back(evaluated(model, nullptr, blocks, questions, flags));
  for (size_t i = 0; i < folders.size(); ++i) {
    all->push_back(evaluated(model, adapters[i].get(), blocks, questions, flags));
    all->back().adapter = folders[i];
  }
}

}  // namespace

int run_evaluate(const EvaluateFlags& flags, const CommonFlags& common) {
  check_use(flags);
  std::vector<LanguageModel> models;
  for (const std::string& folder : flags.model) models.push_back(LanguageModel::load(folder));
  std::vector<Question> questions;
  if (!flags.questions.empty()) questions = read_questions(flags.questions);
  std::optional<AtomicFile> details;
  if (!flags.details.empty()) details.emplace(flags.details);
  std::vector<EvaluatedModel> all;
  for (size_t i = 0; i < models.size(); ++i) {
    const std::vector<std::string> adapters = i == 0 ? flags.adapter : std::vector<std::string>{};
    add_model(models[i], adapters, adapters.empty() || flags.compare || models.size() > 1, questions, flags, &all);
  }
  if (details) {
    details->write(details_text(all, questions));
    details->commit();
  }
  if (common.json)
    print_json(evaluation_json(all));
  else
    std::cout << evaluation_text(all);
  if (!common.json && !common.quiet) std::cerr << evaluation_remarks(all);
  return 0;
}

}  // namespace hearth
