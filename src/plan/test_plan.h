// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plans made by hand, for tests.

#include <cstring>

#include "plan/plan.h"

namespace hearth {

struct TestPlan {
  Plan plan;

  TestPlan() {
    plan.devices = {"cpu"};
    plan.arena_bytes = {0};
  }
  int32_t tensor(const TensorType& type, Storage storage, int64_t offset, int32_t device = 0) {
    plan.tensors.push_back({type, storage, device, offset});
    return int32_t(plan.tensors.size()) - 1;
  }
  int32_t input(const std::string& name, const TensorType& type, int32_t device = 0) {
    const int32_t id = tensor(type, Storage::input, int64_t(plan.inputs.size()), device);
    plan.inputs.push_back({name, id, -1});
    return id;
  }
  int32_t output(const std::string& name, const TensorType& type, int32_t donor = -1, int32_t device = 0) {
    const int32_t id = tensor(type, Storage::output, int64_t(plan.outputs.size()), device);
    plan.outputs.push_back({name, id, donor});
    return id;
  }
  // At the end of the arena, which grows.
  int32_t arena(const TensorType& type, int32_t device = 0) {
    int64_t& bytes = plan.arena_bytes[size_t(device)];
    const int32_t id = tensor(type, Storage::arena, bytes, device);
    bytes += (type.bytes() + 63) / 64 * 64;
    return id;
  }
  template <class T>
  int32_t constant(const Dims& dims, const std::vector<T>& values, int32_t device = 0) {
    const size_t start = (plan.constants.size() + 63) / 64 * 64, bytes = values.size() * sizeof(T);
    plan.constants.resize(start + bytes);
    if (bytes) std::memcpy(plan.constants.data() + start, values.data(), bytes);
    return tensor({dtype_of<T>, dims}, Storage::constant, int64_t(start), device);
  }
  PlanInstruction& add(const std::string& kernel, std::vector<int32_t> inputs, std::vector<int32_t> outputs,
                       Attrs attrs = {}, int32_t device = 0) {
    PlanInstruction instruction;
    instruction.kernel = kernel;
    instruction.device = device;
    instruction.inputs = std::move(inputs);
    instruction.outputs = std::move(outputs);
    instruction.attrs = std::move(attrs);
    plan.instructions.push_back(std::move(instruction));
    return plan.instructions.back();
  }
};

// y = (x + c) * x on cpu; x f32[4].
inline Plan small_plan() {
  TestPlan t;
  const TensorType type{DType::f32, {4}};
  const int32_t x = t.input("x", type), c = t.constant<float>({4}, {1, 2, 3, 4}), sum = t.arena(type),
                y = t.output("y", type);
  t.add("reference.add", {x, c}, {sum}).scope = "layers.0";
  t.add("reference.multiply", {sum, x}, {y});
  t.plan.live_bytes_max = 16;
  return t.plan;
}

}  // namespace hearth
