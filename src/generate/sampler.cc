// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "generate/generator.h"

namespace hearth {
namespace {

struct Candidate {
  int32_t id;
  double weight;  // not normalised; 1 for the likeliest
};

// Likelier first; of equals the lower id.
bool likelier(const Candidate& a, const Candidate& b) {
  return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
}

// NaN never wins, so that it is found only where nothing else is left.
int32_t likeliest(const std::vector<float>& logits) {
  int32_t best = -1;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!std::isnan(logits[i]) && (best < 0 || logits[i] > logits[size_t(best)])) best = int32_t(i);
  }
  HEARTH_CHECK(best >= 0, numeric, "sample: the model gave NaN for all of ", logits.size(), " tokens");
  return best;
}

std::vector<Candidate> weigh(const std::vector<float>& logits, double temperature) {
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

}  // namespace

int32_t sample(const std::vector<float>& logits, const GenerateOptions& options, double random) {
  if (options.temperature == 0) return likeliest(logits);
  std::vector<Candidate> kept = weigh(logits, options.temperature);
  keep_top_k(kept, options.top_k);
  keep_top_p(kept, options.top_p);
  std::sort(kept.begin(), kept.end(), [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
  double left = random * total_weight(kept);
  for (const Candidate& c : kept) {
    left -= c.weight;
    if (left < 0) return c.id;
  }
  return kept.back().id;  // random was so near to 1 that rounding passed the end
}

}  // namespace hearth
