// SPDX-License-Identifier: Apache-2.0
#include "cli/finetune_report.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/threads.h"
#include "cli/fit_flag.h"
#include "cli/progress_format.h"
#include "train/full_weights.h"
#include "train/metrics/memory.h"

namespace hearth {

static double trainable_percent(const FinetunePlan& plan) {
  return 100 * double(plan.estimate.trainable) / double(plan.estimate.parameters);
}

static std::string trained_text(const FinetunePlan& plan) {
  const LoraFlags& lora = plan.flags.lora;
  const std::string what = plan.flags.full ? fmt::format("all weights{}", plan.flags.init.empty() ? "" : ", new")
                                           : fmt::format("LoRA rank {} on {}", lora.rank, lora_targets_text(lora));
  return fmt::format("{}: {} trainable parameters, {:.3g} %", what, format_count(plan.adapter.parameters()),
                     trainable_percent(plan));
}

// Every flag as it would have to be typed; the targets as one word, as --lora-targets takes them.
static Json configuration(const FinetunePlan& plan, const CommonFlags& common) {
  Json all = flags_json(plan.flags);
  all["lora-targets"] = lora_targets_text(plan.flags.lora);
  all["threads"] = common.threads > 0 ? common.threads : num_threads();
  return all;
}

Json dry_run_json(const FinetunePlan& plan, const CommonFlags& common) {
  const TrainingEstimate& e = plan.estimate;
  return {
      {"trainable_parameters", plan.adapter.parameters()},
      {"parameters", plan.model.parameters()},
      {"trainable_percent", trainable_percent(plan)},
      {"blocks", plan.blocks.count()},
      {"dropped_tokens", plan.blocks.dropped_tokens},
      {"examples", plan.blocks.examples()},
      {"left_out_pairs", plan.blocks.left_out},
      {"counted_tokens", plan.blocks.counted_tokens},
      {"truncated", plan.blocks.truncated},
      {"truncated_tokens", plan.blocks.truncated_tokens},
      {"tokens", e.tokens},
      {"steps", e.steps},
      {"steps_per_epoch", e.steps_per_epoch},
      {"memory_bytes", e.memory_bytes},
      {"memory", {{"weights", e.weight_bytes}, {"activations", e.activation_bytes}, {"optimizer", e.optimizer_bytes}}},
      {"machine_memory_bytes", machine_memory().total_bytes},
      {"fit", plan.fit ? Json(fit_text(*plan.fit)) : Json()},
      {"configuration", configuration(plan, common)}};
}

static std::string memory_text(const FinetunePlan& plan) {
  const TrainingEstimate& e = plan.estimate;
  const std::string weights = plan.flags.full ? "" : fmt::format("weights {}, ", format_bytes(e.weight_bytes));
  return fmt::format("{} at the peak: {}activations {}, {} and optimizer {}; this machine has {}",
                     format_bytes(e.memory_bytes), weights, format_bytes(e.activation_bytes),
                     plan.flags.full ? "weights" : "adapter", format_bytes(e.optimizer_bytes),
                     format_bytes(machine_memory().total_bytes));
}

static std::string data_text(const TokenBlocks& blocks) {
  if (!blocks.has_examples())
    return fmt::format("{} blocks of {}, {} tokens", format_count(blocks.count()), blocks.block_size,
                       format_count(blocks.count() * blocks.block_size));
  const bool pairs = blocks.together == 2;
  std::string text = fmt::format("{} {}, {} tokens, {} of them {}", format_count(blocks.examples() / blocks.together),
                                 pairs ? "pairs of answers" : "examples", format_count(blocks.token_count()),
                                 format_count(blocks.counted_tokens), pairs ? "compared" : "learnt");
  if (blocks.left_out > 0)
    text += fmt::format("; {} pairs whose answer lies behind {} tokens were left out", format_count(blocks.left_out),
                        blocks.block_size);
  if (blocks.packed())
    text += fmt::format(", packed in {} rows of {}", format_count(blocks.count()), blocks.block_size);
  if (blocks.truncated > 0)
    text += fmt::format("; {} were longer than {} tokens and lost {}", format_count(blocks.truncated),
                        blocks.block_size, format_count(blocks.truncated_tokens));
  return text;
}

std::string opening_text(const FinetunePlan& plan) {
  const FinetuneFlags& flags = plan.flags;
  const ModelSpec& c = plan.model.spec();
  TextRows rows = {{"model", fmt::format("{}: {}, {} layers, {} parameters in {}",
                                         flags.init.empty() ? flags.model : flags.init, c.family, c.layers.size(),
                                         format_count(plan.model.parameters()), name(plan.model.stored_dtype()))},
                   {flags.full ? "training" : "adapter", trained_text(plan)},
                   {"data", flags.data + ": " + data_text(plan.blocks)},
                   {"run", fmt::format("{} steps, {} an epoch", format_count(plan.estimate.steps),
                                       format_count(plan.estimate.steps_per_epoch))},
                   {"memory", memory_text(plan)}};
  if (plan.fit) rows.push_back({"fit", fit_text(*plan.fit)});
  return text_rows(rows);
}

std::string dry_run_text(const FinetunePlan& plan, const CommonFlags& common) {
  TextRows rows;
  const Json all = configuration(plan, common);
  for (const auto& [name, value] : all.items())
    rows.push_back({"  " + name, value.is_string() ? value.get<std::string>() : value.dump()});
  return opening_text(plan) + "configuration\n" + text_rows(rows);
}

std::string evaluation_line(const EvalReport& report) {
  const std::string loss = "loss " + format_loss(report.loss);
  if (!report.metrics.empty()) return loss + fmt::format(", accuracy {:.4f}", report.accuracy);
  return cat(loss, ", perplexity ", report.perplexity());
}

static Json evaluation_json(const EvalReport& e) {
  Json json = {{"step", e.step}, {"loss", e.loss}, {"accuracy", e.accuracy}, {"tokens", e.tokens}};
  if (e.metrics.empty()) json["perplexity"] = e.perplexity();
  for (const auto& [name, value] : e.metrics) json[name] = value;
  return json;
}

Json result_json(const FinetunePlan& plan, const FinetuneResult& result) {
  const TrainingSummary& s = result.summary;
  Json evaluations = Json::array();
  for (const EvalReport& e : result.evaluations) evaluations.push_back(evaluation_json(e));
  return {{"output", plan.flags.output},
          {"steps", s.steps},
          {"tokens", s.tokens},
          {"seconds", s.seconds},
          {"mean_loss", s.mean_loss},
          {"memory_bytes", s.memory_bytes},
          {"trainable_parameters", plan.adapter.parameters()},
          {"stopped", s.stopped},
          {"stopped_early", s.stopped_early},
          {"skipped_steps", s.skipped},
          {"best_step", s.best_step ? Json(*s.best_step) : Json()},
          {"evaluations", evaluations}};
}

static std::string next_command(const FinetuneFlags& flags) {
  if (flags.full)
    return shell_words(
        {"hearth", "generate", "--model", full_model_path(flags.output), "--prompt", "Once upon a time"});
  return shell_words(
      {"hearth", "generate", "--model", flags.model, "--adapter", flags.output, "--prompt", "Once upon a time"});
}

std::string result_text(const FinetunePlan& plan, const FinetuneResult& result) {
  const TrainingSummary& s = result.summary;
  TextRows rows = {{"done", fmt::format("{} steps, {} tokens in {}, mean loss {}, peak memory {}",
                                        format_count(s.steps), format_count(s.tokens), format_seconds(s.seconds),
                                        format_loss(s.mean_loss), format_bytes(s.memory_bytes))}};
  if (!result.evaluations.empty()) {
    const EvalReport &first = result.evaluations.front(), &last = result.evaluations.back();
    std::string text = fmt::format("loss {} -> {}", format_loss(first.loss), format_loss(last.loss));
    if (first.metrics.empty())
      text += fmt::format(", perplexity {:.4g} -> {:.4g}", first.perplexity(), last.perplexity());
    rows.push_back({"held-out", text + fmt::format(", accuracy {:.4f} -> {:.4f}", first.accuracy, last.accuracy)});
  }
  if (s.best_step && (plan.flags.control.keep_best || s.stopped_early))
    rows.push_back({"best", fmt::format("loss {} after step {}{}{}", format_loss(s.best_loss), *s.best_step,
                                        plan.flags.control.keep_best ? ", which is what was saved" : "",
                                        s.stopped_early ? "; stopped early" : "")});
  if (s.skipped > 0) rows.push_back({"f16", fmt::format("{} steps skipped until the loss scale fitted", s.skipped)});
  rows.push_back(plan.flags.full ? TextRows::value_type{"model", full_model_path(plan.flags.output)}
                                 : TextRows::value_type{"adapter", plan.flags.output});
  rows.push_back({"curve", join_path(plan.flags.output, "loss.svg")});
  rows.push_back({"next", next_command(plan.flags)});
  return text_rows(rows);
}

}  // namespace hearth
