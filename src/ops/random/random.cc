// SPDX-License-Identifier: Apache-2.0
#include "ops/random/random.h"

#include <cmath>

#include "base/error.h"
#include "ir/op.h"
#include "ops/elementwise/elementwise.h"

namespace hearth {

Value random_bits(const Value& state, const Dims& dims, int64_t site) {
  return state.graph->add_all("rng_bit_generator", {state}, {{"shape", dims}, {"advance", site << 40}})[1];
}

Value dropout(const Value& x, double rate, const Value& state, int64_t site) {
  HEARTH_CHECK(rate >= 0 && rate < 1, value, "dropout: rate ", rate, " is not in [0, 1)");
  if (rate == 0) return x;
  const double threshold = std::floor(rate * 0x1p32);  // bits below it fall
  const Value limit = constant(*x.graph, threshold, DType::u32);
  const Value keep = compare("GE", random_bits(state, x.dims(), site), limit);
  return select(keep, x * (1 / (1 - rate)), scalar_like(x, 0));
}

std::vector<OpInfo> random_ops() {
  OpInfo bits{.name = "rng_bit_generator",
              .doc = "Threefry-2x32 random bits",
              .infer = [](const InferArgs& args) -> std::vector<TensorType> {
                HEARTH_CHECK(args.in[0].type() == (TensorType{DType::u64, {2}}), shape, args.op,
                             ": state must be u64[2]; it is ", args.in[0]);
                return {args.in[0].type(), {DType::u32, args.attrs.list("shape")}};
              },
              .differentiable = false};
  bits.offers = {{"cpu", "rng_bit_generator", nullptr}};
  return {bits};
}

}  // namespace hearth
