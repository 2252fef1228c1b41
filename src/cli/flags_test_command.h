// SPDX-License-Identifier: Apache-2.0
#pragma once
// The command that the tests of flags, help, configuration and completion parse: one flag of every kind.

#include "cli/flags_command.h"

namespace hearth {

struct TuneFlags {
  std::string model, data;
  std::string dtype = "f32";
  int64_t rank = 8;
  std::vector<std::string> targets = {"q_proj", "v_proj"};
  std::vector<std::string> formats = {};
  std::vector<std::string> stop = {};
  std::vector<int64_t> layers = {};
  float lr = 2e-4f;
  double dropout = 0;
  int batch_size = 8;
  bool shuffle = true;
  bool resume = false;
  std::optional<int64_t> max_steps;
  uint64_t seed = 0;
  bool trace = false;

  template <class Visit>
  void visit(Visit&& flag) {
    flag.group("files");
    flag("model", model, "folder with config.json and *.safetensors",
         {.needed = true, .path = PathKind::folder, .short_name = "m"});
    flag("data", data, "text to learn from", {.needed = true, .path = PathKind::file});
    flag.group("LoRA");
    flag("lora-rank", rank, "rank of the adapter", {.minimum = 1, .maximum = 4096});
    flag("lora-targets", targets, "linear layers that get an adapter: names, or all-linear", {.distinct = true});
    flag("layers", layers, "only these layers", {.minimum = 0});
    flag.group("training");
    flag("lr", lr, "learning rate", {.above = 0});
    flag("dropout", dropout, "share of activations that are dropped", {.minimum = 0, .maximum = 1});
    flag("batch-size", batch_size, "blocks in a batch", {.minimum = 1});
    flag("dtype", dtype, "type of the arithmetic", {.allowed = {"f32", "bf16"}});
    flag("formats", formats, "pictures to leave", {.allowed = {"svg", "tensorboard"}});
    flag("stop", stop, "text that ends the output", {.separator = 0});
    flag("shuffle", shuffle, "take the blocks in random order");
    flag("resume", resume, "continue from the last checkpoint, bit for bit");
    flag("max-steps", max_steps, "stop after this many steps", {.minimum = 1});
    flag("seed", seed, "seed of all random numbers");
    flag("trace", trace, "for developers", {.hidden = true});
  }
};

}  // namespace hearth
