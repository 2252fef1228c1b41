// SPDX-License-Identifier: Apache-2.0
#pragma once
// Steps of random graphs with bodies: random graphs themselves, which read values from around them.

#include "array/transforms.h"
#include "compiler/random_graph_model_test.h"
#include "ops/control/control.h"

namespace hearth {

class ControlSteps : public ModelSteps {
 protected:
  using ModelSteps::ModelSteps;

  // What some random steps make of these values, inside a body.
  virtual Tracked inner(const std::vector<Tracked>& values, uint64_t seed) = 0;

  void branched() {
    const Tracked a = pick(), b = pick();
    const uint64_t seed = random_below(1 << 30);
    const Value index = reshape(whole_numbers({1}), {});
    Tracked like_all = a;
    const auto branch = [&](uint64_t which) {
      return [&, which]() -> Values {
        const Tracked made = shaped(inner({b, a}, seed + which), a);
        like_all.bound = std::max(like_all.bound, made.bound), like_all.unit = std::min(like_all.unit, made.unit);
        like_all.error = std::max(like_all.error, made.error);
        return {made.value};
      };
    };
    if (choose(2) == 0) {
      const Value pred = compare("GT", index, scalar_like(index, 0));
      const Values out = cond(pred, branch(0), [&]() -> Values { return {a.value}; });  // one that computes nothing
      return same(out[0], like_all);
    }
    const Values out = switch_case(index, {branch(0), branch(1), branch(2)});
    same(out[0], like_all);
  }

  // carry = step of (carry, h(x)); y = a body of its own of both. How the carry moves keeps errors from growing.
  void scanned() {
    const int64_t length = choose(5);
    const Tracked c = pick(), a = pick();
    Dims row = with_an_axis(any_dims()), all = row;
    all.insert(all.begin(), length);
    const Tracked x = length ? fitted(pick(), all) : Tracked{};
    const uint64_t seed = random_below(1 << 30);
    const uint32_t kind = choose(4);
    Tracked carry = c, ys = c;
    const auto h_of = [&](const Tracked& one) {
      return shaped(inner(one.value.valid() ? std::vector<Tracked>{a, one} : std::vector<Tracked>{a}, seed), c);
    };
    const ScanBody body = [&](const Values& state, const Values& rows) -> ScanResult {
      Tracked one = x;
      if (length) one.value = rows[0];
      const Tracked h = h_of(one);
      carry = moved({state[0], c.bound, c.unit, c.error}, h, kind, double(length));
      ys = inner({{state[0], carry.bound, carry.unit, carry.error}, h}, seed + 1);
      return {{carry.value}, {ys.value}};
    };
    const ScanResult end = scan(graph_, body, {c.value}, length ? Values{x.value} : Values{},
                                {.length = length, .reverse = choose(3) == 0});
    carry.error = std::max(carry.error, c.error), carry.bound = std::max(carry.bound, c.bound);
    same(end.carry[0], carry);
    ys.bound = std::max(ys.bound, 1.0);
    same(end.ys[0], ys);
  }

  // As often as data says, up to three times; inside of vmap another number for each example.
  void looped() {
    if (choose(3) != 0) return counted_loop();
    const Tracked c = pick(), a = pick();
    const Value times = reshape(whole_numbers({1}), {}) & constant(graph_, 3, DType::i32);
    const uint64_t seed = random_below(1 << 30);
    const uint32_t kind = choose(4);
    Tracked carry = c;
    const Values end = while_loop([&](const Values& s) { return compare("LT", s[0], times); },
                                  [&](const Values& s) -> Values {
                                    const Tracked h = shaped(inner({a}, seed), c);
                                    carry = moved({s[1], c.bound, c.unit, c.error}, h, kind, 3);
                                    return {s[0] + scalar_like(s[0], 1), carry.value};
                                  },
                                  {scalar_like(times, 0), c.value});
    build_.reversible = false;
    carry.error = std::max(carry.error, c.error), carry.bound = std::max(carry.bound, c.bound);
    same(end[1], carry);
    add(end[0], 3, 1, 0);
  }

  void counted_loop() {
    const Tracked c = pick(), a = pick();
    const uint64_t seed = random_below(1 << 30);
    const uint32_t kind = choose(4);
    const int64_t stop = choose(4);
    Tracked carry = c;
    const Values end = fori_loop(0, stop,
                                 [&](const Value& i, const Values& s) -> Values {
                                   const Tracked h = shaped(inner({a, {i, 3, 1, 0}}, seed), c);
                                   carry = moved({s[0], c.bound, c.unit, c.error}, h, kind, double(stop));
                                   return {carry.value};
                                 },
                                 {c.value});
    carry.error = std::max(carry.error, c.error), carry.bound = std::max(carry.bound, c.bound);
    same(end[0], carry);
  }

  void mapped() {
    const Tracked x = pick(), a = pick();
    if (x.value.rank() == 0 || x.value.dim(0) == 0) return;
    const uint64_t seed = random_below(1 << 30);
    Tracked made;
    const Values ys = map(
        [&](const Values& row) -> Values {
          made = inner({a, {row[0], x.bound, x.unit, x.error}}, seed);
          return {made.value};
        },
        {x.value});
    same(ys[0], made);
  }

  // A function with a derivative of its own, one that is computed again, or one under a name.
  void wrapped() {
    const DType t = any_float();
    const Tracked x = small(t, any_dims());
    const double eps = 8 * (epsilon(t) + epsilon(DType::f32));
    const uint64_t seed = random_below(1 << 30);
    Tracked made;
    const Function f = [&](const Values& in) -> Values {
      made = inner({{in[0], x.bound, x.unit, x.error}}, seed);
      return {made.value};
    };
    switch (choose(4)) {
      case 0: {
        const Value y = checkpoint(f, coin() ? save_nothing() : save_dots())({x.value})[0];
        return same(y, made);
      }
      case 1: {
        const Value y = composite({.name = "random"}, f, {x.value})[0];
        return same(y, made);
      }
      case 2: {
        const Function wave = [](const Values& in) -> Values { return {in[0] * sin(in[0])}; };
        const Function both = [&](const Values& in) -> Values { return {wave(in)[0], in[0]}; };
        const TwoPartFunction back = [](const Values& kept, const Values& u) -> Values {
          return {u[0] * (sin(kept[0]) + kept[0] * cos(kept[0]))};
        };
        return add(custom_vjp(wave, both, back)({x.value})[0], 1, 1, 2 * x.error + eps);
      }
      default: {
        const Function wave = [](const Values& in) -> Values { return {tanh(in[0]) * in[0]}; };
        const TwoPartFunction rule = [](const Values& in, const Values& tangent) -> Values {
          const Value y = tanh(in[0]);
          return {tangent[0] * (y + in[0] * (1.0 - y * y))};
        };
        return add(custom_jvp(wave, rule)({x.value})[0], 1, 1, 2 * x.error + eps);
      }
    }
  }

 private:
  // In the type of `wanted`, of numbers that stay small.
  Tracked shaped(const Tracked& x, const Tracked& wanted) {
    const Tracked y = like(x, wanted.value.dtype());
    return y.value.valid() ? fitted(y, wanted.value.dims()) : wanted;
  }

  // The carry after `steps` steps.
  Tracked moved(const Tracked& c, const Tracked& h, uint32_t kind, double steps) {
    const DType t = c.value.dtype();
    const double eps = 2 * epsilon(t) + epsilon(DType::f32);
    if (t == DType::boolean) return {c.value ^ h.value, 1, 1, 0};
    if (!is_float(t)) return {c.value + h.value, exact_limit(t), 1, 0};
    Tracked y;
    if (kind == 0) {
      y = {c.value + h.value, c.bound + steps * h.bound, std::min(c.unit, h.unit), c.error + steps * h.error};
      if (y.error > 0 || y.bound / y.unit > exact_limit(t)) y.error += steps * eps * y.bound;
    } else if (kind == 1) {
      y = {sin(c.value) + h.value, std::max(c.bound, 1 + h.bound), 1, 0};
      y.error = c.error + steps * (h.error + eps * (1 + h.bound));
    } else if (kind == 2) {
      y = {c.value * 0.5 + h.value, c.bound + 2 * h.bound, 1, 0};
      y.error = c.error + steps * (h.error + eps * (c.bound + 2 * h.bound));
    } else {
      y = {h.value, std::max(c.bound, h.bound), std::min(c.unit, h.unit), std::max(c.error, h.error)};
    }
    return y;
  }
};

}  // namespace hearth
