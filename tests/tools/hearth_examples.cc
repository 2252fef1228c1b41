// SPDX-License-Identifier: Apache-2.0
// For tests/interop: reads what a model is tuned on, and prints the batches of an epoch.
//   hearth_examples <model folder> <file> '{"max_length": 64, "packing": true, "loss_on": "assistant", "batch_size": 2,
//                                            "group_by_length": true, "shuffle": true, "epoch": 0}'
// A .txt file is cut into blocks of max_length tokens. Output: a line of counts, then a line for each batch.

#include <iostream>

#include "base/error.h"
#include "text/examples.h"
#include "train/batches.h"
#include "train/metrics/memory.h"

namespace hearth {

static ExampleOptions example_options(const Json& given) {
  ExampleOptions o;
  const std::string loss_on = given.value("loss_on", "auto");
  o.loss_on = loss_on == "all"          ? LossOn::all
              : loss_on == "completion" ? LossOn::completion
              : loss_on == "assistant"  ? LossOn::assistant
                                        : LossOn::automatic;
  o.max_length = given.value("max_length", 1024);
  o.packing = given.value("packing", false);
  o.text_field = given.value("text_field", o.text_field);
  return o;
}

static TokenBlocks read(const std::string& model, const std::string& file, const Json& given) {
  const Tokenizer tokenizer = Tokenizer::load(model);
  if (holds_examples(file)) return read_examples(tokenizer, model, file, example_options(given));
  return make_blocks(tokenizer, file,
                     given.value("blocks", "stream") == "stream" ? Blocks::stream : Blocks::textdataset,
                     given.value("max_length", 1024));
}

static void print(const TokenBlocks& blocks, const Json& given) {
  std::cout << Json{{"rows", blocks.count()},           {"examples", blocks.examples()},
                    {"tokens", blocks.token_count()},   {"counted", blocks.counted_tokens},
                    {"truncated", blocks.truncated},    {"truncated_tokens", blocks.truncated_tokens},
                    {"dropped", blocks.dropped_tokens}, {"memory_bytes", peak_resident_bytes()}}
            << '\n';
  if (given.value("counts_only", false)) return;
  Batches batches(blocks, {.batch_size = given.value("batch_size", 1),
                           .shuffle = given.value("shuffle", false),
                           .seed = given.value("seed", uint64_t{0}),
                           .group_by_length = given.value("group_by_length", false),
                           .any_width = true});
  Batch batch;
  for (int64_t i = 0; i < batches.per_epoch(); ++i) {
    batches.fill(given.value("epoch", 0), i, batch);
    std::cout << Json{{"width", batch.width},       {"tokens", batch.tokens},       {"labels", batch.labels},
                      {"segments", batch.segments}, {"positions", batch.positions}, {"counted", batch.counted}}
              << '\n';
  }
}

}  // namespace hearth

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  try {
    const hearth::Json given = hearth::Json::parse(argv[3]);
    hearth::print(hearth::read(argv[1], argv[2], given), given);
    return 0;
  } catch (const hearth::Error& error) {
    std::cout << hearth::Json{{"error", error.what()}} << '\n';
    return 1;
  }
}
