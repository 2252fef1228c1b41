// SPDX-License-Identifier: Apache-2.0
#include "train/optimizer_state.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "runtime/session.h"
#include "train/full_weights.h"

namespace hearth {

OptimizerState OptimizerState::zeros(const std::vector<TrainedTensor>& tensors, const OptimizerOptions& options,
                                     bool accumulate) {
  OptimizerState state;
  const auto add = [](std::vector<Tensor>& to, const std::string& name, const TensorType& type) {
    to.push_back({name, type, std::vector<std::byte>(size_t(type.bytes()))});
  };
  for (const TrainedTensor& tensor : tensors) {
    for (const StateSpec& spec : optimizer_states(options, tensor))
      add(state.states, spec.name + "." + tensor.name, spec.type);
    if (accumulate) add(state.gradients, "g." + tensor.name, {DType::f32, tensor.dims});
  }
  return state;
}

void OptimizerState::bind(Session& session) {
  std::map<std::string, void*> places;
  for (std::vector<Tensor>* tensors : {&states, &gradients}) {
    for (Tensor& tensor : *tensors) places[tensor.name] = tensor.bytes.data();
  }
  for (size_t i = 0; i < session.inputs(); ++i) {
    const auto found = places.find(session.input_name(i));
    if (found != places.end()) session.bind_input(i, found->second);
  }
}

int64_t OptimizerState::bytes() const {
  int64_t total = 0;
  for (const std::vector<Tensor>* tensors : {&states, &gradients}) {
    for (const Tensor& tensor : *tensors) total += tensor.type.bytes();
  }
  return total;
}

std::string checkpoint_path(const std::string& run_folder, int64_t step) {
  return join_path(run_folder, "checkpoint-" + std::to_string(step));
}

std::vector<int64_t> checkpoint_steps(const std::string& run_folder) {
  std::vector<int64_t> steps;
  if (!is_folder(run_folder)) return steps;
  for (const std::string& name : list_folder(run_folder)) {
    const std::string digits = name.rfind("checkpoint-", 0) == 0 ? name.substr(11) : "";
    const bool number =
        !digits.empty() && digits.size() < 18 && digits.find_first_not_of("0123456789") == std::string::npos;
    if (number) steps.push_back(std::stoll(digits));
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

void save_checkpoint(const std::string& run_folder, const TrainingProgress& progress, const LanguageModel& model,
                     const LoraAdapter& adapter, const OptimizerState& optimizer) {
  AtomicFolder folder(checkpoint_path(run_folder, progress.step));
  save_trained(model, adapter, folder.temporary());
  std::vector<TensorRef> tensors;
  for (const OptimizerState::Tensor& t : optimizer.states) tensors.push_back({t.name, t.type, t.bytes.data(), nullptr});
  write_safetensors(join_path(folder.temporary(), "optimizer.safetensors"), tensors);
  Json state;
  state["step"] = progress.step;
  state["tokens"] = progress.tokens;
  state["loss_sum"] = progress.loss_sum;
  state["seconds"] = progress.seconds;
  state["schedule"] = progress.schedule;
  state["control"] = progress.control;
  state["loss_scale"] = progress.loss_scale;
  state["run"] = Json::parse(progress.run.empty() ? "{}" : progress.run);
  write_file_atomic(join_path(folder.temporary(), "trainer_state.json"), dump_json(state) + "\n");
  folder.commit(AtomicFolder::Existing::replace);
}

void keep_last_checkpoints(const std::string& run_folder, int64_t count, std::optional<int64_t> best) {
  const std::vector<int64_t> steps = checkpoint_steps(run_folder);
  for (size_t i = 0; i + size_t(std::max<int64_t>(count, 1)) < steps.size(); ++i) {
    if (steps[i] != best) remove_tree(checkpoint_path(run_folder, steps[i]));
  }
}

// Names what differs between the run that wrote the checkpoint and this one.
static void check_same_run(const Json& was, const Json& now, const std::string& folder) {
  std::string changes;
  for (const auto& [key, value] : now.items()) {
    const std::string before = was.contains(key) ? was.at(key).dump() : "not there";
    if (before != value.dump()) changes += cat("\n  ", key, " was ", before, ", is now ", value.dump());
  }
  for (const auto& [key, value] : was.items()) {
    if (!now.contains(key)) changes += cat("\n  ", key, " was ", value.dump(), ", is now not there");
  }
  HEARTH_CHECK(changes.empty(), state, "resume: this is not the run that wrote ", folder, changes,
               "\n  hint: resume with the same settings, or start anew in another --output");
}

TrainingProgress load_checkpoint(const std::string& run_folder, const std::string& run, const LanguageModel& model,
                                 LoraAdapter& adapter, OptimizerState& optimizer) {
  const std::vector<int64_t> steps = checkpoint_steps(run_folder);
  HEARTH_CHECK(!steps.empty(), state, "resume: '", run_folder,
               "' holds no checkpoint to resume from\n  hint: leave out --resume to start a run");
  const std::string folder = checkpoint_path(run_folder, steps.back());
  const Json file = read_json_file(join_path(folder, "trainer_state.json"));
  const JsonView view(file, join_path(folder, "trainer_state.json"));
  check_same_run(view.object("run").json(), Json::parse(run.empty() ? "{}" : run), folder);
  load_trained(model, folder, &adapter);
  const auto states = SafetensorsFile::open(join_path(folder, "optimizer.safetensors"));
  for (OptimizerState::Tensor& t : optimizer.states) {
    const TensorRef* tensor = states->find(t.name);
    HEARTH_CHECK(tensor && tensor->type == t.type, format, "resume: ", states->path(), " has no '", t.name, "' of ",
                 t.type);
    std::memcpy(t.bytes.data(), tensor->data, t.bytes.size());
  }
  TrainingProgress progress;
  progress.step = view.integer("step", {.min = 0});
  progress.tokens = view.integer("tokens", {.min = 0});
  progress.loss_sum = view.number("loss_sum");
  progress.seconds = view.number("seconds");
  progress.schedule = view.object("schedule").json();
  progress.control = view.object("control").json();
  progress.loss_scale = view.object("loss_scale").json();
  progress.run = run;
  return progress;
}

}  // namespace hearth
