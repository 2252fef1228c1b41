// SPDX-License-Identifier: Apache-2.0
#pragma once
// Beam search, as transformers 5 does it: of all continuations of the running beams the likeliest run on; those among
// the best that end are finished, with score = log-probability / (new tokens, the end token included)^length_penalty.

#include "generate/cached_model.h"
#include "generate/generate_options.h"

namespace hearth {

// The best options.samples beams, best first, each with its score and its log-probability's parts if asked for.
// Processors change log-probabilities here, which are not normalised again. A stop text ends a beam like an end token.
// When cancelled, running beams count as ended. Memory: a row of the cache for each beam.
// Source: transformers 5.17, generation/utils.py, _beam_search; Wu et al. 2016, arXiv:1609.08144, section 7.
Generations beam_search(CachedModel& model, const std::vector<int32_t>& prompt, const GenerateOptions& options);

}  // namespace hearth
