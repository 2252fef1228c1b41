// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect.h"

#include <iostream>

#include "cli/memory_table.h"
#include "cli/open_model.h"
#include "cli/text_format.h"
#include "compiler/compile.h"
#include "plan/plan_file.h"
#include "train/trainer.h"

namespace hearth {

static int inspect_plan(const std::string& path, const CommonFlags& common) {
  const Plan plan = load_plan(path);
  validate(plan);
  if (!common.json) {
    std::cout << to_text(plan);
    return 0;
  }
  print_json({{"plan", path},
              {"devices", plan.devices},
              {"arena_bytes", plan.arena_bytes},
              {"live_bytes_max", plan.live_bytes_max},
              {"tensors", plan.tensors.size()},
              {"instructions", plan.instructions.size()},
              {"row_programs", plan.programs.size()},
              {"inputs", plan.inputs.size()},
              {"outputs", plan.outputs.size()}});
  return 0;
}

static Json partition_json(const std::vector<PartitionRow>& rows) {
  Json out = Json::array();
  for (const PartitionRow& row : rows) {
    out.push_back(
        {{"op", row.op}, {"device", row.device}, {"kernel", row.kernel}, {"reason", row.reason}, {"count", row.count}});
  }
  return out;
}

static void print_stages(const CompileReport& report, const std::string& wanted, bool json) {
  const TextRows stages = {{"graph", report.simplified},
                           {"partition", to_text(report.partition)},
                           {"programs", report.programs},
                           {"memory", report.plan}};
  Json all = Json::object();
  for (const auto& [stage, text] : stages) {
    if (wanted != "all" && wanted != stage) continue;
    if (json)
      all[stage] = stage == "partition" ? partition_json(report.partition) : Json(text);
    else
      std::cout << (wanted == "all" ? "== " + stage + " ==\n" : "") << text << "\n";
  }
  if (json) print_json(all);
}

int run_inspect(const InspectFlags& given, const CommonFlags& common) {
  InspectFlags flags = given;
  if (flags.model.empty() == flags.plan.empty())
    throw UsageError(flags.plan.empty() ? "missing --model DIR or --plan FILE"
                                        : "--model and --plan cannot be given together");
  if (!flags.plan.empty()) return inspect_plan(flags.plan, common);
  const LanguageModel model = LanguageModel::load(flags.model);
  const LoraAdapter adapter = make_adapter(model, flags.lora, 0, common.given);
  TrainingArguments arguments;
  apply(flags.step, &arguments);
  const TokenBlocks blocks = blank_blocks(flags.step.batch_size, flags.step.block_size);
  if (!flags.save_plan.empty()) {
    Trainer(model, adapter, arguments, blocks).save_step_plan(flags.save_plan);
    if (!common.quiet) std::cerr << "wrote " << flags.save_plan << "\n";
    if (!common.given.count("stage")) return 0;
  }
  CompileReport report;
  report.texts = true;
  inspect_training_step(model, adapter, arguments, flags.step.block_size, &report);
  print_stages(report, flags.stage, common.json);
  return 0;
}

}  // namespace hearth
