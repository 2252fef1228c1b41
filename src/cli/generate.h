// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth generate: continues a text, or many.

#include "cli/flags_command.h"
#include "cli/sampling_flags.h"

namespace hearth {

struct GenerateFlags {
  std::string model, adapter, prompt, prompt_file, prompts;
  std::string dtype = "f32", early_stopping = "heuristic";
  SamplingFlags sampling;
  std::optional<int64_t> logprobs;

  template <class Visit>
  void visit(Visit&& flag) {
    GenerateOptions& options = sampling.options;
    flag.group("model");
    flag("model", model, "folder with config.json, weights and tokenizer", {.needed = true, .path = PathKind::folder});
    flag("adapter", adapter, "PEFT folder with LoRA updates", {.path = PathKind::folder, .default_text = "none"});
    flag("dtype", dtype, "type of the arithmetic; auto: bf16 where the weights are stored so and the processor has it",
         {.allowed = {"f32", "bf16", "f16", "auto"}});
    flag.group("prompt (one of the three is needed)");
    flag("prompt", prompt, "text to continue");
    flag("prompt-file", prompt_file, "file whose text to continue; -: standard input",
         {.path = PathKind::file, .default_text = "none"});
    flag("prompts", prompts,
         "many: a text file of one prompt a line, or .jsonl with {\"prompt\"} or {\"messages\"}; -: lines of standard "
         "input",
         {.path = PathKind::file, .default_text = "none"});
    flag.group("text");
    sampling.visit(flag);
    flag.group("several answers");
    flag("samples", options.samples, "answers to each prompt; with beams: the best of them",
         {.minimum = 1, .maximum = 1 << 16});
    flag("batch-size", options.batch_size, "answers computed together at most; each takes memory for its text",
         {.minimum = 1, .maximum = 4096});
    flag("beams", options.beams, "beam search: follow the N likeliest texts",
         {.minimum = 0, .maximum = 4096, .default_text = "0 = off"});
    flag("length-penalty", options.length_penalty,
         "of beams: their log-probability is divided by their length to this power; above 0: longer texts",
         {.minimum = -100, .maximum = 100});
    flag("early-stopping", early_stopping,
         "of beams; heuristic: when no running one looks better; full: when as many as beams have ended; never: when "
         "none can become better",
         {.allowed = {"heuristic", "full", "never"}});
    flag("logprobs", logprobs, "with --json: log-probabilities of the tokens, and of the N likeliest in each place",
         {.minimum = 0, .maximum = 1000, .default_text = "none"});
    flag("cache", options.cache, "keep keys and values of earlier tokens", {.hidden = true});
    flag("ignore-eos", options.ignore_eos, "go on after the end token", {.hidden = true});
  }
};

int run_generate(const GenerateFlags& flags, const CommonFlags& common);

}  // namespace hearth
