// SPDX-License-Identifier: Apache-2.0
#include "cli/hearth_program.h"

#include "cli/chat.h"
#include "cli/combine.h"
#include "cli/convert.h"
#include "cli/evaluate.h"
#include "cli/finetune.h"
#include "cli/generate.h"
#include "cli/info.h"
#include "cli/inspect.h"
#include "cli/merge.h"

namespace hearth {

Program hearth_program() {
  return {"hearth",
          "0.1.0",
          "tunes and runs language models on your own machine",
          {command<FinetuneFlags>("finetune", "tune a model on your own text with LoRA", run_finetune),
           command<GenerateFlags>("generate", "continue a text", run_generate),
           command<ChatFlags>("chat", "talk with a model", run_chat),
           command<EvaluateFlags>("evaluate", "measure how well a model predicts a text", run_evaluate),
           command<MergeFlags>("merge", "write a model with an adapter's updates added to its weights", run_merge),
           command<CombineFlags>("combine", "make one adapter of several", run_combine),
           command<ConvertFlags>("convert", "write a model in another type or other files", run_convert),
           command<InfoFlags>("info", "show what is in a folder and the memory it takes", run_info),
           command<InspectFlags>("inspect", "show what the compiler makes of a training step", run_inspect)}};
}

}  // namespace hearth
