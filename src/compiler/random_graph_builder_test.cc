// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "base/error.h"
#include "compiler/random_graph_control_test.h"
#include "ops/barrier/barrier.h"
#include "ops/dynamic_slice/dynamic_slice.h"

namespace hearth {
namespace {

class Builder : public ControlSteps {
 public:
  using ControlSteps::ControlSteps;

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

  // --- the steps
  // ---------------------------------------------------------------------------------------------------------

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

  void made_from_nothing() {
    const DType t = any_dtype();
    const Dims dims = any_dims();
    const int64_t count = num_elements(dims);
    if (choose(3) == 0 && !dims.empty() && t != DType::boolean) {
      add(iota(graph_, t, dims, choose(uint32_t(dims.size()))),
          double(std::max<int64_t>(1, *std::max_element(dims.begin(), dims.end()))), 1, 0);
    } else if (coin()) {
      add(constant(graph_, t == DType::boolean ? 1 : double(choose(4)), t, dims), 3, 1, 0);
    } else {
      std::vector<double> values;
      for (int64_t i = 0; i < count; ++i)
        values.push_back(double((uint64_t(i) + choose(5)) % (t == DType::boolean ? 2 : 4)));
      add(constant_list(graph_, values, t, dims), 4, 1, 0);
    }
  }

  void exact_unary() {
    Tracked x = pick();
    const DType t = x.value.dtype();
    constexpr const char* names[] = {"negate", "abs", "sign", "floor", "ceil"};
    const uint32_t kind = choose(5);
    if (t == DType::boolean || is_unsigned_int(t) || (kind == 1 && !may_decide(x, true))) return;
    if ((kind >= 2 && !x.exact()) || (kind >= 3 && !is_float(t))) return;
    add(unary(names[kind], x.value), kind == 2 ? 1 : std::ceil(x.bound), kind >= 2 ? std::max(1.0, x.unit) : x.unit,
        x.error);
  }

  void smooth_unary() {
    const Tracked picked = pick();
    const Tracked x = as_float(picked, is_float(picked.value.dtype()) ? picked.value.dtype() : DType::f32);
    const double eps = epsilon(x.value.dtype()) + epsilon(DType::f32);
    switch (choose(8)) {
      case 0:
        return x.bound > 3 ? void() : add(exp(x.value), std::exp(x.bound), 1, std::exp(x.bound) * (x.error + 4 * eps));
      case 1: return add(tanh(x.value), 1, 1, x.error + 4 * eps);
      case 2: return add(logistic(x.value), 1, 1, x.error + 4 * eps);
      case 3: return add(sin(x.value), 1, 1, x.error + 4 * eps);
      case 4: return add(cos(x.value), 1, 1, x.error + 4 * eps);
      case 5: {
        const Tracked p = positive(x);
        return add(log(p.value), std::log(p.bound), 1, p.error + 4 * eps * p.bound);
      }
      case 6: {
        const Tracked p = positive(x);
        return add(sqrt(p.value), std::sqrt(p.bound), 1, p.error + 4 * eps * p.bound);
      }
      default: {
        const Tracked p = positive(x);
        return add(rsqrt(p.value), 1, 1, p.error + 4 * eps * p.bound);
      }
    }
  }

  void arithmetic() {
    Tracked a = pick();
    const Tracked other = pick();
    const DType t = a.value.dtype();
    Tracked b = compatible(like(other, t), a.value.dims());
    if (!b.value.valid()) return;
    const uint32_t kind = choose(6);
    if ((kind == 3 || kind == 4) && (!may_decide(a, true) || !may_decide(b, true, 1))) return;
    if (t == DType::boolean && kind != 0 && kind < 3) return;
    if (kind == 1 && is_unsigned_int(t)) {
      add(a.value - b.value, exact_limit(t), 1, 0);  // wraps around
    } else if (kind == 0 || kind == 1) {
      add(kind == 0 ? a.value + b.value : a.value - b.value, a.bound + b.bound, std::min(a.unit, b.unit),
          a.error + b.error);
    } else if (kind == 2) {
      add(a.value * b.value, a.bound * b.bound, a.unit * b.unit,
          a.error * b.bound + b.error * a.bound + a.error * b.error);
    } else if (kind == 3) {
      add(maximum(a.value, b.value), std::max(a.bound, b.bound), std::min(a.unit, b.unit), a.error + b.error);
    } else if (kind == 4) {
      add(minimum(a.value, b.value), std::max(a.bound, b.bound), std::min(a.unit, b.unit), a.error + b.error);
    } else if (is_float(t)) {
      add(a.value * 0.5, a.bound / 2, a.unit / 2, a.error);
    }
  }

  void divided() {
    const Tracked a = as_float(pick(), any_float()), b = compatible(as_float(pick(), a.value.dtype()), a.value.dims());
    const Tracked p = positive(b);
    add(a.value / p.value, a.bound, 1, a.error + a.bound * (p.error + 4 * epsilon(a.value.dtype()) * p.bound));
  }

  void compared() {
    const Tracked a = pick(), b = compatible(as_integer(pick(), a.value.dtype()), a.value.dims());
    if (!a.exact() || !b.value.valid() || !b.exact()) return;
    constexpr const char* directions[] = {"EQ", "NE", "LT", "LE", "GT", "GE"};
    if (choose(8) == 0 && is_float(a.value.dtype())) return add(unary("is_finite", a.value), 1, 1, 0);
    add(compare(directions[choose(6)], a.value, b.value), 1, 1, 0);
  }

  void selected() {
    const Tracked a = pick(), picked = pick();
    const Tracked b = fitted(like(picked, a.value.dtype()), a.value.dims());
    const Tracked condition = fitted(as_integer(latest(DType::boolean), DType::boolean), a.value.dims());
    if (!b.value.valid() || !condition.value.valid()) return;
    add(select(condition.value, a.value, b.value), std::max(a.bound, b.bound), std::min(a.unit, b.unit),
        a.error + b.error);
  }

  void converted() {
    const Tracked x = pick();
    const DType t = any_dtype();
    if (!is_float(t) && !x.exact()) return;
    if (!is_float(t) && x.bound >= exact_limit(t) && is_float(x.value.dtype())) return;
    const Tracked y = as(x, t);
    add(y.value, y.bound, is_float(t) ? y.unit : 1, y.error);
  }

  void view() {
    const Tracked x = pick();
    const Dims& dims = x.value.dims();
    const uint32_t rank = uint32_t(dims.size());
    switch (choose(6)) {
      case 0: {  // stretch ones, add an axis in front
        Dims to = dims, axes(rank);
        std::iota(axes.begin(), axes.end(), 1);
        for (int64_t& d : to) d = d == 1 ? 1 + choose(3) : d;
        to.insert(to.begin(), 1 + choose(3));
        return num_elements(to) > build_.style.most_elements ? void() : same(broadcast_in_dim(x.value, to, axes), x);
      }
      case 1: {  // an axis behind
        Dims to = dims, axes(rank);
        std::iota(axes.begin(), axes.end(), 0);
        to.push_back(1 + choose(4));
        return num_elements(to) > build_.style.most_elements ? void() : same(broadcast_in_dim(x.value, to, axes), x);
      }
      case 2: {
        Dims order(rank);
        std::iota(order.begin(), order.end(), 0);
        for (uint32_t i = rank; i > 1; --i) std::swap(order[i - 1], order[choose(i)]);
        return same(transpose(x.value, order), x);
      }
      case 3: {  // split off a divisor, join neighbours
        const int64_t n = x.value.type().elements();
        if (n == 0) return same(reshape(x.value, {3, 0}), x);
        constexpr int64_t divisors[] = {1, 2, 3, 4, 5};
        const int64_t d = divisors[choose(5)];
        return same(reshape(x.value, n % d ? Dims{n} : coin() ? Dims{d, n / d} : Dims{n / d, 1, d}), x);
      }
      case 4: {
        Dims start, limit, step;
        for (const int64_t d : dims) {
          start.push_back(d ? choose(uint32_t(d)) : 0);
          limit.push_back(start.back() + (d ? choose(uint32_t(d - start.back() + 1)) : 0));
          step.push_back(1 + choose(3));
          if (limit.back() == start.back() && d && choose(8)) limit.back() = d;  // rarely empty
        }
        return same(slice(x.value, start, limit, step), x);
      }
      default: {
        Dims axes;
        for (uint32_t i = 0; i < rank; ++i) {
          if (coin()) axes.push_back(i);
        }
        return same(reverse(x.value, axes), x);
      }
    }
  }

  void padded() {
    const Tracked x = pick();
    Padding p;
    for (const int64_t d : x.value.dims()) {
      p.interior.push_back(choose(3) == 0);
      p.low.push_back(int64_t(choose(4)) - 1);
      p.high.push_back(int64_t(choose(4)) - 1);
      if (p.low.back() + p.high.back() + d + std::max<int64_t>(d - 1, 0) * p.interior.back() < 0)
        p.low.back() = p.high.back() = 1;
    }
    same(pad(x.value, constant(graph_, 1, x.value.dtype()), p),
         {x.value, std::max(1.0, x.bound), std::min(1.0, x.unit), x.error});
  }

  void concatenated() {
    const Tracked a = pick(), picked = pick();
    if (a.value.rank() == 0) return;
    const uint32_t axis = choose(uint32_t(a.value.rank()));
    Dims dims = a.value.dims();
    dims[axis] = choose(4);
    const Tracked b = fitted(like(picked, a.value.dtype()), dims);
    if (!b.value.valid()) return;
    add(concatenate({a.value, b.value, a.value}, axis), std::max(a.bound, b.bound), std::min(a.unit, b.unit),
        a.error + b.error);
  }

  void reduced() {
    Tracked x = pick();
    if (x.value.dtype() == DType::boolean || x.value.rank() == 0) return;
    Dims axes;
    double count = 1;
    for (int64_t i = 0; i < x.value.rank(); ++i) {
      if (coin()) axes.push_back(i), count *= double(x.value.dim(i));
    }
    if (axes.empty()) axes = {x.value.rank() - 1}, count = double(x.value.dim(-1));
    const uint32_t kind = choose(4);
    if (kind >= 2) {
      if (!may_decide(x, true)) return;
      if (count > 0) add(kind == 2 ? reduce_max(x.value, axes) : reduce_min(x.value, axes), x.bound, x.unit, x.error);
      return;
    }
    const Value sum = reduce_sum(x.value, axes);
    add(sum, x.bound * std::max(1.0, count), x.unit, x.error * std::max(1.0, count), x.bound * count);
    if (kind == 0 || pool_.empty() || pool_.back().value != sum) return;
    Dims kept = x.value.dims();  // back over the rows, as norms do
    for (const int64_t axis : axes) kept[size_t(axis)] = 1;
    const Tracked y = pool_.back();
    add(x.value - reshape(sum, kept), is_unsigned_int(sum.dtype()) ? exact_limit(sum.dtype()) : x.bound + y.bound,
        x.unit, x.error + y.error);
  }

  void bits() {
    const Tracked a = pick();
    const DType t = a.value.dtype();
    if (is_float(t)) return;
    const Tracked picked = pick();
    const Tracked b = compatible(as_integer(picked, t), a.value.dims());
    const double whole = t == DType::boolean ? 1 : exact_limit(t);
    constexpr const char* names[] = {"and", "or", "xor", "shift_left", "shift_right_logical", "shift_right_arithmetic"};
    const uint32_t kind = choose(7);
    if (kind == 6) return add(unary("not", a.value), whole, 1, 0);
    if (!b.value.valid() || (t == DType::boolean && kind > 2)) return;
    add(binary(names[kind], a.value, b.value), whole, 1, 0);
  }

  void dynamic() {
    const Tracked x = pick();
    std::vector<Value> starts;
    Dims sizes;
    for (const int64_t d : x.value.dims()) {
      sizes.push_back(d ? 1 + choose(uint32_t(d)) : 0);
      starts.push_back(reshape(whole_numbers({1}), {}));
    }
    if (coin()) return same(dynamic_slice(x.value, starts, sizes), x);
    const Tracked picked = pick();
    const Tracked update = fitted(like(picked, x.value.dtype()), sizes);
    if (!update.value.valid()) return;
    add(dynamic_update_slice(x.value, update.value, starts), std::max(x.bound, update.bound),
        std::min(x.unit, update.unit), x.error + update.error);
  }

  void barrier() {
    const Tracked a = pick(), b = pick();
    const std::vector<Value> passed = optimization_barrier({a.value, b.value});
    same(passed[0], a);
    same(passed[1], b);
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
