// SPDX-License-Identifier: Apache-2.0
#include "train/lora_combine.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/error.h"
#include "io/nearest.h"
#include "train/lora_arrays.h"

namespace hearth {
namespace {

// One adapter's part of a layer.
struct Part {
  const LoraMatrices& m;
  double weight;
  double factor() const { return weight * m.scale; }
};
using Parts = std::vector<Part>;

constexpr std::string_view kSvd = "_svd";

// The `density` numbers of x that are largest by size, the others 0; of equal ones the first.
Array largest(const Array& x, double density) {
  if (density >= 1) return x;
  const int64_t keep = int64_t(density * double(x.size()));
  const Array order = argsort(-abs(x.reshape({-1})));
  const Array mask = zeros({x.size()}).at(order(Slice::to(keep))).set(1.0f);
  return x * mask.reshape(x.shape());
}

Array chosen_by_chance(const Array& x, double density, const Array& key) {
  if (density >= 1) return x;
  return where(random::bernoulli(key, density, {.shape = x.shape()}), x, 0.0f) / float(density);
}

// One array of several that are alike, each with a factor.
Array joined(const Arrays& all, const std::vector<double>& factors, const std::string& rule, const CombineOptions& o,
             const Array& key) {
  Arrays kept = all;
  for (size_t i = 0; i < all.size(); ++i) {
    if (rule == "ties" || rule == "magnitude_prune") kept[i] = largest(all[i], o.density);
    if (rule == "dare_linear" || rule == "dare_ties")
      kept[i] = chosen_by_chance(all[i], o.density, random::fold_in(key, int64_t(i)));
  }
  Array majority, sum, count;
  const bool ties = rule.ends_with("ties");
  if (ties) {
    Array total = o.sign_by_number ? sign(kept[0]) : kept[0];
    for (size_t i = 1; i < kept.size(); ++i) total = total + (o.sign_by_number ? sign(kept[i]) : kept[i]);
    majority = where(total >= 0.0f, 1.0f, -1.0f);
  }
  for (size_t i = 0; i < kept.size(); ++i) {
    Array weighted = kept[i] * float(factors[i]);
    if (ties) {
      const Array with = (sign(kept[i]) == majority).astype(DType::f32);
      weighted = weighted * with;
      count = count.valid() ? count + with : with;
    }
    sum = sum.valid() ? sum + weighted : weighted;
  }
  return ties ? sum / maximum(count, 1.0f) : sum;
}

// U sqrt... of the rank's largest singular values: b = U S [out,r], a = V^T [r,in].
void take_svd(const SvdResult& f, const Array& left, const Array& right, LoraMatrices* m) {
  const Array u = f.u(kAll, Slice::to(m->rank)) * f.s(Slice::to(m->rank)), vh = f.vh(Slice::to(m->rank));
  m->b = floats_of(left.valid() ? matmul(left, u) : u);
  m->a = floats_of(right.valid() ? matmul(vh, right) : vh);
}

// sum w s BA = Bs As with all matrices side by side, whose thin QR factors leave a small matrix to decompose.
void combine_by_svd(const Parts& parts, LoraMatrices* m) {
  Arrays as, bs;
  for (const Part& part : parts) {
    as.push_back(a_array(part.m) * float(part.factor()));
    bs.push_back(b_array(part.m));
  }
  const QrResult left = qr(concat(bs, 1)), right = qr(matrix_transpose(concat(as, 0)));
  const SvdResult small = svd(matmul(left.r, matrix_transpose(right.r)), {.full_matrices = false});
  const int64_t found = small.s.size();
  if (found >= m->rank) return take_svd(small, left.q, matrix_transpose(right.q), m);
  LoraMatrices less = *m;  // the sum has a smaller rank than was asked for: the rest is zero
  less.rank = found;
  take_svd(small, left.q, matrix_transpose(right.q), &less);
  m->a.assign(size_t(m->rank * m->in), 0.0f);
  m->b.assign(size_t(m->rank * m->out), 0.0f);
  std::copy(less.a.begin(), less.a.end(), m->a.begin());
  for (int64_t o = 0; o < m->out; ++o) std::copy_n(less.b.data() + o * found, found, m->b.data() + o * m->rank);
}

void combine_whole(const Parts& parts, const std::string& rule, const CombineOptions& o, const Array& key,
                   LoraMatrices* m) {
  Arrays deltas;
  std::vector<double> weights;
  for (const Part& part : parts) {
    deltas.push_back(matmul(b_array(part.m), a_array(part.m)) * float(part.m.scale));
    weights.push_back(part.weight);
  }
  take_svd(svd(joined(deltas, weights, rule, o, key), {.full_matrices = false}), {}, {}, m);
}

void combine_by_matrix(const Parts& parts, const std::string& name, const CombineOptions& o, const Array& key,
                       LoraMatrices* m) {
  Arrays as, bs;
  std::vector<double> a_factors, b_factors;
  for (const Part& part : parts) {
    HEARTH_CHECK(part.m.rank == m->rank, value, "combine: ", o.kind, " needs equal ranks, but in '", name,
                 "' one adapter has rank ", part.m.rank, ", not ", m->rank, "\n  hint: cat and svd take any ranks");
    const double root = std::sqrt(std::abs(part.factor()));
    as.push_back(a_array(part.m));
    bs.push_back(b_array(part.m));
    a_factors.push_back(part.factor() >= 0 ? root : -root);
    b_factors.push_back(root);
  }
  m->a = floats_of(joined(as, a_factors, o.kind, o, random::fold_in(key, 1000)));
  m->b = floats_of(joined(bs, b_factors, o.kind, o, random::fold_in(key, 1001)));
}

// Side by side, and zeros up to the rank.
void combine_by_joining(const Parts& parts, LoraMatrices* m) {
  m->a.assign(size_t(m->rank * m->in), 0.0f);
  m->b.assign(size_t(m->rank * m->out), 0.0f);
  int64_t first = 0;
  for (const Part& part : parts) {
    const float weight = float(part.weight), scale = float(part.m.scale);
    for (size_t i = 0; i < part.m.a.size(); ++i) m->a[size_t(first * m->in) + i] = part.m.a[i] * weight * scale;
    for (int64_t o = 0; o < m->out; ++o)
      std::copy_n(part.m.b.data() + o * part.m.rank, part.m.rank, m->b.data() + o * m->rank + first);
    first += part.m.rank;
  }
}

int64_t largest_rank(const LoraAdapter& adapter) {
  int64_t rank = adapter.config().rank;
  for (const auto& [key, own] : adapter.config().rank_pattern) rank = std::max(rank, own);
  return rank;
}

int64_t rank_of(const std::vector<WeightedAdapter>& adapters, const CombineOptions& o) {
  std::vector<int64_t> ranks;
  for (const WeightedAdapter& a : adapters) ranks.push_back(largest_rank(*a.adapter));
  const int64_t most = *std::max_element(ranks.begin(), ranks.end());
  if (o.kind == "cat") return std::accumulate(ranks.begin(), ranks.end(), int64_t(0));
  return o.kind.ends_with("svd") && o.svd_rank > 0 ? o.svd_rank : most;
}

void check(const std::vector<WeightedAdapter>& adapters, const CombineOptions& o) {
  const std::vector<std::string> kinds = combination_kinds();
  HEARTH_CHECK(!adapters.empty(), value, "combine: there is no adapter");
  HEARTH_CHECK(std::find(kinds.begin(), kinds.end(), o.kind) != kinds.end(), value,
               "combine: there is no combination '", printable(o.kind), "'; there are ",
               list_names(kinds, kinds.size()));
  HEARTH_CHECK(o.density > 0 && o.density <= 1, value, "combine: density must be above 0 and at most 1; it is ",
               o.density);
  HEARTH_CHECK(o.svd_rank >= 0, value, "combine: the rank must be at least 1; it is ", o.svd_rank);
  for (const auto& [adapter, weight] : adapters) {
    HEARTH_CHECK(std::isfinite(weight), value, "combine: a weight is no number: ", weight);
    const char* more = adapter->config().dora                  ? "DoRA"
                       : adapter->config().b_bias              ? "biases of B"
                       : !adapter->config().parameters.empty() ? "updates of experts"
                       : !adapter->weights().empty()           ? "weights in place of the model's"
                                                               : nullptr;
    HEARTH_CHECK(!more, unsupported, "combine: an adapter has ", more,
                 ", which no sum has\n  hint: merge it into the model");
  }
}

// What selects the layers of all adapters together. Where they are restricted in different ways, their full names.
void join_targets(const std::vector<WeightedAdapter>& adapters, const std::set<std::string>& modules, LoraConfig* c) {
  bool alike = true;
  std::set<std::string> names;
  std::vector<std::string> regexes;
  for (const WeightedAdapter& w : adapters) {
    const LoraConfig& other = w.adapter->config();
    alike = alike && other.layers == c->layers && other.layers_pattern == c->layers_pattern &&
            other.excludes == c->excludes && other.exclude_regex == c->exclude_regex && !other.all_linear &&
            !other.family_targets && other.target_regex.empty() == c->target_regex.empty();
    names.insert(other.targets.begin(), other.targets.end());
    regexes.push_back("(" + other.target_regex + ")");
  }
  if (!alike) {
    names = modules;
    c->layers.clear();
    c->layers_pattern.clear();
    c->excludes.clear();
    c->exclude_regex.clear();
    c->all_linear = c->family_targets = false;
  }
  if (alike && !c->target_regex.empty()) {
    c->target_regex.clear();
    for (const std::string& regex : regexes) c->target_regex += (c->target_regex.empty() ? "" : "|") + regex;
    return;
  }
  c->target_regex.clear();
  c->targets.assign(names.begin(), names.end());
}

}  // namespace

std::vector<std::string> combination_kinds() {
  return {"cat",
          "svd",
          "linear",
          "ties",
          "dare_linear",
          "dare_ties",
          "magnitude_prune",
          "ties_svd",
          "dare_linear_svd",
          "dare_ties_svd",
          "magnitude_prune_svd"};
}

LoraAdapter combine_adapters(const std::vector<WeightedAdapter>& adapters, const CombineOptions& given) {
  check(adapters, given);
  CombineOptions o = given;
  if (adapters.size() == 1) o.kind = "linear";  // as in PEFT
  std::map<std::string, Parts> layers;
  std::set<std::string> modules;
  for (const auto& [adapter, weight] : adapters) {
    for (const auto& [name, m] : adapter->modules()) {
      Parts& parts = layers[name];
      HEARTH_CHECK(parts.empty() || (parts[0].m.in == m.in && parts[0].m.out == m.out), shape, "combine: '", name,
                   "' is [", parts[0].m.out, ",", parts[0].m.in, "] in one adapter and [", m.out, ",", m.in,
                   "] in another: they are for different models");
      parts.push_back({m, weight});
      modules.insert(name);
    }
  }
  const int64_t rank = rank_of(adapters, o);
  const bool whole = o.kind.ends_with(kSvd);
  const std::string rule = whole ? o.kind.substr(0, o.kind.size() - kSvd.size()) : o.kind;
  std::map<std::string, LoraMatrices> made;
  int64_t number = 0;
  for (const auto& [name, parts] : layers) {
    LoraMatrices& m =
        made[name] = {.in = parts[0].m.in, .out = parts[0].m.out, .rank = rank, .embedding = parts[0].m.embedding};
    HEARTH_CHECK(!whole || rank <= std::min(m.in, m.out), value, "combine: '", name, "' [", m.out, ",", m.in,
                 "] has no ", rank, " singular values");
    const Array key = random::fold_in(random::key(int64_t(o.seed)), number++);
    if (o.kind == "cat")
      combine_by_joining(parts, &m);
    else if (o.kind == "svd")
      combine_by_svd(parts, &m);
    else if (whole)
      combine_whole(parts, rule, o, key, &m);
    else
      combine_by_matrix(parts, name, o, key, &m);
  }
  LoraConfig config = adapters[0].adapter->config();
  join_targets(adapters, modules, &config);
  config.rank = rank;
  config.alpha = double(rank);
  config.rslora = false;  // PEFT leaves it, which makes the scale sqrt(rank) instead of 1
  config.rank_pattern.clear();
  config.alpha_pattern.clear();
  return LoraAdapter::of(std::move(config), std::move(made));
}

}  // namespace hearth
