// SPDX-License-Identifier: Apache-2.0
#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "ops/random/threefry.h"

namespace hearth {
namespace {

// Likelier first; of equals the lower id.
bool likelier(const Candidate& a, const Candidate& b) {
  return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
}

// NaN never wins, so that it is found only where nothing else is left.
int32_t likeliest(std::span<const float> logits) {
  int32_t best = -1;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!std::isnan(logits[i]) && (best < 0 || logits[i] > logits[size_t(best)])) best = int32_t(i);
  }
  HEARTH_CHECK(best >= 0, numeric, "sample: the model gave NaN for all of ", logits.size(), " tokens");
  HEARTH_CHECK(logits[size_t(best)] > -std::numeric_limits<float>::infinity(), value, "sample: all of ", logits.size(),
               " tokens are forbidden\n  hint: forbid fewer words and tokens");
  return best;
}

std::vector<Candidate> weigh(std::span<const float> logits, double temperature) {
  const double top = logits[size_t(likeliest(logits))];
  std::vector<Candidate> all;
  all.reserve(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) {
    const double x = logits[i];
    const double weight = x == top ? 1 : std::exp((x - top) / temperature);  // inf - inf would be NaN
    if (weight > 0) all.push_back({int32_t(i), weight});
  }
  return all;
}

void keep_top_k(std::vector<Candidate>& all, int64_t k) {
  if (k <= 0 || k >= int64_t(all.size())) return;
  std::nth_element(all.begin(), all.begin() + k, all.end(), likelier);
  all.resize(size_t(k));
}

double total_weight(const std::vector<Candidate>& all) {
  double sum = 0;
  for (const Candidate& c : all) sum += c.weight;
  return sum;
}

// Takes the likeliest from a heap until they have their share: a sort of the whole vocabulary would cost more than it.
void keep_top_p(std::vector<Candidate>& all, double p) {
  if (p >= 1) return;
  const double wanted = p * total_weight(all);
  const auto less_likely = [](const Candidate& a, const Candidate& b) { return likelier(b, a); };
  std::make_heap(all.begin(), all.end(), less_likely);
  double sum = 0;
  auto end = all.end();
  do {
    std::pop_heap(all.begin(), end--, less_likely);
    sum += end->weight;
  } while (sum < wanted && end != all.begin());
  all.erase(all.begin(), end);
}

void keep_min_p(std::vector<Candidate>& all, double share) {
  double top = 0;
  for (const Candidate& c : all) top = std::max(top, c.weight);
  std::erase_if(all, [&](const Candidate& c) { return c.weight < share * top; });
}

// Those whose surprise -log p is nearest to the expected one, until they have their share.
void keep_typical(std::vector<Candidate>& all, double share) {
  if (share >= 1) return;
  const double total = total_weight(all);
  double entropy = 0;
  for (const Candidate& c : all) entropy -= c.weight / total * std::log(c.weight / total);
  const auto distance = [&](const Candidate& c) { return std::abs(-std::log(c.weight / total) - entropy); };
  std::sort(all.begin(), all.end(), [&](const Candidate& a, const Candidate& b) {
    const double x = distance(a), y = distance(b);
    return x != y ? x < y : a.id < b.id;
  });
  double sum = 0;
  size_t kept = 0;
  while (kept < all.size() && sum < share * total) sum += all[kept++].weight;
  all.resize(kept);
}

}  // namespace

std::vector<Candidate> candidates(const std::vector<float>& logits, const GenerateOptions& options) {
  std::vector<Candidate> kept = weigh(logits, options.temperature);
  keep_top_k(kept, options.top_k);
  keep_top_p(kept, options.top_p);
  keep_min_p(kept, options.min_p);
  keep_typical(kept, options.typical_p);
  std::sort(kept.begin(), kept.end(), [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
  return kept;
}

int32_t sample(const std::vector<float>& logits, const GenerateOptions& options, double random) {
  if (options.temperature == 0) return likeliest(logits);
  const std::vector<Candidate> kept = candidates(logits, options);
  double left = random * total_weight(kept);
  for (const Candidate& c : kept) {
    left -= c.weight;
    if (left < 0) return c.id;
  }
  return kept.back().id;  // random was so near to 1 that rounding passed the end
}

double uniform(uint64_t seed, int64_t sample, int64_t position) {
  const ThreefryBlock bits = threefry2x32(uint32_t(seed >> 32), uint32_t(seed), uint32_t(sample), uint32_t(position));
  return double((uint64_t(bits.x0) << 21) | (bits.x1 >> 11)) * 0x1p-53;
}

double log_sum_exp(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float x : logits) sum += std::exp(double(x) - top);
  return top + std::log(sum);
}

TokenChances token_chances(std::span<const float> logits, int32_t taken, int64_t count) {
  const double all = log_sum_exp(logits);
  std::vector<int32_t> order(logits.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = int32_t(i);
  const auto end = order.begin() + std::min(count, int64_t(order.size()));
  std::partial_sort(order.begin(), end, order.end(), [&](int32_t a, int32_t b) {
    const float x = logits[size_t(a)], y = logits[size_t(b)];
    return x != y ? x > y : a < b;
  });
  TokenChances chances{logits[size_t(taken)] - all, {}};
  for (auto id = order.begin(); id != end; ++id) chances.top.push_back({*id, logits[size_t(*id)] - all});
  return chances;
}

}  // namespace hearth
