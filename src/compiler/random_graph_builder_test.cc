// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "compiler/random_graph_view_test.h"

namespace hearth {
namespace {

class Builder : public ViewSteps {
 public:
  using ViewSteps::ViewSteps;

  void run(const Recipe& recipe) {
    for (const RandomStep& step : recipe) {
      step_ = &step;
      next_ = 0;
      const size_t before = pool_.size();
      if (pool_.empty() && step.what % kSteps > 2) continue;
      take_step(step.what % kSteps);
      if (depth_ > 0 || pool_.size() == before) continue;
      if (step.choices[5] % 4 == 0) output(pool_.back());
      if (step.choices[5] % 16 == 1) force(pool_.back());
    }
    if (depth_ == 0 && !pool_.empty()) output(pool_.back());
  }

 private:
  static constexpr uint32_t kSteps = 50;

  void take_step(uint32_t what) {
    switch (what) {
      case 0:
      case 1: return input();
      case 2: return made_from_nothing();
      case 3:
      case 4: return exact_unary();
      case 5:
      case 6: return smooth_unary();
      case 7:
      case 8:
      case 9:
      case 10: return arithmetic();
      case 11: return divided();
      case 12: return compared();
      case 13: return selected();
      case 14:
      case 15: return converted();
      case 16:
      case 17:
      case 18:
      case 19: return view();
      case 20: return padded();
      case 21: return concatenated();
      case 22:
      case 23: return reduced();
      case 24: return contracted();
      case 25: return low_rank();
      case 26: return bits();
      case 27: return normalised();
      case 28: return language_model_part();
      case 29: return dynamic();
      case 30: return barrier();
      case 31: return random_or_optimizer();
      case 32: return taken();
      case 33: return gathered();
      case 34: return scattered();
      case 35: return ordered();
      case 36: return accumulated();
      case 37: return windowed();
      case 38: return pooled();
      case 39: return coin() ? reduced_with_body() : products_and_bits_reduced();
      case 40: return special();
      case 41: return whole_number_functions();
      case 42: return normalised_by_more();
      case 43: return convolved();
      case 44: return through_complex();
      case 45: return fourier_of_real();
      case 46: return factored();
      case 47: return coin() ? branched() : mapped();
      case 48: return coin() ? scanned() : looped();
      default: return wrapped();
    }
  }

  // Bodies of bodies end at depth 2.
  Tracked inner(const std::vector<Tracked>& values, uint64_t seed) override {
    if (depth_ >= 2) return values.back();
    Builder body(build_);
    body.depth_ = depth_ + 1;
    body.pool_ = values;
    body.run(random_recipe(seed, 6));
    return body.pool_.back();
  }

  void input() {
    const DType t = any_dtype();
    Dims dims = any_dims();
    const bool real = build_.style.real_inputs && is_float(t) && choose(4) != 0;
    if (depth_ > 0) return made_from_nothing();
    if (num_elements(dims) > build_.style.most_elements) {
      for (int64_t& d : dims) d = std::min<int64_t>(d, 3);
    }
    const TensorType type{t, dims};
    std::vector<double> values;
    for (int64_t i = 0; i < type.elements(); ++i) {
      const double u = random_unit(step_->choices[0], uint64_t(i));
      values.push_back(real                  ? rounded(t, u * 4 - 2)
                       : t == DType::boolean ? u < 0.5
                       : is_unsigned_int(t)  ? std::floor(u * 4)
                                             : std::floor(u * 7) - 3);
    }
    const size_t number = build_.inputs.size();
    const std::string name = "x" + std::to_string(number);
    build_.inputs.push_back({name, type, values});
    const Value x = build_.given ? build_.given->at(number) : graph_.input(name, type);
    pool_.push_back({x, 3, 1, real ? epsilon(DType::f32) : 0});
  }
};

}  // namespace

Recipe random_recipe(uint64_t seed, int steps) {
  Recipe recipe;
  uint64_t next = 0;
  const auto number = [&] { return uint32_t(random_unit(seed, next++) * 4294967296.0); };
  for (int i = 0; i < steps; ++i) {
    RandomStep step;
    step.what = i < 3 ? 0 : number();  // inputs first
    for (uint32_t& c : step.choices) c = number();
    recipe.push_back(step);
  }
  return recipe;
}

void build_random(const Recipe& recipe, RandomBuild& build) { Builder(build).run(recipe); }

RandomGraph::RandomGraph(const Recipe& recipe) {
  RandomBuild build{graph};
  build_random(recipe, build);
  only_reference = build.only_reference;
  for (const RandomBuild::Input& in : build.inputs) inputs.push_back(to_bytes(in.type.dtype, in.values));
  for (const RandomBuild::Output& out : build.outputs) {
    const std::string name = "y" + std::to_string(errors.size());
    if (out.donor.empty())
      graph.output(name, out.value.value);
    else
      graph.output_in_place(name, out.value.value, out.donor);
    errors.push_back(out.value.error);
  }
}

}  // namespace hearth
