// SPDX-License-Identifier: Apache-2.0
#include "cli/run_folder.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "text/token_spool.h"
#include "train/optimizer_state.h"

namespace hearth {

// Thread count, places of files, and what only says when to save or to stop may change between a run and its
// continuation.
static const std::set<std::string> kMayChange = {"model",   "init",   "data",    "output",     "eval-data",  "adapter",
                                                 "teacher", "resume", "dry-run", "save-every", "stop-after", "fit"};

static bool is_ours(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name == "log.jsonl" || name == "adapter_config.json" || name.starts_with("checkpoint");
  });
}

static void check_resume(const FinetuneFlags& flags) {
  const bool resumable = is_folder(flags.output) && !checkpoint_steps(flags.output).empty();
  HEARTH_CHECK(!flags.resume || resumable, state, "--resume: there is no checkpoint in '", flags.output,
               "' to go on from; leave --resume out to begin");
  HEARTH_CHECK(flags.resume || !resumable, state, "--output '", flags.output,
               "' holds checkpoints of an earlier run; go on with it by --resume, or name a new folder");
}

void check_output_folder(const FinetuneFlags& flags) {
  const std::string& path = flags.output;
  if (!flags.dry_run) check_resume(flags);
  if (!exists(path)) return;
  HEARTH_CHECK(is_folder(path), file, "--output '", path, "' is a file; name a folder");
  for (const std::string& source : {flags.model, flags.lora.adapter, flags.objective.teacher})
    HEARTH_CHECK(source.empty() || !same_file(source, path), file, "--output '", path,
                 "' is a folder that is read; name another");
  std::vector<std::string> names = list_folder(path);
  std::erase_if(names, [](const std::string& name) { return is_temporary_name(name); });
  HEARTH_CHECK(names.empty() || is_ours(names), file, "--output '", path, "' holds other files, such as '", names[0],
               "', and no run of Hearth; name a new folder");
}

// FNV-1a, 64 bits: tells a changed text, not an attacker. Source: Fowler, Noll, Vo, draft-eastlake-fnv.
static constexpr uint64_t kHashOfNothing = 0xcbf29ce484222325;
static uint64_t hash_more(uint64_t hash, std::string_view bytes) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

static std::string hash_text(uint64_t hash) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

static std::string describe_file(const std::string& path) {
  FileReader file(path);
  uint64_t hash = kHashOfNothing;
  for (std::string part; file.append(part, 1 << 20); part.clear()) hash = hash_more(hash, part);
  return cat(file.size(), " bytes, ", hash_text(hash));
}

// The weights count by their size only: reading gigabytes at every start would cost more than it finds.
static std::string describe_model(const LanguageModel& model) {
  return cat(model.folder().total_bytes(), " bytes, config ",
             hash_text(hash_more(kHashOfNothing, model.folder().config().dump())));
}

static std::string describe_template(const std::string& folder) {
  const std::string file = join_path(folder, "chat_template.jinja");
  return describe_file(exists(file) ? file : join_path(folder, "tokenizer_config.json"));
}

std::string describe_run(const FinetuneFlags& flags, const LanguageModel& model, const LanguageModel* teacher) {
  Json run = {{"model", describe_model(model)}, {"data", describe_file(flags.data)}};
  if (!flags.lora.adapter.empty()) run["adapter"] = describe_file(adapter_weights_path(flags.lora.adapter));
  if (!flags.eval_data.empty()) run["eval-data"] = describe_file(flags.eval_data);
  if (teacher) run["teacher"] = describe_model(*teacher);
  if (holds_examples(flags.data) && ChatTemplate::is_in(flags.model))
    run["chat template"] = describe_template(flags.model);
  const Json all = flags_json(flags);
  for (const auto& [name, value] : all.items())
    if (!kMayChange.count(name)) run[name] = value;
  return run.dump();
}

}  // namespace hearth
