// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth evaluate: how well models predict a text or examples, and answer questions; several beside each other.

#include "cli/data_flags.h"
#include "cli/flags_command.h"

namespace hearth {

struct EvaluateFlags {
  std::vector<std::string> model, adapter;
  std::string data, questions, details;
  bool compare = false, mutual_information = false;
  DataFlags examples;
  std::string blocks = "stream", dtype = "f32", delimiter = " ";
  int64_t block_size = 256, batch_size = 8;

  template <class Visit>
  void visit(Visit&& flag) {
    flag.group("files");
    flag("model", model, "folder with config.json, weights and tokenizer; several: a column each",
         {.needed = true, .distinct = true, .path = PathKind::folder, .separator = 0});
    flag("adapter", adapter, "PEFT folder with updates of the first model; several: a column each",
         {.distinct = true, .path = PathKind::folder, .separator = 0, .default_text = "none"});
    flag("compare", compare, "with --adapter: also the model without it, and the difference");
    flag("data", data, "text, or .jsonl or .json of examples", {.path = PathKind::file});
    flag("questions", questions, ".jsonl or .json of multiple-choice questions", {.path = PathKind::file});
    flag("details", details, "file to write: each question's log-likelihoods, a line of JSON each",
         {.path = PathKind::file, .default_text = "none"});
    examples.visit_reading(flag);
    flag.group("evaluation");
    flag("blocks", blocks, "stream: one <s>, then the whole text; textdataset: special tokens around each block",
         {.allowed = {"stream", "textdataset"}});
    flag("block-size", block_size, "tokens in a block; the text's tail is dropped", {.minimum = 2, .maximum = 1 << 24});
    flag("batch-size", batch_size, "blocks computed together", {.minimum = 1, .maximum = 65536});
    flag("delimiter", delimiter, "what stands between a question and its choices", {.default_text = "one space"});
    flag("mutual-information", mutual_information, "also acc_mutual_info: choices weighed against no question");
    flag("dtype", dtype, "type of the arithmetic", {.allowed = {"f32", "bf16", "f16"}});
  }
};

int run_evaluate(const EvaluateFlags& flags, const CommonFlags& common);

}  // namespace hearth
