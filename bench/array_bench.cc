// SPDX-License-Identifier: Apache-2.0
// Rows of the array library for bench/arrays.py: reads lines "ROW SECONDS" and answers each with one line of JSON,
//   {"row": "softmax", "value": 0.0021, "samples": 120}      median seconds of a call (or bytes, see the row)
//   {"row": "softmax", "error": "..."}
// so that the peers, which answer the same way, can take turns with it. Names on the command line are run at once;
// --rows prints what the names of rows begin with.
#include "bench/array_bench.h"

#include <algorithm>
#include <chrono>
#include <iostream>

#include "bench/array_bench_system.h"

namespace {

using namespace hearth;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Median {
  double value;
  size_t samples;
};

// Short calls are timed several at a time, so that the clock does not count.
Median median_of(const bench::Call& call, double seconds) {
  call();
  Clock::time_point start = Clock::now();
  call();
  const int64_t together = std::clamp<int64_t>(int64_t(200e-6 / std::max(seconds_since(start), 1e-7)), 1, 1000);
  std::vector<double> samples;
  const Clock::time_point begin = Clock::now();
  while (samples.size() < 3 || seconds_since(begin) < seconds) {
    start = Clock::now();
    for (int64_t i = 0; i < together; ++i) call();
    samples.push_back(seconds_since(start) / double(together));
  }
  std::nth_element(samples.begin(), samples.begin() + int64_t(samples.size() / 2), samples.end());
  return {samples[samples.size() / 2], samples.size()};
}

constexpr const char *kCompile = "compile_llama26", *kLoop = "loop_memory";

class Runner {
 public:
  Runner() : rows_(bench::element_rows()) {
    rows_.merge(bench::product_rows());
    rows_.merge(bench::memory_rows());
  }

  Median measure(const std::string& name, double seconds) {
    const bench::Parts parts = bench::split(name);
    if (name == kCompile) return {bench::llama_compile_seconds(), 1};
    if (name == kLoop) return {bench::loop_growth_bytes(10000), 1};
    const auto found = rows_.find(parts.at(0));
    HEARTH_CHECK(found != rows_.end(), value, "array_bench: there is no row '", name, "'");
    if (name != name_) {
      call_ = nullptr;
      release_kept_buffers();
      call_ = found->second(parts);
      name_ = name;
    }
    return median_of(call_, seconds);
  }

  void print_rows() const {
    for (const auto& [name, make] : rows_) std::cout << name << "\n";
    std::cout << kCompile << "\n" << kLoop << "\n";
  }

 private:
  bench::Rows rows_;
  std::string name_;  // kept for the next round
  bench::Call call_;
};

void answer(Runner& runner, const std::string& name, double seconds) {
  std::cout << "{\"row\": \"" << name << "\", ";
  try {
    const Median median = runner.measure(name, seconds);
    std::cout << "\"value\": " << median.value << ", \"samples\": " << median.samples << "}" << std::endl;
  } catch (const std::exception& error) {
    std::string text = error.what();
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '"' || c == '\\' || c == '\n'; }, ' ');
    std::cout << "\"error\": \"" << text << "\"}" << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  Runner runner;
  if (argc == 2 && std::string(argv[1]) == "--rows") return runner.print_rows(), 0;
  for (int i = 1; i < argc; ++i) answer(runner, argv[i], 0.3);
  if (argc > 1) return 0;
  std::string name;
  for (double seconds = 0; std::cin >> name >> seconds;) answer(runner, name, seconds);
  return 0;
}
