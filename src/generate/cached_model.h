// SPDX-License-Identifier: Apache-2.0
#pragma once
// A model with its cache of keys and values: some rows, each with one text. Compiles a plan for every shape that is
// asked for, and keeps it.

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "generate/generation_graph.h"

namespace hearth {

class CachedModel {
 public:
  // Both must outlive this. dtype: of the arithmetic and the cache, f32, bf16 or f16; else Error{value}.
  CachedModel(const LanguageModel& model, const LoraAdapter* adapter, DType dtype);

  const LanguageModel& model() const { return model_; }
  int64_t capacity() const { return capacity_; }  // tokens that a row holds at most

  // Rows for texts of so many tokens; what the rows hold stays. A larger cache needs new plans.
  // Memory: 2 layers rows tokens G D elements.
  void make_room(int64_t rows, int64_t tokens);
  // Room for a prompt that is prefilled in chunks, of which `held` tokens are there already.
  static int64_t prefill_room(int64_t tokens, int64_t held = 0);
  // Compiles what such a prompt, and steps of so many rows, need, so that no timing includes it.
  void prepare_prefill(int64_t tokens) { call(1, chunk_for(tokens)); }
  void prepare_step(int64_t rows) { call(padded_rows(rows), 1); }

  // Logits [V] behind the text of one row, which holds all of ids afterwards. The row holds the first `held` of them
  // already, fewer than all. Valid until the next call. `cancelled` is asked between chunks; then the logits are empty.
  std::span<const float> prefill(int64_t row, std::span<const int32_t> ids, int64_t held = 0,
                                 const std::function<bool()>& cancelled = {});

  // Logits [n,V] behind the n texts, row 0 to n - 1, each of which holds all of its text but the last token. Valid
  // until the next call. Rows up to the next power of two, n excluded, hold nothing afterwards.
  const float* step(std::span<const std::vector<int32_t>* const> texts);
  static int64_t padded_rows(int64_t rows);

  void copy_row(int64_t from, int64_t to, int64_t tokens);  // the first so many tokens of it

  std::vector<float> run_whole(const std::vector<int32_t>& ids);  // the same logits [V] without the cache

  // Texts longer than this turn by angles that depend on their length: they cannot share a call. INT64_MAX: none.
  int64_t longest_alike() const;

 private:
  // One compiled plan with the small inputs it reads.
  struct Call {
    std::unique_ptr<Session> session;
    std::vector<int32_t> tokens, start;  // [B,T], [B]
    int32_t last = 0;
    std::map<size_t, std::vector<float>> frequencies = {};  // of the ropes that depend on the text's length
    std::vector<size_t> cache_inputs = {};                  // keys of layer 0, values of layer 0, keys of layer 1, ...
    int64_t row = -1;                                       // of the cache that is bound first
    int64_t length = -1;                                    // of the text that frequencies are for
  };
  struct alignas(64) CacheLine {
    std::byte bytes[64];
  };

  static int64_t chunk_for(int64_t tokens);
  Call& call(int64_t rows, int64_t tokens);
  Call& whole_call(int64_t tokens);
  void open(Call& call, const GenerationShape& shape);
  void bind_cache(Call& call, int64_t row);
  const float* run(Call& call, int64_t length);
  const float* prefill_all(std::span<const std::vector<int32_t>* const> texts);
  int64_t token_bytes() const;

  const LanguageModel& model_;
  const LoraAdapter* adapter_;
  DType dtype_;
  std::shared_ptr<Arena> arena_ = {};
  int64_t rows_ = 0, capacity_ = 0;                         // B and S of the cache
  std::vector<std::vector<CacheLine>> cache_ = {};          // keys of layer 0, values of layer 0, keys of layer 1, ...
  std::map<std::pair<int64_t, int64_t>, Call> calls_ = {};  // by B and T, with the cache
  std::map<int64_t, Call> whole_calls_ = {};                // by T, without
  std::vector<float> gathered_ = {};                        // logits of several prefills
};

}  // namespace hearth
