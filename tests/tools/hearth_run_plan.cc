// SPDX-License-Identifier: Apache-2.0
// Runs a plan file with nothing but the runtime library: the proof that a compiled model needs no compiler, and a way
// to time or look at a plan. Prints a checksum of each output.
//   hearth_run_plan step.plan --seed 1 --runs 10 --table

#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "base/threads.h"
#include "plan/plan_file.h"
#include "runtime/session.h"

namespace hearth {
namespace {

constexpr char kUsage[] =
    "usage: hearth_run_plan PLAN [--inputs FILE | --seed N] [--runs N] [--threads N] [--table] [--trace FILE] "
    "[--text]\n"
    "  --inputs FILE  the bytes of all inputs, one after the other in the plan's order, as raw little-endian numbers\n"
    "  --seed N       random inputs: floats in [-1,1), integers and bool 0 or 1; without either, inputs are zero\n"
    "  --runs N       run so many times and print the fastest\n"
    "  --table        time by kernel    --trace FILE  the same as JSON for ui.perfetto.dev    --text  print the plan\n";

struct Options {
  std::string plan, inputs, trace;
  int64_t runs = 1, threads = 0, seed = -1;
  bool table = false, text = false;
};

int64_t parse_number(const std::string& flag, const char* text) {
  char* end = nullptr;
  const long long value = std::strtoll(text, &end, 10);
  HEARTH_CHECK(*text && !*end && value >= 0 && value <= 1'000'000'000, value, flag, ": '", text,
               "' is no number from 0 to 10^9");
  return value;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto next = [&] {
      HEARTH_CHECK(i + 1 < argc, value, flag, " needs a value\n", kUsage);
      return argv[++i];
    };
    if (flag == "--inputs")
      options.inputs = next();
    else if (flag == "--seed")
      options.seed = parse_number(flag, next());
    else if (flag == "--runs")
      options.runs = parse_number(flag, next());
    else if (flag == "--threads")
      options.threads = parse_number(flag, next());
    else if (flag == "--trace")
      options.trace = next();
    else if (flag == "--table")
      options.table = true;
    else if (flag == "--text")
      options.text = true;
    else if (flag[0] != '-' && options.plan.empty())
      options.plan = flag;
    else
      HEARTH_FAIL(value, "unknown argument '", flag, "'\n", kUsage);
  }
  HEARTH_CHECK(!options.plan.empty(), value, "which plan?\n", kUsage);
  return options;
}

using Words = std::vector<uint64_t>;  // aligned for every dtype

void fill_random(const TensorType& type, std::mt19937_64& random, Words& words) {
  char* data = reinterpret_cast<char*>(words.data());
  for (int64_t i = 0; i < type.elements(); ++i) {
    const double real = double(random() >> 11) * 0x1p-52 - 1;
    const float single = float(real);
    switch (type.dtype) {
      case DType::f64: std::memcpy(data + 8 * i, &real, 8); break;
      case DType::f32: std::memcpy(data + 4 * i, &single, 4); break;
      case DType::bf16: reinterpret_cast<bf16*>(data)[i] = bf16(single); break;
      case DType::f16: reinterpret_cast<f16*>(data)[i] = f16(single); break;
      default: data[i * size_bytes(type.dtype)] = real < 0;  // the low byte; the others are zero
    }
  }
}

std::vector<Words> make_inputs(const Session& session, const Options& options) {
  std::vector<Words> inputs;
  std::mt19937_64 random(static_cast<uint64_t>(options.seed));
  const auto file = options.inputs.empty() ? nullptr : MappedFile::open(options.inputs);
  int64_t at = 0;
  for (size_t i = 0; i < session.inputs(); ++i) {
    const TensorType& type = session.input_type(i);
    Words& words = inputs.emplace_back(size_t(type.bytes() / 8 + 1));
    if (file) {
      HEARTH_CHECK(file->size() - at >= type.bytes(), format, options.inputs, ": has ", file->size(),
                   " bytes and ends inside input '", session.input_name(i), "' ", type, ", which starts at byte ", at);
      if (type.bytes() > 0) std::memcpy(words.data(), file->data() + at, size_t(type.bytes()));
      at += type.bytes();
    } else if (options.seed >= 0) {
      fill_random(type, random, words);
    }
  }
  HEARTH_CHECK(!file || at == file->size(), format, options.inputs, ": has ", file->size(), " bytes, the inputs only ",
               at);
  return inputs;
}

// FNV-1a, 64 bits.
uint64_t checksum(const Words& words, int64_t bytes) {
  const auto* data = reinterpret_cast<const uint8_t*>(words.data());
  uint64_t hash = 0xcbf29ce484222325;
  for (int64_t i = 0; i < bytes; ++i) hash = (hash ^ data[i]) * 0x100000001b3;
  return hash;
}

void run(const Options& options) {
  if (options.threads > 0) set_num_threads(int(options.threads));
  Session session(load_plan(options.plan));
  if (options.text) std::cout << to_text(session.plan());
  std::vector<Words> inputs = make_inputs(session, options);
  for (size_t i = 0; i < inputs.size(); ++i) session.bind_input(i, inputs[i].data());
  session.set_profiling(options.table || !options.trace.empty());
  double best_ms = 1e300;
  for (int64_t i = 0; i < options.runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    session.run();
    best_ms =
        std::min(best_ms, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  for (size_t i = 0; options.runs > 0 && i < session.outputs(); ++i) {
    const TensorType& type = session.output_type(i);
    Words words(size_t(type.bytes() / 8 + 1));
    session.read_output(i, words.data());
    std::printf("output %zu %s %s checksum %016llx\n", i, session.output_name(i).c_str(), cat(type).c_str(),
                static_cast<unsigned long long>(checksum(words, type.bytes())));
  }
  if (options.runs > 1) std::printf("fastest of %lld runs: %.3f ms\n", static_cast<long long>(options.runs), best_ms);
  if (options.table) std::fputs(session.profile().table().c_str(), stdout);
  if (!options.trace.empty()) session.profile().write_trace(options.trace);
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) {
  try {
    hearth::run(hearth::parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
