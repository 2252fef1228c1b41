// SPDX-License-Identifier: Apache-2.0
#include "generate/logit_processors.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace hearth {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

struct Logits {
  std::span<float> values;
  float* at(int32_t id) const { return id >= 0 && size_t(id) < values.size() ? &values[size_t(id)] : nullptr; }
  void forbid(int32_t id) const {
    if (float* x = at(id)) *x = kNever;
  }
};

void add_bias(const std::vector<TokenBias>& all, std::span<const int32_t> ids, const Logits& logits) {
  for (const TokenBias& b : all) {
    const size_t before = b.ids.size() - 1;
    if (before > ids.size() || !std::equal(ids.end() - long(before), ids.end(), b.ids.begin())) continue;
    if (float* x = logits.at(b.ids.back())) *x += float(b.bias);
  }
}

void penalise_repetition(double penalty, std::span<const int32_t> ids, const Logits& logits) {
  if (penalty == 1) return;
  const std::set<int32_t> seen(ids.begin(), ids.end());
  for (const int32_t id : seen)
    if (float* x = logits.at(id)) *x = *x < 0 ? *x * float(penalty) : *x / float(penalty);
}

void penalise_presence(const GenerateOptions& options, std::span<const int32_t> fresh, const Logits& logits) {
  if (options.presence_penalty == 0 && options.frequency_penalty == 0) return;
  std::map<int32_t, int64_t> count;
  for (const int32_t id : fresh) ++count[id];
  for (const auto& [id, times] : count)
    if (float* x = logits.at(id)) *x -= float(options.presence_penalty + options.frequency_penalty * double(times));
}

// Forbids what came before behind the same n - 1 tokens.
void forbid_repeats(int64_t n, std::span<const int32_t> ids, const Logits& logits) {
  if (n == 0 || int64_t(ids.size()) < n) return;
  const std::span<const int32_t> end = ids.last(size_t(n - 1));
  for (size_t i = 0; i + size_t(n) <= ids.size(); ++i)
    if (std::equal(end.begin(), end.end(), ids.begin() + long(i))) logits.forbid(ids[i + size_t(n) - 1]);
}

}  // namespace

void process_logits(const GenerateOptions& options, std::span<const int32_t> ends, std::span<const int32_t> ids,
                    int64_t prompt_tokens, std::span<float> values) {
  const Logits logits{values};
  const std::span<const int32_t> fresh = ids.subspan(size_t(prompt_tokens));
  add_bias(options.bias, ids, logits);
  penalise_repetition(options.repetition_penalty, ids, logits);
  penalise_presence(options, fresh, logits);
  forbid_repeats(options.no_repeat_ngram, ids, logits);
  if (int64_t(fresh.size()) < options.min_tokens)
    for (const int32_t id : ends) logits.forbid(id);
  if (fresh.empty())
    for (const int32_t id : options.never_first) logits.forbid(id);
}

}  // namespace hearth
