// SPDX-License-Identifier: Apache-2.0
#pragma once
// Rotary position embeddings as config.json describes them: which angles, for texts of which length.

#include <cstdint>
#include <string>
#include <vector>

#include "io/json.h"

namespace hearth {

struct RopeSpec {
  int64_t rotated = 0;                   // R: so many of a head's D elements are turned, the first ones
  std::vector<double> frequencies = {};  // [R/2]: angles per position
  double scale = 1;                      // of cos and sin
  bool interleaved = false;              // pairs are neighbours, not halves
  // Texts of more than `long_after` tokens turn by other angles: by long_frequencies, or, when those are empty, by
  // theta * (factor * length / long_after - (factor - 1))^(R/(R-2)) ("dynamic"). 0: every length the same.
  int64_t long_after = 0;
  std::vector<double> long_frequencies = {};
  double theta = 10000, factor = 1;
  int64_t most_positions = 0;  // a context that the scaling was made for; 0: says nothing
};

// The angles for a text of so many tokens.
std::vector<double> rope_frequencies(const RopeSpec& rope, int64_t length);

// What a family's defaults are, and its head size.
struct RopeDefaults {
  int64_t head_size = 0;
  double theta = 10000;
  double rotated_part = 1;  // of the head
  int64_t max_positions = 2048;
  bool interleaved = false;
  const char* theta_key = "rope_theta";            // version 4
  const char* part_key = "partial_rotary_factor";  // version 4
  const char* kind = "";                           // "full_attention": version 5 has an object for each kind of layer
};

// From "rope_parameters" (version 5) or rope_theta, rope_scaling and partial_rotary_factor (version 4). Throws
// Error{unsupported} for kinds that Hearth has not, Error{format} for missing and contradicting numbers.
RopeSpec read_rope(const JsonView& config, const RopeDefaults& defaults);

}  // namespace hearth
