// SPDX-License-Identifier: Apache-2.0
#pragma once
// The compiled forms of a model that generation runs.

#include "plan/plan.h"
#include "runtime/session.h"
#include "train/lora.h"

namespace hearth {

// What a generation plan is made for.
struct GenerationShape {
  int64_t rows = 1;      // B: texts in one call, each with its own place in its own row of the cache
  int64_t tokens = 1;    // T: tokens in one call; fewer are padded at the end. 1 where there are several rows
  int64_t capacity = 0;  // S: tokens that a row of the cache holds; 0: no cache, tokens see those of the same call only
  DType dtype = DType::f32;
};

// Inputs:  tokens i32 [B,T]; last i32: place of the token whose successor is wanted; the weights and adapter matrices;
//          with a cache: start i32 (B = 1) or [B]: tokens in each row of the cache, and cache.k.N, cache.v.N [B,S,G,D],
//          updated in place.
//          frequencies.N f32 [R/2] of those ModelSpec::ropes that depend on the text's length: rope_frequencies.
// Output:  logits f32 [B,1,V].
Plan compile_generation(const LanguageModel& model, const LoraAdapter* adapter, const GenerationShape& shape);

std::string cache_input(const char* kind, int64_t layer);  // "cache.k.3"
std::string frequencies_input(size_t rope);                // "frequencies.0"

// Binds weights and adapter, which must outlive the session's runs.
void bind_model(Session& session, const LanguageModel& model, const LoraAdapter* adapter);

}  // namespace hearth
