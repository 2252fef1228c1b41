// SPDX-License-Identifier: Apache-2.0
#include "call.h"

namespace hearth {

namespace {

const CallTable kOne = {HEARTH_CALL_ONE(abs),           HEARTH_CALL_ONE(acos),          HEARTH_CALL_ONE(acosh),
                        HEARTH_CALL_ONE(angle),         HEARTH_CALL_ONE(asin),          HEARTH_CALL_ONE(asinh),
                        HEARTH_CALL_ONE(atan),          HEARTH_CALL_ONE(atanh),         HEARTH_CALL_ONE(cbrt),
                        HEARTH_CALL_ONE(ceil),          HEARTH_CALL_ONE(conj),          HEARTH_CALL_ONE(cos),
                        HEARTH_CALL_ONE(cosh),          HEARTH_CALL_ONE(deg2rad),       HEARTH_CALL_ONE(digamma),
                        HEARTH_CALL_ONE(erf),           HEARTH_CALL_ONE(erfc),          HEARTH_CALL_ONE(erfinv),
                        HEARTH_CALL_ONE(exp),           HEARTH_CALL_ONE(exp2),          HEARTH_CALL_ONE(expm1),
                        HEARTH_CALL_ONE(floor),         HEARTH_CALL_ONE(imag),          HEARTH_CALL_ONE(isfinite),
                        HEARTH_CALL_ONE(isinf),         HEARTH_CALL_ONE(isnan),         HEARTH_CALL_ONE(lgamma),
                        HEARTH_CALL_ONE(log),           HEARTH_CALL_ONE(log10),         HEARTH_CALL_ONE(log1p),
                        HEARTH_CALL_ONE(log2),          HEARTH_CALL_ONE(log_sigmoid),   HEARTH_CALL_ONE(logical_not),
                        HEARTH_CALL_ONE(logit),         HEARTH_CALL_ONE(negative),      HEARTH_CALL_ONE(positive),
                        HEARTH_CALL_ONE(rad2deg),       HEARTH_CALL_ONE(real),          HEARTH_CALL_ONE(reciprocal),
                        HEARTH_CALL_ONE(relu),          HEARTH_CALL_ONE(rsqrt),         HEARTH_CALL_ONE(sigmoid),
                        HEARTH_CALL_ONE(sign),          HEARTH_CALL_ONE(signbit),       HEARTH_CALL_ONE(silu),
                        HEARTH_CALL_ONE(sin),           HEARTH_CALL_ONE(sinc),          HEARTH_CALL_ONE(sinh),
                        HEARTH_CALL_ONE(softplus),      HEARTH_CALL_ONE(sqrt),          HEARTH_CALL_ONE(square),
                        HEARTH_CALL_ONE(tan),           HEARTH_CALL_ONE(tanh),          HEARTH_CALL_ONE(trunc),
                        HEARTH_CALL_ONE(bitwise_count), HEARTH_CALL_ONE(bitwise_invert)};

const CallTable kTwo = {
    HEARTH_CALL_TWO(add),           HEARTH_CALL_TWO(atan2),        HEARTH_CALL_TWO(bitwise_and),
    HEARTH_CALL_TWO(bitwise_or),    HEARTH_CALL_TWO(bitwise_xor),  HEARTH_CALL_TWO(bitwise_left_shift),
    HEARTH_CALL_TWO(copysign),      HEARTH_CALL_TWO(divide),       HEARTH_CALL_TWO(bitwise_right_shift),
    HEARTH_CALL_TWO(equal),         HEARTH_CALL_TWO(floor_divide), HEARTH_CALL_TWO(fmax),
    HEARTH_CALL_TWO(fmin),          HEARTH_CALL_TWO(fmod),         HEARTH_CALL_TWO(greater),
    HEARTH_CALL_TWO(greater_equal), HEARTH_CALL_TWO(heaviside),    HEARTH_CALL_TWO(hypot),
    HEARTH_CALL_TWO(ldexp),         HEARTH_CALL_TWO(less),         HEARTH_CALL_TWO(less_equal),
    HEARTH_CALL_TWO(logaddexp),     HEARTH_CALL_TWO(logaddexp2),   HEARTH_CALL_TWO(logical_and),
    HEARTH_CALL_TWO(logical_or),    HEARTH_CALL_TWO(logical_xor),  HEARTH_CALL_TWO(maximum),
    HEARTH_CALL_TWO(minimum),       HEARTH_CALL_TWO(mod),          HEARTH_CALL_TWO(multiply),
    HEARTH_CALL_TWO(nextafter),     HEARTH_CALL_TWO(not_equal),    HEARTH_CALL_TWO(pow),
    HEARTH_CALL_TWO(power),         HEARTH_CALL_TWO(remainder),    HEARTH_CALL_TWO(subtract),
    HEARTH_CALL_TWO(array_equal)};

const CallTable kOthers = {
    HEARTH_CALL_THREE(where),
    {"divmod", [](const Call& c) { return divmod(c[0], c[1]); }},
    {"clip", [](const Call& c) { return Arrays{clip(c[0], c.maybe_array("low"), c.maybe_array("high"))}; }},
    {"round", [](const Call& c) { return Arrays{round(c[0], c.integer("decimals"))}; }},
    {"gelu", [](const Call& c) { return Arrays{gelu(c[0], {.approximate = c.get<bool>("approximate", true)})}; }},
    {"leaky_relu",
     [](const Call& c) { return Arrays{leaky_relu(c[0], {.negative_slope = c.get<double>("negative_slope", 0.01)})}; }},
    {"elu", [](const Call& c) { return Arrays{elu(c[0], c.get<double>("alpha", 1.0))}; }},
    {"softmax", [](const Call& c) { return Arrays{softmax(c[0], c.integer("axis", -1))}; }},
    {"log_softmax", [](const Call& c) { return Arrays{log_softmax(c[0], c.integer("axis", -1))}; }},
    {"logsumexp",
     [](const Call& c) { return Arrays{logsumexp(c[0], {.axes = c.maybe<Dims>("axis"), .keepdims = c.keepdims()})}; }},
    {"one_hot", [](const Call& c) { return Arrays{one_hot(c[0], c.integer("classes"), {.dtype = c.dtype()})}; }},
    {"nan_to_num",
     [](const Call& c) {
       return Arrays{nan_to_num(
           c[0],
           {.nan = c.get<double>("nan", 0), .posinf = c.maybe<double>("posinf"), .neginf = c.maybe<double>("neginf")})};
     }},
    {"isclose",
     [](const Call& c) {
       return Arrays{isclose(c[0], c[1],
                             {.rtol = c.get<double>("rtol", 1e-5),
                              .atol = c.get<double>("atol", 1e-8),
                              .equal_nan = c.get<bool>("equal_nan", false)})};
     }},
    {"allclose",
     [](const Call& c) { return Arrays{allclose(c[0], c[1], {.equal_nan = c.get<bool>("equal_nan", false)})}; }},
    // The operators of array.h.
    {"operators",
     [](const Call& c) {
       const Array &a = c[0], &b = c[1];
       Array sum = a, difference = a, product = a, quotient = a;
       sum += b, difference -= b, product *= b, quotient /= b;
       return Arrays{a + b,  a - b, a * b,      a / b,   a % b,   -a, +a, a == b, a != b, a<b, a <= b, a> b,
                     a >= b, sum,   difference, product, quotient};
     }},
    {"bit_operators", [](const Call& c) {
       const Array &a = c[0], &b = c[1];
       return Arrays{a & b, a | b, a ^ b, ~a, a << b, a >> b};
     }}};

}  // namespace

void add_elementwise_calls(CallTable& table) {
  for (const CallTable* rows : {&kOne, &kTwo, &kOthers}) table.insert(rows->begin(), rows->end());
}

}  // namespace hearth
