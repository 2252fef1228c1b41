// SPDX-License-Identifier: Apache-2.0
#pragma once
// What finetune prints before and after a run.

#include "cli/finetune.h"
#include "cli/text_format.h"
#include "train/fit.h"

namespace hearth {

struct FinetunePlan {
  const FinetuneFlags& flags;
  const LanguageModel& model;
  const LoraAdapter& adapter;
  const TokenBlocks& blocks;
  TrainingEstimate estimate;
  std::optional<Fit> fit;
};

Json dry_run_json(const FinetunePlan& plan, const CommonFlags& common);
std::string dry_run_text(const FinetunePlan& plan, const CommonFlags& common);
// The lines before a run: the same without the configuration.
std::string opening_text(const FinetunePlan& plan);

// "loss 3.9166, perplexity 50.2", or with preferences "loss 0.5432, accuracy 0.8125".
std::string evaluation_line(const EvalReport& report);

struct FinetuneResult {
  TrainingSummary summary;
  std::vector<EvalReport> evaluations;
};
Json result_json(const FinetunePlan& plan, const FinetuneResult& result);
std::string result_text(const FinetunePlan& plan, const FinetuneResult& result);

}  // namespace hearth
