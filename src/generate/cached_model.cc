// SPDX-License-Identifier: Apache-2.0
#include "generate/cached_model.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace hearth {

static constexpr int64_t kSmallestChunk = 16, kLargestChunk = 512;
static constexpr int64_t kCapacityStep = 256;  // so that texts of about one length share their plans

static int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

int64_t CachedModel::chunk_for(int64_t tokens) {
  return std::clamp(int64_t(std::bit_ceil(uint64_t(tokens))), kSmallestChunk, kLargestChunk);
}

// A chunk is written whole, padding included, and may not pass the row's end.
int64_t CachedModel::prefill_room(int64_t tokens, int64_t held) {
  return held + round_up(tokens - held, chunk_for(tokens - held));
}

int64_t CachedModel::padded_rows(int64_t rows) { return int64_t(std::bit_ceil(uint64_t(rows))); }

CachedModel::CachedModel(const LanguageModel& model, const LoraAdapter* adapter, DType dtype)
    : model_(model), adapter_(adapter), dtype_(dtype) {
  HEARTH_CHECK(dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f16, value,
               "generation computes in f32, bf16 or f16, not ", dtype);
}

int64_t CachedModel::token_bytes() const {
  return model_.spec().kv_heads * model_.spec().head_size * size_bytes(dtype_);
}

int64_t CachedModel::longest_alike() const {
  int64_t longest = std::numeric_limits<int64_t>::max();
  for (const RopeSpec& rope : model_.spec().ropes)
    if (rope.long_after > 0) longest = std::min(longest, rope.long_after);
  return longest;
}

void CachedModel::make_room(int64_t rows, int64_t tokens) {
  if (rows <= rows_ && tokens <= capacity_) return;
  const int64_t wider = std::max(rows_, padded_rows(rows));
  const int64_t longer = std::max(capacity_, round_up(tokens, kCapacityStep));
  if (longer > capacity_) calls_.clear();
  const int64_t old_row = capacity_ * token_bytes(), new_row = longer * token_bytes();
  cache_.resize(2 * model_.spec().layers.size());
  for (std::vector<CacheLine>& held : cache_) {  // one after the other: the old and the new are never there as a whole
    std::vector<CacheLine> wanted(size_t((wider * new_row + 63) / 64));
    for (int64_t row = 0; row < rows_; ++row)
      std::memcpy(reinterpret_cast<std::byte*>(wanted.data()) + row * new_row,
                  reinterpret_cast<const std::byte*>(held.data()) + row * old_row, size_t(old_row));
    held = std::move(wanted);
  }
  rows_ = wider;
  capacity_ = longer;
  for (auto& [shape, call] : calls_) call.row = -1;
}

void CachedModel::open(Call& call, const GenerationShape& shape) {
  Plan plan = compile_generation(model_, adapter_, shape);
  if (!arena_ || !arena_->fits(plan)) arena_ = Arena::for_plans({&plan});  // the prefill's, made first, serves all
  call.session = std::make_unique<Session>(std::move(plan), SessionOptions{.arena = arena_});
  Session& session = *call.session;
  bind_model(session, model_, adapter_);
  call.tokens.assign(size_t(shape.rows * shape.tokens), 0);
  call.start.assign(size_t(shape.rows), 0);
  session.bind_input("tokens", call.tokens.data());
  session.bind_input("last", &call.last);
  if (shape.capacity > 0) {
    session.bind_input("start", call.start.data());
    for (size_t i = 0; i < cache_.size(); ++i)
      call.cache_inputs.push_back(session.input_index(cache_input(i % 2 == 0 ? "k" : "v", int64_t(i / 2))));
  }
  for (size_t i = 0; i < model_.spec().ropes.size(); ++i) {
    const RopeSpec& rope = model_.spec().ropes[i];
    if (rope.long_after == 0) continue;
    call.frequencies[i].resize(rope.frequencies.size());
    session.bind_input(frequencies_input(i), call.frequencies[i].data());
  }
}

CachedModel::Call& CachedModel::call(int64_t rows, int64_t tokens) {
  Call& call = calls_[{rows, tokens}];
  if (!call.session) open(call, {rows, tokens, capacity_, dtype_});
  return call;
}

CachedModel::Call& CachedModel::whole_call(int64_t tokens) {
  Call& call = whole_calls_[tokens];
  if (!call.session) open(call, {1, tokens, 0, dtype_});
  return call;
}

// Rows lie one behind the other, so a plan of few rows may begin at any.
void CachedModel::bind_cache(Call& call, int64_t row) {
  if (call.row == row) return;
  for (size_t i = 0; i < cache_.size(); ++i)
    call.session->bind_input(call.cache_inputs[i],
                             reinterpret_cast<std::byte*>(cache_[i].data()) + row * capacity_ * token_bytes());
  call.row = row;
}

// `length`: of the whole text that the tokens belong to, by which some models choose their angles.
const float* CachedModel::run(Call& call, int64_t length) {
  for (auto& [i, values] : call.frequencies) {
    if (call.length == length) break;
    const std::vector<double> now = rope_frequencies(model_.spec().ropes[i], length);
    std::copy(now.begin(), now.end(), values.begin());
  }
  call.length = length;
  call.session->run();
  return static_cast<const float*>(call.session->output("logits"));
}

// Places behind the ids of a chunk are padding: no query of an id sees them, and in the cache the next call writes over
// them.
std::span<const float> CachedModel::prefill(int64_t row, std::span<const int32_t> ids, int64_t held,
                                            const std::function<bool()>& cancelled) {
  Call& chunk = call(1, chunk_for(int64_t(ids.size()) - held));
  bind_cache(chunk, row);
  const size_t step = chunk.tokens.size();
  const float* logits = nullptr;
  for (size_t at = size_t(held); at < ids.size(); at += step) {
    if (at > size_t(held) && cancelled && cancelled()) return {};
    const std::span<const int32_t> some = ids.subspan(at, std::min(step, ids.size() - at));
    std::fill(std::copy(some.begin(), some.end(), chunk.tokens.begin()), chunk.tokens.end(), 0);
    chunk.start[0] = int32_t(at);
    chunk.last = int32_t(some.size()) - 1;
    logits = run(chunk, int64_t(ids.size()));
  }
  return {logits, size_t(model_.spec().vocab)};
}

const float* CachedModel::prefill_all(std::span<const std::vector<int32_t>* const> texts) {
  gathered_.clear();
  for (size_t row = 0; row < texts.size(); ++row) {
    const std::span<const float> logits = prefill(int64_t(row), *texts[row]);
    gathered_.insert(gathered_.end(), logits.begin(), logits.end());
  }
  return gathered_.data();
}

const float* CachedModel::step(std::span<const std::vector<int32_t>* const> texts) {
  const int64_t longest = int64_t(
      (*std::max_element(texts.begin(), texts.end(), [](auto* a, auto* b) { return a->size() < b->size(); }))->size());
  for (const RopeSpec& rope : model_.spec().ropes)  // all keys turn by other angles from here on
    if (!rope.long_frequencies.empty() && longest == rope.long_after + 1) return prefill_all(texts);
  Call& now = call(padded_rows(int64_t(texts.size())), 1);
  bind_cache(now, 0);
  for (size_t row = 0; row < now.tokens.size(); ++row) {
    const std::vector<int32_t>* text = row < texts.size() ? texts[row] : nullptr;
    now.tokens[row] = text ? text->back() : 0;
    now.start[row] = text ? int32_t(text->size()) - 1 : 0;
  }
  return run(now, longest);
}

void CachedModel::copy_row(int64_t from, int64_t to, int64_t tokens) {
  const int64_t row = capacity_ * token_bytes();
  for (std::vector<CacheLine>& held : cache_) {
    std::byte* bytes = reinterpret_cast<std::byte*>(held.data());
    std::memcpy(bytes + to * row, bytes + from * row, size_t(tokens * token_bytes()));
  }
}

std::vector<float> CachedModel::run_whole(const std::vector<int32_t>& ids) {
  Call& whole = whole_call(round_up(int64_t(ids.size()), kSmallestChunk));
  std::fill(std::copy(ids.begin(), ids.end(), whole.tokens.begin()), whole.tokens.end(), 0);
  whole.last = int32_t(ids.size()) - 1;
  const float* logits = run(whole, int64_t(ids.size()));
  return {logits, logits + model_.spec().vocab};
}

}  // namespace hearth
