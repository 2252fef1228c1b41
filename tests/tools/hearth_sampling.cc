// SPDX-License-Identifier: Apache-2.0
// hearth_sampling < CASES: what tests/interop/generation_test.py compares with the processors of the real library. A
// line is {"logits", "ids", "prompt_tokens", "ends", "config"}, config as in generation_config.json, with
// presence_penalty and frequency_penalty besides. Prints a line each: [[id, probability], ...] of what may be drawn, by
// id.
#include <iostream>

#include "base/error.h"
#include "generate/generation_config.h"
#include "generate/logit_processors.h"
#include "generate/sampler.h"

using namespace hearth;

static Json drawn(const Json& one) {
  Json config = one["config"];
  const JsonView view(config, "config");
  GenerateOptions options = read_generation_config(view).options;
  options.presence_penalty = view.number_or("presence_penalty", 0);
  options.frequency_penalty = view.number_or("frequency_penalty", 0);
  auto logits = one["logits"].get<std::vector<float>>();
  const auto ids = one["ids"].get<std::vector<int32_t>>(), ends = one["ends"].get<std::vector<int32_t>>();
  process_logits(options, ends, ids, one["prompt_tokens"].get<int64_t>(), logits);
  const std::vector<Candidate> all = candidates(logits, options);
  double sum = 0;
  for (const Candidate& c : all) sum += c.weight;
  Json list = Json::array();
  for (const Candidate& c : all) list.push_back({c.id, c.weight / sum});
  return list;
}

int main() {
  try {
    for (std::string line; std::getline(std::cin, line);) std::cout << drawn(parse_json(line, "line")).dump() << "\n";
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
