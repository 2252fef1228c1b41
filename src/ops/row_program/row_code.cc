// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/row_code.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>

#include "ops/row_program/row_code_emit.h"
#include "ops/row_program/row_code_formulas.h"

namespace hearth {
namespace {

constexpr int kAccumulators = 4;    // of each reduction, as the interpreter has
constexpr size_t kMostCodes = 512;  // kept; a program that makes ever new ones starts again

// Nodes of one vector of a turn after those of another. Taking turns instead, node by node, the processor's schedulers
// do not fill with operations that wait for the ones before: of the logistic function of bf16 numbers by another, 0.89
// ms became 0.62 (Zen 5, AVX-512, 2 M elements, 1 thread).
CodeRecord interleaved(const CodeRecord& record) {
  CodeRecord made = record;
  made.nodes.clear();
  std::vector<int> number(record.nodes.size());
  std::vector<std::vector<int>> lines(size_t(record.vectors));
  const auto take = [&](int i) {
    CodeNode node = record.nodes[size_t(i)];
    for (int& in : node.in) in = in < 0 ? in : number[size_t(in)];
    number[size_t(i)] = made.add(node);
  };
  for (int i = 0, vector = 0; i < int(record.nodes.size()); ++i) {
    while (vector + 1 < record.vectors && i >= record.starts_of_vectors[size_t(vector) + 1]) ++vector;
    if (record.nodes[size_t(i)].op == CodeOp::invariant)
      take(i);
    else
      lines[size_t(vector)].push_back(i);
  }
  for (size_t i = 0; i < lines[0].size(); ++i) {
    for (const std::vector<int>& line : lines) take(line[i]);
  }
  return made;
}

class Recorder {
 public:
  // `vectors` in a turn, where there are no reductions.
  Recorder(const RowRun& run, int vectors) : run_(run) {
    record_.wide = run.wide;
    record_.arguments = int(run.inputs.size() + run.ahead.size()) + run.outputs + run.written_next;
    for (const RowRunStep& step : run.steps) reductions_ += is_reduction(step.op);
    record_.vectors = reductions_ > 0 ? kAccumulators : vectors;
    record_.accumulators = reductions_ * kAccumulators;
    record_.starts.resize(size_t(record_.accumulators));
    passed_on_.assign(size_t(record_.accumulators), -1);
  }

  CodeRecord run() {
    for (int copy = 0; copy < record_.vectors; ++copy) {
      record_.starts_of_vectors.push_back(int(record_.nodes.size()));
      record_vector(copy);
    }
    return std::move(record_);
  }
  int reductions() const { return reductions_; }

 private:
  int lanes() const { return run_.wide ? 16 : 8; }

  void record_vector(int copy) {
    offset_ = copy * lanes();
    values_.assign(run_.inputs.size() + run_.steps.size(), -1);
    for (size_t i = 0; i < run_.ahead.size(); ++i) {
      const int argument = int(run_.inputs.size() + i) + run_.outputs;
      record_.add({.op = CodeOp::prefetch, .immediate = argument, .offset = offset_ + run_.ahead[i]});
    }
    const int written = int(run_.inputs.size() + run_.ahead.size()) + run_.outputs;
    for (int i = 0; i < run_.written_next; ++i)
      record_.add({.op = CodeOp::prefetch_written, .immediate = written + i, .offset = offset_});
    int reduction = 0;
    for (size_t s = 0; s < run_.steps.size(); ++s) {
      const RowRunStep& step = run_.steps[s];
      if (is_reduction(step.op)) {
        reduce(step, reduction++ * kAccumulators, copy);
        continue;
      }
      int& made = values_[run_.inputs.size() + s];
      made = record_op(&record_, step.op, value(step.in[0]), value(step.in[1]), value(step.in[2]));
      if (step.write != RowWrite::words) made = record_rounded(&record_, made);
      if (step.output >= 0) store(step, made);
    }
  }

  // A sum has an accumulator for each vector of a turn, as the interpreter's.
  void reduce(const RowRunStep& step, int first_accumulator, int copy) {
    if (is_extreme(step.op)) return find_extremes(step, first_accumulator, copy);
    const int accumulator = first_accumulator + copy;
    record_.starts[size_t(accumulator)] = record_start(step.op, copy);
    const int before = record_.add({.op = CodeOp::accumulator, .immediate = accumulator});
    const int after = step.in[1] >= 0 ? record_multiply_add(&record_, value(step.in[0]), value(step.in[1]), before)
                                      : record_op(&record_, step.op, before, value(step.in[0]), -1);
    record_.add({.op = CodeOp::set_accumulator, .in = {after, -1, -1}, .immediate = accumulator});
  }

  // All vectors of a turn pass through the same accumulators: integers are compared within a cycle.
  void find_extremes(const RowRunStep& step, int first_accumulator, int copy) {
    const bool last = copy + 1 == record_.vectors;
    for (int which = 0; which < kExtremes; ++which) {
      const int accumulator = first_accumulator + which;
      int& so_far = passed_on_[size_t(accumulator)];
      record_.starts[size_t(accumulator)] = record_start(step.op, which);
      const int before =
          record_.add({.op = copy == 0 ? CodeOp::accumulator : CodeOp::nothing, .immediate = accumulator});
      so_far = record_extreme(&record_, which, copy == 0 ? before : so_far, value(step.in[0]));
      record_.add({.op = last ? CodeOp::set_accumulator : CodeOp::nothing,
                   .in = {last ? so_far : -1, -1, -1},
                   .immediate = accumulator});
    }
  }

  // Inputs are loaded where they are read first.
  int value(int number) {
    if (number < 0) return -1;
    int& known = values_[size_t(number)];
    if (known >= 0) return known;
    switch (run_.inputs[size_t(number)]) {
      case RowRead::one: return known = record_.invariant({.argument = number, .words = {}});
      case RowRead::bf16: return known = record_.add({.op = CodeOp::load_bf16, .immediate = number, .offset = offset_});
      default: return known = record_.add({.op = CodeOp::load, .immediate = number, .offset = offset_});
    }
  }

  void store(const RowRunStep& step, int value) {
    const CodeOp words = step.streaming ? CodeOp::store_streaming : CodeOp::store;
    record_.add({.op = step.write == RowWrite::bf16 ? CodeOp::store_bf16 : words,
                 .in = {value, -1, -1},
                 .immediate = int(run_.inputs.size()) + step.output,
                 .offset = offset_});
  }

  const RowRun& run_;
  CodeRecord record_;
  int reductions_ = 0;
  int64_t offset_ = 0;
  std::vector<int> values_;     // nodes; -1: not made yet
  std::vector<int> passed_on_;  // of accumulators that all vectors of a turn share: the node so far
};

// The bytes that tell runs apart.
std::string key_of(const RowRun& run) {
  std::string key = {char(run.wide), char(run.by_four), char(run.outputs), char(run.inputs.size()),
                     char(run.written_next)};
  for (RowRead read : run.inputs) key += char(read);
  key.append(reinterpret_cast<const char*>(run.ahead.data()), run.ahead.size() * sizeof(int32_t));
  for (const RowRunStep& s : run.steps) {
    const int16_t fields[] = {int16_t(s.op), s.in[0], s.in[1], s.in[2], int16_t(s.write), s.output, s.streaming};
    key.append(reinterpret_cast<const char*>(fields), sizeof fields);
  }
  return key;
}

// As many vectors in a turn as the registers have room for: up to four of bf16 numbers, two of f32. Four of f32 took
// longer where memory is the limit: tanh(2x + y) z - x of 4 M 0.68 ms, not 0.48 (Zen 5, AVX-512, 2 threads).
std::shared_ptr<const RowCode> make_code(const RowRun& run) {
  const bool halves = std::count(run.inputs.begin(), run.inputs.end(), RowRead::bf16) > 0;
  for (int vectors : {4, 2, 1}) {
    if ((vectors > 1 && !run.by_four) || (vectors == 4 && !halves)) continue;
    Recorder recorder(run, vectors);
    const int reductions = recorder.reductions();
    const CodeRecord record = recorder.run();
    EmittedCode made = emit(interleaved(record));
    if (made.spilled && vectors > 1 && reductions == 0) continue;
    if (made.spilled) made = emit(record);
    if (made.bytes.empty()) return nullptr;
    const auto code = std::make_shared<const RowCode>(made.bytes, record.vectors * (run.wide ? 16 : 8), reductions);
    return code->ready() ? code : nullptr;
  }
  return nullptr;
}

std::atomic<bool>& wanted_flag() {
  static std::atomic<bool> flag = [] {
    const char* text = std::getenv("HEARTH_ROW_CODE");
    return !text || std::strcmp(text, "0") != 0;
  }();
  return flag;
}

}  // namespace

// Written first and made executable then: systems need not allow both at once.
RowCode::RowCode(const std::vector<uint8_t>& code, int64_t unit, int results)
    : bytes_(code.size()), unit_(unit), results_(results) {
  void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  std::memcpy(memory, code.data(), bytes_);
  if (mprotect(memory, bytes_, PROT_READ | PROT_EXEC) == 0)
    memory_ = memory;
  else
    munmap(memory, bytes_);
}
RowCode::~RowCode() {
  if (memory_) munmap(memory_, bytes_);
}

std::shared_ptr<const RowCode> code_of(const RowRun& run) {
  static std::mutex mutex;
  static auto& codes = *new std::unordered_map<std::string, std::shared_ptr<const RowCode>>;
  std::string key = key_of(run);
  const std::lock_guard lock(mutex);
  const auto found = codes.find(key);
  if (found != codes.end()) return found->second;
  if (codes.size() >= kMostCodes) codes.clear();
  return codes[std::move(key)] = make_code(run);
}

bool row_code_wanted() { return wanted_flag().load(std::memory_order_relaxed); }
void want_row_code(bool wanted) { wanted_flag().store(wanted); }

}  // namespace hearth
