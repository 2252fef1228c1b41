// SPDX-License-Identifier: Apache-2.0
#pragma once
// The flags of commands that tune: which adapter, old or new.

#include <set>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "train/lora.h"

namespace hearth {

struct LoraFlags {
  std::string adapter;
  int64_t rank = 8;
  double alpha = 16, dropout = 0;
  std::vector<std::string> targets = {"q_proj", "v_proj"};
  bool rslora = false, dora = false, lora_bias = false;
  std::string init = "default", bias = "none";
  std::vector<std::string> experts, exclude, rank_pattern, alpha_pattern, modules_to_save;
  std::vector<int64_t> layers, train_tokens;

  template <class Visit>
  void visit(Visit&& flag) {
    flag.group("LoRA");
    flag("adapter", adapter, "start from this PEFT folder; it says rank, alpha, dropout and targets",
         {.path = PathKind::folder, .default_text = "a new adapter"});
    flag("lora-rank", rank, "rank of the update matrices", {.minimum = 1, .maximum = 65536});
    flag("lora-alpha", alpha, "updates are scaled by alpha / rank", {.above = 0});
    flag("lora-dropout", dropout, "share of the updates' inputs that is dropped", {.minimum = 0, .maximum = 0.99});
    flag("lora-targets", targets, "layers that get updates, embed_tokens among them, or all-linear",
         {.distinct = true, .value_name = "NAME", .default_text = "PEFT's for the model's family"});
    flag("lora-experts", experts,
         "experts' weights with updates, gate_up_proj,down_proj; --lora-targets none: only these",
         {.distinct = true, .value_name = "NAME"});
    flag("lora-exclude", exclude, "layers that get no updates, whatever the targets", {.value_name = "NAME"});
    flag("lora-layers", layers, "numbers of the layers whose targets get updates",
         {.minimum = 0, .default_text = "all"});
    flag("lora-rank-pattern", rank_pattern, "ranks of some layers: q_proj=16,layers.0.mlp.up_proj=4",
         {.value_name = "NAME=N"});
    flag("lora-alpha-pattern", alpha_pattern, "alphas of some layers", {.value_name = "NAME=X"});
    flag("lora-init", init,
         "how they begin: default, gaussian, orthogonal, pissa, pissa_niter_4 (or another N), olora, mica",
         {.value_name = "NAME"});
    flag("lora-rslora", rslora, "scale by alpha / sqrt(rank)");
    flag("dora", dora, "train the norm of each row of the updated weights, too");
    flag("lora-bias", lora_bias, "give B a bias");
    flag("bias", bias, "the model's own biases that are trained: those of the targets, or all",
         {.allowed = {"none", "lora_only", "all"}});
    flag("modules-to-save", modules_to_save, "modules that are trained whole and saved with the adapter: lm_head,norm",
         {.distinct = true, .value_name = "NAME"});
    flag("train-tokens", train_tokens, "tokens whose rows of the embedding are trained", {.minimum = 0});
  }
};

// Makes the adapter that the flags ask for, or loads --adapter and then sets the flags to what its file says. Throws
// Error{value} naming a target that is no layer, or a given flag (`given`: names of all that were) that contradicts
// the file.
LoraAdapter make_adapter(const LanguageModel& model, LoraFlags& flags, uint64_t seed,
                         const std::set<std::string>& given);

// "q_proj,v_proj" or "all-linear": how --lora-targets is written.
std::string lora_targets_text(const LoraFlags& flags);

}  // namespace hearth
