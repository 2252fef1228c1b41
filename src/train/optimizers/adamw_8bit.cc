// SPDX-License-Identifier: Apache-2.0
#include "ops/adamw_8bit/adamw_8bit.h"

#include "ops/adamw_8bit/dynamic_map.h"
#include "train/optimizers/optimizer.h"

namespace hearth {

std::vector<StateSpec> adamw_8bit_states(const TrainedTensor& tensor) {
  const int64_t blocks = (tensor.size() + kDynamicBlock - 1) / kDynamicBlock;
  const TensorType codes{DType::u8, {blocks, kDynamicBlock}}, scales{DType::f32, {blocks, 1}};
  return {{"m", codes}, {"m_scale", scales}, {"v", codes}, {"v_scale", scales}};
}

Update adamw_8bit_update(const UpdateArgs& args) {
  const OptimizerOptions& o = args.options;
  const std::vector<Value>& s = args.states;
  const AdamW8bitState next = adamw_8bit({args.parameter, {s[0], s[1], s[2], s[3]}},
                                         {args.gradient, args.rate, args.first, args.second, args.apply},
                                         {o.beta1, o.beta2, o.eps, args.decay()});
  return {next.parameter, {next.moments.m, next.moments.m_scale, next.moments.v, next.moments.v_scale}, true};
}

}  // namespace hearth
