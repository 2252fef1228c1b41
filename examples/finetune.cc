// SPDX-License-Identifier: Apache-2.0
// Tunes a model on a text and lets it speak before and after:
//   finetune assets/prose-14m assets/tinyshakespeare.txt tuned [steps]
#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include "generate/generator.h"
#include "train/trainer.h"

using namespace hearth;

static void speak(const char* when, const LanguageModel& model, const LoraAdapter* adapter = nullptr) {
  const std::string prompt = "First Citizen:\nBefore we proceed any further, hear me speak.";
  std::cout << when << ": " << Generator(model, adapter).generate(prompt, {.max_tokens = 40}).text << "\n\n";
}

int main(int argc, char** argv) try {
  if (argc < 4) throw std::runtime_error("usage: finetune MODEL TEXT OUTPUT [STEPS]");
  const LanguageModel model = LanguageModel::load(argv[1]);
  const TokenBlocks data = make_blocks(model.tokenizer(), argv[2], Blocks::stream, 256);
  speak("before", model);

  const LoraAdapter adapter = LoraAdapter::create(model, {.rank = 8, .alpha = 16, .targets = {"q_proj", "v_proj"}}, 0);
  TrainingArguments arguments;
  arguments.output_dir = argv[3];
  arguments.epochs = 1;
  arguments.learning_rate = 1e-3;
  arguments.max_steps = argc > 4 ? std::atoi(argv[4]) : 0;
  Trainer trainer(model, adapter, arguments, data);
  trainer.train({.step = [](const StepReport& r) { std::cerr << r.step << "/" << r.steps << " " << r.loss << "\n"; }});
  speak("after", model, &trainer.adapter());

  merge_adapter(model, trainer.adapter(), std::string(argv[3]) + "/merged");
  speak("merged", LanguageModel::load(std::string(argv[3]) + "/merged"));
} catch (const std::exception& error) {
  std::cerr << "error: " << error.what() << "\n";
  return 1;
}
