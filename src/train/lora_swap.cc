// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "io/nearest.h"
#include "train/lora.h"

namespace hearth {

static void check_swap(const LoraAdapter& own, const LoraAdapter& other) {
  HEARTH_CHECK(own.config().dora == other.config().dora && own.config().b_bias == other.config().b_bias, value,
               "swap: only one of the adapters has ",
               own.config().dora == other.config().dora ? "biases of B" : "DoRA");
  std::vector<std::string> unknown, larger;
  for (const auto& [name, m] : other.modules()) {
    const auto found = own.modules().find(name);
    if (found == own.modules().end()) {
      unknown.push_back(name);
      continue;
    }
    const LoraMatrices& here = found->second;
    if (m.in != here.in || m.out != here.out || m.rank > here.rank || (m.experts > 0 && m.rank != here.rank) ||
        m.a0.empty() != here.a0.empty())
      larger.push_back(cat(name, " of rank ", m.rank, " [", m.out, ",", m.in, "], here ", here.rank, " [", here.out,
                           ",", here.in, "]"));
  }
  HEARTH_CHECK(unknown.empty(), value, "swap: the other adapter has layers that this one lacks: ", list_names(unknown));
  HEARTH_CHECK(larger.empty(), value, "swap: the other adapter does not fit: ", list_names(larger, 4),
               "\n  hint: the first adapter needs the largest rank");
  bool same = own.weights().size() == other.weights().size();
  for (const auto& [name, w] : other.weights()) {
    const auto found = own.weights().find(name);
    same = same && found != own.weights().end() && found->second.dims == w.dims;
  }
  HEARTH_CHECK(same, value, "swap: the adapters have other weights in place of the model's");
}

static void copy_in(const AlignedFloats& from, AlignedFloats* to) {
  std::fill(std::copy(from.begin(), from.end(), to->begin()), to->end(), 0.0f);
}

// Columns of from [out,r] into to [out,R], times factor; zeros behind them.
static void copy_columns(const AlignedFloats& from, int64_t from_rank, float factor, int64_t rank, AlignedFloats* to) {
  std::fill(to->begin(), to->end(), 0.0f);
  for (size_t i = 0; i < from.size(); ++i) {
    const int64_t o = int64_t(i) / from_rank, r = int64_t(i) % from_rank;
    (*to)[size_t(o * rank + r)] = from[i] * factor;
  }
}

void LoraAdapter::swap(const LoraAdapter& other) {
  check_swap(*this, other);
  for (auto& [name, m] : modules_) {
    const auto found = other.modules_.find(name);
    if (found == other.modules_.end()) {
      HEARTH_CHECK(m.magnitude.empty(), value, "swap: the other adapter lacks '", name, "', and a norm cannot be zero");
      for (AlignedFloats* part : {&m.a, &m.b, &m.b_bias, &m.a0, &m.b0}) copy_in({}, part);
      continue;
    }
    const LoraMatrices& from = found->second;
    const float factor = float(from.scale / m.scale);
    copy_in(from.a, &m.a);
    copy_columns(from.b, from.rank, factor, m.rank, &m.b);
    copy_in(from.magnitude, &m.magnitude);
    copy_in(from.b_bias, &m.b_bias);
    for (float& x : m.b_bias) x *= factor;
    copy_in(from.a0, &m.a0);
    copy_columns(from.b0, from.rank, factor, m.rank, &m.b0);
  }
  for (auto& [name, w] : weights_) {
    const TrainedWeight& from = other.weights_.at(name);
    copy_in(from.values, &w.values);
    std::copy(from.rows.begin(), from.rows.end(), w.rows.begin());
  }
}

}  // namespace hearth
