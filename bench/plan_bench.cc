// SPDX-License-Identifier: Apache-2.0
// Where the time of one run of a model goes: by kernel, and by shape of matrix product.
//   plan_bench train|prefill|decode --model DIR [--dtype bf16] [--batch 8] [--block 256] [--all-linear]
//              [--runs 10] [--trace FILE]
// Inputs other than the model's weights are arbitrary. --trace writes the runs for ui.perfetto.dev.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/isa.h"
#include "base/threads.h"
#include "generate/generation_graph.h"
#include "plan/plan_file.h"
#include "runtime/session.h"
#include "train/trainer.h"

namespace {

using namespace hearth;

struct Options {
  std::string job, model, trace, dtype = "f32";
  int64_t batch = 8, block = 256, runs = 10;
  bool all_linear = false;
  DType type() const { return dtype == "bf16" ? DType::bf16 : DType::f32; }
};

Plan training_plan(const LanguageModel& model, const Options& o) {
  LoraConfig config;
  config.all_linear = o.all_linear;
  TokenBlocks blocks;
  blocks.block_size = o.block;
  blocks.tokens.assign(size_t(o.batch * o.block), 1);
  TrainingArguments arguments;
  arguments.batch_size = o.batch;
  arguments.dtype = o.type();
  const std::string path = std::filesystem::temp_directory_path() / cat("hearth-plan-bench-", getpid());
  Trainer(model, LoraAdapter::create(model, config, 0), arguments, blocks).save_step_plan(path);
  Plan plan = load_plan(path);
  std::filesystem::remove(path);
  return plan;
}

// Memory for every input that is not a weight.
std::vector<std::vector<char>> bind_others(Session& session) {
  std::vector<std::vector<char>> memory(session.inputs());
  for (size_t i = 0; i < session.inputs(); ++i) {
    if (session.input_name(i).starts_with("weight:")) continue;
    const TensorType& type = session.input_type(i);
    memory[i].resize(size_t(type.bytes()) + 64);
    char* data = memory[i].data() + (64 - reinterpret_cast<uintptr_t>(memory[i].data()) % 64) % 64;
    for (int64_t e = 0; e < type.elements(); ++e) {
      if (type.dtype == DType::f32) reinterpret_cast<float*>(data)[e] = float(e % 7 + 1) * 1e-3f;
    }
    session.bind_input(i, data);
  }
  return memory;
}

void print_products(const Session& session) {
  struct Row {
    int64_t runs = 0, ns = 0;
    double flops = 0;
  };
  std::map<std::string, Row> rows;
  const Plan& plan = session.plan();
  for (size_t i = 0; i < plan.instructions.size(); ++i) {
    const PlanInstruction& instruction = plan.instructions[i];
    const ProfileEntry& entry = session.profile().entries()[i];
    if (instruction.kernel != "matmul") continue;
    const Attrs& a = instruction.attrs;
    const auto type = [&](size_t in) { return plan.tensors[size_t(instruction.inputs[in])].type.dtype; };
    const int64_t m = a.integer("m"), n = a.integer("n"), k = a.integer("k"), k2 = a.integer_or("k2", 0);
    char key[160];
    std::snprintf(key, sizeof key, "%5lld x %5lld x %5lld +%3lld  a(%lld,%lld) b(%lld,%lld) %s %s", (long long)m,
                  (long long)k, (long long)n, (long long)k2, (long long)a.integer("a_row"),
                  (long long)a.integer("a_col"), (long long)a.integer("b_row"), (long long)a.integer("b_col"),
                  name(type(0)), name(type(1)));
    Row& row = rows[key];
    row.runs += entry.runs;
    row.ns += entry.total_ns;
    row.flops += 2.0 * double(m) * double(n) * double(k + k2) * double(a.integer("batch")) * double(entry.runs);
  }
  std::vector<std::pair<std::string, Row>> sorted(rows.begin(), rows.end());
  std::sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.second.ns > b.second.ns; });
  std::printf("%-64s %7s %10s %10s\n", "matmul M x K x N + K2, strides, types", "runs", "ms", "GFLOP/s");
  for (const auto& [key, row] : sorted)
    std::printf("%-64s %7lld %10.3f %10.1f\n", key.c_str(), (long long)row.runs, double(row.ns) * 1e-6,
                row.flops / double(row.ns));
}

int run(const Options& o) {
  const LanguageModel model = LanguageModel::load(o.model);
  const GenerationShape shape{.tokens = o.job == "decode" ? 1 : o.block, .capacity = o.block + 64, .dtype = o.type()};
  Session session(o.job == "train" ? training_plan(model, o) : compile_generation(model, nullptr, shape));
  const auto memory = bind_others(session);
  WeightInputs::bind(session, model.folder());
  session.run();
  session.set_profiling(true);
  session.run();
  const_cast<Profile&>(session.profile()).clear();
  for (int64_t i = 0; i < o.runs; ++i) session.run();
  std::printf("%s %s, %lld runs, %d threads, %s\n%s\n", o.job.c_str(), o.dtype.c_str(), (long long)o.runs,
              num_threads(), isa_name(isa()), session.profile().table().c_str());
  print_products(session);
  if (!o.trace.empty()) session.profile().write_trace(o.trace);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Where the time of one run of a model goes");
  app.add_option("job", o.job)->required()->check(CLI::IsMember({"train", "prefill", "decode"}));
  app.add_option("--model", o.model)->required();
  app.add_option("--dtype", o.dtype)->check(CLI::IsMember({"f32", "bf16"}));
  app.add_option("--batch", o.batch);
  app.add_option("--block", o.block);
  app.add_flag("--all-linear", o.all_linear);
  app.add_option("--runs", o.runs);
  app.add_option("--trace", o.trace);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(o);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
