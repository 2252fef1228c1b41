// SPDX-License-Identifier: Apache-2.0
#include "models/rope_spec.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "base/error.h"

namespace hearth {
namespace {

constexpr IntegerRange kPositions{.min = 1, .max = int64_t(1) << 32};

constexpr double kMostFactor = 1e6;  // so that a context times it stays an integer

std::vector<double> plain_frequencies(double theta, int64_t rotated) {
  std::vector<double> frequencies;
  for (int64_t i = 0; i < rotated / 2; ++i) frequencies.push_back(std::pow(theta, -2.0 * double(i) / double(rotated)));
  return frequencies;
}

// Where the numbers stand: the scaling's object, if there is one, and config.json itself.
struct Source {
  const JsonView& config;
  std::optional<JsonView> rope;
  std::string type = "default";
  double theta;
  int64_t max_positions;

  int64_t original_positions() const {
    const char* key = "original_max_position_embeddings";
    if (config.has(key)) return config.integer(key, kPositions);  // it wins: so does Phi-3 store it
    return rope->integer_or(key, max_positions, kPositions);
  }
};

// Frequencies of Llama 3.1's long context: long waves are slowed by `factor`, short ones stay, between them a ramp.
// Source: transformers 5.17, modeling_rope_utils.py, rope type "llama3".
void scale_llama3(const Source& from, RopeSpec* out) {
  const JsonView& rope = *from.rope;
  const double factor = rope.number("factor", {.min = 1}), low = rope.number_or("low_freq_factor", 1),
               high = rope.number_or("high_freq_factor", 4);
  const double original = double(from.original_positions());
  HEARTH_CHECK(high > low, format, rope.file(), ": high_freq_factor ", high, " must be larger than low_freq_factor ",
               low);
  for (double& f : out->frequencies) {
    const double wavelength = 2 * std::numbers::pi / f;
    if (wavelength > original / low) {
      f /= factor;
    } else if (wavelength >= original / high) {
      const double s = (original / wavelength - low) / (high - low);
      f = (1 - s) * f / factor + s * f;
    }
  }
}

double magnitude_scale(double factor, double weight) { return factor <= 1 ? 1 : 0.1 * weight * std::log(factor) + 1; }

// Source: Peng et al. 2023, arXiv:2309.00071: pairs that turn often over the original context keep their speed, pairs
// that turn seldom are slowed by `factor`, between them a ramp over the pairs.
void scale_yarn(const Source& from, RopeSpec* out) {
  const JsonView& rope = *from.rope;
  const int64_t original = from.original_positions();
  const double usual_factor = double(from.max_positions) / double(original);
  const double factor = rope.number_or("factor", usual_factor, {.min = 1e-6, .max = kMostFactor});
  HEARTH_CHECK(from.theta > 1, format, rope.file(), ": rope type 'yarn' needs a rope_theta above 1; it is ",
               from.theta);
  const double weight = rope.number_or("mscale", 0), all = rope.number_or("mscale_all_dim", 0);
  const double usual = weight != 0 && all != 0 ? magnitude_scale(factor, weight) / magnitude_scale(factor, all)
                                               : magnitude_scale(factor, 1);
  out->scale = rope.number_or("attention_factor", usual);
  const double R = double(out->rotated);
  const auto pair_with_turns = [&](double turns) {
    return R * std::log(double(original) / (turns * 2 * std::numbers::pi)) / (2 * std::log(from.theta));
  };
  const double fast = rope.number_or("beta_fast", 32), slow = rope.number_or("beta_slow", 1);
  double low = pair_with_turns(fast == 0 ? 32 : fast), high = pair_with_turns(slow == 0 ? 1 : slow);
  if (rope.boolean_or("truncate", true)) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, R - 1);
  if (low == high) high += 0.001;
  for (size_t i = 0; i < out->frequencies.size(); ++i) {
    const double slowed = std::clamp((double(i) - low) / (high - low), 0.0, 1.0);
    out->frequencies[i] *= slowed / factor + (1 - slowed);
  }
  out->most_positions = int64_t(factor * double(original));
}

std::vector<double> factors(const JsonView& rope, const char* key, size_t count) {
  const Json& list = rope.get(key);
  const bool numbers =
      list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& x) { return x.is_number() && x > 0; });
  if (!numbers || list.size() != count) rope.refuse(key, cat("a list of ", count, " positive numbers"));
  return list.get<std::vector<double>>();
}

// Source: Ding et al. 2024, arXiv:2402.13753, as in transformers: a slowness of its own for each pair, one list for
// short texts, one for long ones.
void scale_longrope(const Source& from, RopeSpec* out) {
  const JsonView& rope = *from.rope;
  const int64_t original = from.original_positions();
  const double factor = rope.number_or("factor", double(from.max_positions) / double(original));
  const double usual = factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(double(original)));
  out->scale = rope.number_or("attention_factor", usual);
  const std::vector<double> slow = factors(rope, "long_factor", out->frequencies.size()),
                            fast = factors(rope, "short_factor", out->frequencies.size());
  out->long_frequencies = out->frequencies;
  for (size_t i = 0; i < slow.size(); ++i) {
    out->long_frequencies[i] /= slow[i];
    out->frequencies[i] /= fast[i];
  }
  out->long_after = original;
}

void scale_dynamic(const Source& from, RopeSpec* out) {
  HEARTH_CHECK(out->rotated > 2, format, from.config.file(), ": rope type 'dynamic' needs heads larger than 2");
  out->factor = from.rope->number("factor", {.min = 1, .max = kMostFactor});
  out->long_after = from.max_positions;
  out->most_positions = int64_t(out->factor * double(from.max_positions));
}

void scale_linear(const Source& from, RopeSpec* out) {
  const double factor = from.rope->number("factor", {.min = 1});
  for (double& f : out->frequencies) f /= factor;
}

struct Scaling {
  const char* name;
  void (*scale)(const Source&, RopeSpec*);
};
constexpr Scaling kScalings[] = {{"default", [](const Source&, RopeSpec*) {}},
                                 {"linear", scale_linear},
                                 {"dynamic", scale_dynamic},
                                 {"llama3", scale_llama3},
                                 {"yarn", scale_yarn},
                                 {"longrope", scale_longrope},
                                 {"su", scale_longrope}};

}  // namespace

std::vector<double> rope_frequencies(const RopeSpec& rope, int64_t length) {
  if (rope.long_after == 0 || length <= rope.long_after) return rope.frequencies;
  if (!rope.long_frequencies.empty()) return rope.long_frequencies;
  const double R = double(rope.rotated), over = double(length) / double(rope.long_after);
  return plain_frequencies(rope.theta * std::pow(rope.factor * over - (rope.factor - 1), R / (R - 2)), rope.rotated);
}

RopeSpec read_rope(const JsonView& config, const RopeDefaults& d) {
  Source from{config, {}, "default", config.number_or(d.theta_key, d.theta, {.min = 1}), d.max_positions};
  double part = config.number_or(d.part_key, d.rotated_part, {.min = 0, .max = 1});
  // Version 5, else version 4.
  const char* key = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  if (config.has(key)) {
    from.rope = config.object(key);
    if (*d.kind && from.rope->has(d.kind)) from.rope = from.rope->object(d.kind);
    from.theta = from.rope->number_or("rope_theta", from.theta, {.min = 1});
    from.type = from.rope->text_or("rope_type", from.rope->text_or("type", "default"));
    part = from.rope->number_or("partial_rotary_factor", part, {.min = 0, .max = 1});
  }
  RopeSpec out{.rotated = int64_t(double(d.head_size) * part), .interleaved = d.interleaved, .theta = from.theta};
  HEARTH_CHECK(out.rotated % 2 == 0 && out.rotated > 0, format, config.file(), ": ", out.rotated, " of a head's ",
               d.head_size, " elements would be rotated; rotary embeddings need pairs");
  out.frequencies = plain_frequencies(from.theta, out.rotated);
  for (const Scaling& kind : kScalings) {
    if (from.type != kind.name) continue;
    kind.scale(from, &out);
    return out;
  }
  HEARTH_FAIL(unsupported, config.file(), ": rope type '", from.type,
              "' is not supported; Hearth has default, linear, dynamic, llama3, yarn and longrope");
}

}  // namespace hearth
