// SPDX-License-Identifier: Apache-2.0
#include "cli/memory_table.h"

#include <algorithm>

#include "base/threads.h"
#include "generate/generation_graph.h"
#include "train/memory_estimate.h"

namespace hearth {

TokenBlocks blank_blocks(int64_t batch_size, int64_t block_size) {
  TokenBlocks blocks;
  blocks.block_size = block_size;
  blocks.tokens.assign(size_t(batch_size * block_size), 0);
  return blocks;
}

static JobMemory generate_memory(const LanguageModel& model, JobMemory job) {
  const Plan plan = compile_generation(
      model, nullptr, {.tokens = std::min<int64_t>(job.tokens, 512), .capacity = job.tokens, .dtype = job.dtype});
  const ModelSpec& c = model.spec();
  job.bytes =
      2 * int64_t(c.layers.size()) * job.tokens * c.kv_heads * c.head_size * size_bytes(job.dtype);  // the cache
  for (const int64_t bytes : plan.arena_bytes) job.bytes += bytes;
  job.bytes += weight_bytes_read(plan) + working_bytes();
  return job;
}

static JobMemory finetune_memory(const LanguageModel& model, const LoraAdapter& adapter, JobMemory job) {
  const TokenBlocks blocks = blank_blocks(job.batch_size, job.tokens);
  TrainingArguments arguments;
  arguments.batch_size = job.batch_size;
  arguments.dtype = job.dtype;
  arguments.checkpointing = job.checkpointing;
  job.bytes = Trainer(model, adapter, arguments, blocks).estimate().memory_bytes;
  return job;
}

std::vector<JobMemory> memory_of_jobs(const LanguageModel& model) {
  const int64_t context = model.spec().max_positions;
  std::vector<JobMemory> jobs = {{"generate", 1, std::min<int64_t>(context, 512)}};
  if (context > 512) jobs.push_back({"generate", 1, context});
  for (const JobMemory& job : {JobMemory{"finetune", 8, 256}, JobMemory{"finetune", 8, 256, DType::f32, true},
                               JobMemory{"finetune", 1, 512}, JobMemory{"finetune", 1, 512, DType::bf16, true}}) {
    jobs.push_back(job);
    jobs.back().tokens = std::min(job.tokens, context);
  }
  const LoraAdapter adapter = LoraAdapter::create(model, LoraConfig{.family_targets = true}, 0);
  parallel_for(int64_t(jobs.size()), [&](int64_t i, int) {  // each compiles its own graph
    JobMemory& job = jobs[size_t(i)];
    job = job.job == "generate" ? generate_memory(model, job) : finetune_memory(model, adapter, job);
  });
  return jobs;
}

}  // namespace hearth
