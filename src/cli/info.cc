// SPDX-License-Identifier: Apache-2.0
#include "cli/info.h"

#include <fmt/format.h>

#include <iostream>

#include "base/file.h"
#include "cli/memory_table.h"
#include "cli/progress_format.h"
#include "cli/text_format.h"

namespace hearth {

static std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

// ------------------------------------------------------------------------------------------------------------ adapter

static Json adapter_json(const std::string& folder, const Adapter& adapter, int64_t parameters) {
  const LoraConfig& c = adapter.config;
  return {{"folder", folder},
          {"kind", "LoRA adapter"},
          {"rank", c.rank},
          {"alpha", c.alpha},
          {"dropout", c.dropout},
          {"rslora", c.rslora},
          {"dora", c.dora},
          {"targets", c.all_linear              ? Json("all-linear")
                      : !c.target_regex.empty() ? Json(c.target_regex)
                                                : Json(c.targets)},
          {"base_model", c.base_model},
          {"layers", adapter.modules.size()},
          {"parameters", parameters}};
}

static int info_of_adapter(const std::string& folder, const CommonFlags& common) {
  const Adapter adapter = read_adapter(folder);
  const LoraConfig& c = adapter.config;
  int64_t parameters = 0;
  for (const auto& [name, pair] : adapter.modules) {
    for (const TensorRef* part : {&pair.a, &pair.b, &pair.magnitude, &pair.b_bias})
      if (part->owner) parameters += part->type.elements();
  }
  for (const auto* tensors : {&adapter.whole, &adapter.tokens})
    for (const auto& [name, tensor] : *tensors) parameters += tensor.type.elements();
  if (common.json) {
    print_json(adapter_json(folder, adapter, parameters));
    return 0;
  }
  const std::string targets = c.all_linear ? "all-linear" : c.target_regex.empty() ? joined(c.targets) : c.target_regex;
  std::cout << text_rows(
      {{"folder", folder},
       {"kind", "LoRA adapter"},
       {"base model", c.base_model.empty() ? "not said" : c.base_model},
       {"rank", fmt::format("{}, alpha {}, dropout {}{}", c.rank, c.alpha, c.dropout,
                            fmt::format("{}{}", c.rslora ? ", rank-stabilised" : "", c.dora ? ", DoRA" : ""))},
       {"targets", fmt::format("{}: {} layers", targets, adapter.modules.size())},
       {"parameters", format_count(parameters)}});
  return 0;
}

// -------------------------------------------------------------------------------------------------------------- model

static Json model_json(const LanguageModel& model, const std::vector<JobMemory>& jobs) {
  const ModelSpec& c = model.spec();
  Json memory = Json::array();
  for (const JobMemory& job : jobs) {
    memory.push_back({{"job", job.job},
                      {"batch_size", job.batch_size},
                      {"tokens", job.tokens},
                      {"dtype", name(job.dtype)},
                      {"checkpointing", job.checkpointing},
                      {"memory_bytes", job.bytes}});
  }
  return {{"folder", model.path()},
          {"family", c.family},
          {"parameters", model.parameters()},
          {"dtype", name(model.stored_dtype())},
          {"bytes", model.folder().total_bytes()},
          {"layers", c.layers.size()},
          {"hidden_size", c.hidden},
          {"ffn_size", c.ffn},
          {"heads", c.heads},
          {"kv_heads", c.kv_heads},
          {"head_size", c.head_size},
          {"vocabulary", c.vocab},
          {"context", c.max_positions},
          {"tied", c.tied},
          {"memory", memory}};
}

static std::string job_label(const JobMemory& job) {
  if (job.job == "generate") return fmt::format("  generate, {} tokens in {}", job.tokens, name(job.dtype));
  return fmt::format("  finetune, {} x {} tokens in {}{}", job.batch_size, job.tokens, name(job.dtype),
                     job.checkpointing ? ", checkpointing" : "");
}

static std::string model_text(const LanguageModel& model, const std::vector<JobMemory>& jobs) {
  const ModelSpec& c = model.spec();
  std::string text = text_rows(
      {{"folder", model.path()},
       {"family", c.family},
       {"parameters",
        fmt::format("{} ({})", format_count(model.parameters()), format_short(double(model.parameters())))},
       {"stored as", fmt::format("{}, {}", name(model.stored_dtype()), format_bytes(model.folder().total_bytes()))},
       {"layers", fmt::format("{}, width {}, feed-forward {}", c.layers.size(), c.hidden, c.ffn)},
       {"attention", fmt::format("{} heads of {}, {} for keys and values", c.heads, c.head_size, c.kv_heads)},
       {"vocabulary", fmt::format("{}{}", format_count(c.vocab), c.tied ? ", output layer tied to the embedding" : "")},
       {"context", format_count(c.max_positions) + " tokens"}});
  TextRows rows;
  for (const JobMemory& job : jobs) rows.push_back({job_label(job), format_bytes(job.bytes)});
  return text + "memory\n" + text_rows(rows);
}

int run_info(const InfoFlags& flags, const CommonFlags& common) {
  const auto has = [&](const char* file) { return exists(join_path(flags.model, file)); };
  if (has("adapter_config.json") && !has("config.json")) return info_of_adapter(flags.model, common);
  const LanguageModel model = LanguageModel::load(flags.model);
  const std::vector<JobMemory> jobs = memory_of_jobs(model);
  if (common.json)
    print_json(model_json(model, jobs));
  else
    std::cout << model_text(model, jobs);
  return 0;
}

}  // namespace hearth
