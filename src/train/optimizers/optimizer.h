// SPDX-License-Identifier: Apache-2.0
#pragma once
// Optimizers: what each keeps for a trained tensor, and one step of it as graph operations. All arithmetic is f32.
//   adamw       Loshchilov & Hutter 2019, arXiv:1711.05101, as torch.optim.AdamW
//   sgd         with momentum, dampening, Nesterov's form; weight decay is part of the gradient, as torch.optim.SGD
//   adafactor   Shazeer & Stern 2018, arXiv:1804.04235, as transformers' with relative_step=False
//   lion        Chen et al. 2023, arXiv:2302.06675, algorithm 2
//   muon        Jordan et al. 2024 for matrices of hidden layers, as torch.optim.Muon; adamw for the rest
//   adamw_8bit  adamw whose states are 8 bits a number, Dettmers et al. 2022, arXiv:2110.02861

#include <array>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace hearth {

enum class OptimizerKind { adamw, sgd, adafactor, lion, muon, adamw_8bit };
const std::vector<std::string>& optimizer_names();      // in the order of OptimizerKind
OptimizerKind optimizer_kind(const std::string& name);  // Error{value} for a name that is none of them

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adamw;
  double weight_decay = 0;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  // adamw, adamw_8bit, muon's adamw; the betas: lion
  double momentum = 0, dampening = 0;             // sgd; momentum: muon
  bool nesterov = false;                          // sgd, muon
  // adafactor
  double decay_rate = -0.8, square_eps = 1e-30, scale_eps = 1e-3, clip_threshold = 1;
  double first_moment = 0;       // its beta1; 0: none is kept
  bool scale_parameter = false;  // steps relative to the tensor's size
  // muon
  int64_t ns_steps = 5;
  std::string adjust_lr = "original";
  DType ns_dtype = DType::f32;   // of its matrix products: that of the training step
  int64_t min_8bit_size = 4096;  // adamw_8bit: smaller tensors have f32 states

  static OptimizerOptions of(OptimizerKind kind);  // its defaults
};

// What an optimizer asks about a tensor that is trained.
struct TrainedTensor {
  std::string name;
  Dims dims;
  bool decays = true;         // biases and weights of norms do not
  bool hidden_matrix = true;  // of a layer that is neither embedding nor output: Muon's
  bool fast = false;          // LoRA+'s second group: B and vectors, as PEFT makes it
  int64_t size() const { return num_elements(dims); }
};

struct StateSpec {
  std::string name;  // "m"
  TensorType type;
};
// What is kept from step to step for a tensor. All of it begins as zero bytes.
std::vector<StateSpec> optimizer_states(const OptimizerOptions& options, const TrainedTensor& tensor);

// The two numbers of step t = 1, 2 ... that the update reads: 1 - beta1^t and 1 - beta2^t with adamw and where it is
// part, 1 - beta2 of this step with adafactor, the share of the gradient in the momentum with sgd.
std::array<double, 2> step_numbers(const OptimizerOptions& options, int64_t step);

struct UpdateArgs {
  const OptimizerOptions& options;
  const TrainedTensor& tensor;
  Value parameter, gradient;  // f32, one shape
  std::vector<Value> states;  // as optimizer_states lists them
  Value apply;                // bool scalar: the step is to be made
  Value rate, first, second;  // scalars: the learning rate, step_numbers
  double decay() const { return tensor.decays ? options.weight_decay : 0; }
};
struct Update {
  Value parameter;
  std::vector<Value> states;
  bool minds_apply = false;  // without it nothing changes; else the caller sees to that
};
Update optimizer_update(const UpdateArgs& args);

// The optimizers, each in its file.
Update adamw_update(const UpdateArgs& args);
Update sgd_update(const UpdateArgs& args);
Update adafactor_update(const UpdateArgs& args);
Update lion_update(const UpdateArgs& args);
Update muon_update(const UpdateArgs& args);
Update adamw_8bit_update(const UpdateArgs& args);
std::vector<StateSpec> adafactor_states(const OptimizerOptions& options, const TrainedTensor& tensor);
std::vector<StateSpec> adamw_8bit_states(const TrainedTensor& tensor);

// Decoupled weight decay: p (1 - rate decay).
Value decayed(const UpdateArgs& args);

}  // namespace hearth
