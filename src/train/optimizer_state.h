// SPDX-License-Identifier: Apache-2.0
#pragma once
// The optimizer's states and gradient sums beside an adapter's matrices, and checkpoints: all that a run needs to go on
// bit for bit.

#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "train/lora.h"
#include "train/optimizers/optimizer.h"

namespace hearth {

class Session;

struct OptimizerState {
  struct Tensor {
    std::string name;  // "m.<module>.a"
    TensorType type;
    std::vector<std::byte> bytes;
  };
  std::vector<Tensor> states;     // what the optimizer goes on from
  std::vector<Tensor> gradients;  // sums "g.<module>.a", only with accumulation: zero between steps

  static OptimizerState zeros(const std::vector<TrainedTensor>& tensors, const OptimizerOptions& options,
                              bool accumulate);
  void bind(Session& session);  // the inputs of these names, where the session has them
  int64_t bytes() const;
};

struct TrainingProgress {
  int64_t step = 0;     // done
  int64_t tokens = 0;   // counted so far
  double loss_sum = 0;  // of the steps' mean losses
  double seconds = 0;
  std::string run;                   // the run's description (JSON)
  Json schedule = Json::object();    // state of the learning rate
  Json control = Json::object();     // of RunControl
  Json loss_scale = Json::object();  // of LossScale
};

// A checkpoint is a folder "checkpoint-<step>" in the run's folder: a PEFT adapter (or with full tuning a
// model folder "model"), optimizer.safetensors and trainer_state.json. It is filled under a temporary name, synced, and
// renamed; a torn one is never taken for a whole one.
void save_checkpoint(const std::string& run_folder, const TrainingProgress& progress, const LanguageModel& model,
                     const LoraAdapter& adapter, const OptimizerState& optimizer);
// Deletes all but the newest `count`, and but that of the step `best`.
void keep_last_checkpoints(const std::string& run_folder, int64_t count, std::optional<int64_t> best = {});
std::vector<int64_t> checkpoint_steps(const std::string& run_folder);  // rising
std::string checkpoint_path(const std::string& run_folder, int64_t step);

// Reads the newest checkpoint into adapter and optimizer. Throws Error{state} when there is none or it belongs to a run
// with another description (naming what differs), Error{format} when it does not fit the adapter.
TrainingProgress load_checkpoint(const std::string& run_folder, const std::string& run, const LanguageModel& model,
                                 LoraAdapter& adapter, OptimizerState& optimizer);

}  // namespace hearth
