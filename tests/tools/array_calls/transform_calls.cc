// SPDX-License-Identifier: Apache-2.0
// Transforms and control flow of one function, f(x, y) = exp(sin(x) y) + x x y element by element, and of its sum.
#include "base/error.h"
#include "call.h"

namespace hearth {

namespace {

Array wave(const Array& x, const Array& y) { return exp(sin(x) * y) + x * x * y; }
Array total_wave(const Array& x, const Array& y) { return sum(wave(x, y)); }
Arrays both(const Arrays& x) { return {sin(x.at(0)), x.at(0) * x.at(1)}; }

Arrays call_jvp(const Call& c) {
  const ArrayJvp moved = jvp(on_list(wave), {c[0], c[1]}, {c[2], c[3]});
  return {moved.outputs.at(0), moved.tangents.at(0)};
}
Arrays call_vjp(const Call& c) {
  const ArrayVjp back = vjp(on_list(wave), {c[0], c[1]});
  Arrays all = back.pull_back({c[2]});
  all.push_back(back.outputs.at(0));
  return all;
}

// f with the derivative 3 dx, whatever f's own is.
Array tripled(const Array& x) {
  const ArrayFunction f = [](const Arrays& in) { return Arrays{sin(in.at(0))}; };
  return custom_vjp(
             f,
             [](const Arrays& in) {
               return Arrays{sin(in.at(0)), in.at(0)};
             },
             [](const Arrays&, const Arrays& d) { return Arrays{d.at(0) * 3}; })({x})
      .at(0);
}
Array tripled_forward(const Array& x) {
  const ArrayFunction f = [](const Arrays& in) { return Arrays{sin(in.at(0))}; };
  return custom_jvp(f, [](const Arrays&, const Arrays& d) { return Arrays{d.at(0) * 3}; })({x}).at(0);
}

const CallTable kTransforms = {
    {"grad",
     [](const Call& c) {
       return grad(total_wave, {0, 1})(c[0], c[1]);
     }},
    {"value_and_grad",
     [](const Call& c) {
       return value_and_grad(total_wave, {1, 0})(c[0], c[1]);
     }},
    {"jacfwd", [](const Call& c) { return Arrays{jacfwd(wave)(c[0], c[1])}; }},
    {"jacrev", [](const Call& c) { return Arrays{jacrev(wave)(c[0], c[1])}; }},
    {"hessian", [](const Call& c) { return Arrays{hessian(total_wave)(c[0], c[1])}; }},
    {"checkpoint", [](const Call& c) { return Arrays{grad(checkpoint(total_wave))(c[0], c[1])}; }},
    {"vmap",
     [](const Call& c) {
       return Arrays{vmap(grad(total_wave), {0, std::nullopt}, {1})(c[0], c[1])};
     }},
    {"jit", [](const Call& c) { return Arrays{jit(vmap(total_wave))(c[0], c[1])}; }},
    {"jvp", call_jvp},
    {"vjp", call_vjp},
    {"custom_vjp",
     [](const Call& c) {
       return Arrays{tripled(c[0]), grad([](const Array& x) { return sum(tripled(x)); })(c[0])};
     }},
    {"custom_jvp",
     [](const Call& c) {
       return Arrays{tripled_forward(c[0]), grad([](const Array& x) { return sum(tripled_forward(x)); })(c[0])};
     }},
};

// Powers of two by the branches of a switch; the index is clamped.
const ArrayFunction kHalf = [](const Arrays& x) { return Arrays{x.at(0) / 2}; };
const ArrayFunction kDouble = [](const Arrays& x) { return Arrays{x.at(0) * 2}; };
const ArrayFunction kSquare = [](const Arrays& x) { return Arrays{x.at(0) * x.at(0)}; };

const CallTable kControl = {
    {"switch_case",
     [](const Call& c) {
       return switch_case(c[0], {kHalf, kDouble, kSquare}, {c[1]});
     }},
    {"control.cond", [](const Call& c) { return cond(c[0], kHalf, kDouble, {c[1]}); }},
    {"map", [](const Call& c) { return map(both, c.arrays()); }},
    {"scan",
     [](const Call& c) {
       const auto body = [](const Arrays& carry, const Arrays& x) {
         const Array next = carry.at(0) * 0.5 + x.at(0);
         return ArrayScan{{next}, {next * next}};
       };
       const ArrayScan all = scan(body, {c[0]}, {c[1]}, -1, c.get<bool>("reverse", false));
       return Arrays{all.carry.at(0), all.ys.at(0)};
     }},
    {"fori_loop",
     [](const Call& c) {
       const auto body = [](const Array& i, const Arrays& x) { return Arrays{x.at(0) * 0.5 + i}; };
       return fori_loop(c.integer("start"), c.integer("stop"), body, {c[0]});
     }},
    {"while_loop",
     [](const Call& c) {
       const auto small = [](const Arrays& x) { return sum(x.at(0)) < 1000; };
       return while_loop(small, kDouble, {c[0]});
     }},
};

}  // namespace

void add_transform_calls(CallTable& table) {
  for (const CallTable* rows : {&kTransforms, &kControl}) table.insert(rows->begin(), rows->end());
}

}  // namespace hearth
