// SPDX-License-Identifier: Apache-2.0
#include "array/recording.h"

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "ir/op.h"
#include "ops/elementwise/elementwise.h"

namespace hearth {
namespace {

thread_local std::shared_ptr<Recording> traced;  // null outside of traced functions
thread_local std::shared_ptr<Recording> lazy;
thread_local int transforms = 0;  // that lie around the present place

const ArrayState& state_of(const Array& x) {
  HEARTH_CHECK(x.valid(), value, "array: is used before it was given a value");
  return *x.state();
}

// An input of the recording that reads the buffer. Its name stays out of messages.
Value add_input(Recording& recording, std::shared_ptr<Buffer> buffer, const TensorType& type) {
  static const OpInfo& input = find_op("input");
  std::string name = ".array " + std::to_string(recording.buffers.size());
  recording.buffers.push_back(std::move(buffer));
  return recording.graph.add_node({.op = &input, .attrs = {{"name", std::move(name)}}, .types = {type}})[0];
}

// A number in memory, so that other numbers reuse the plan.
Value number_input(Recording& recording, const PlainNumber& number, DType dtype) {
  const auto put = [&](const auto& x) {
    auto buffer = std::make_shared<Buffer>(int64_t(sizeof x));
    std::memcpy(buffer->data(), &x, sizeof x);
    return add_input(recording, std::move(buffer), {dtype, {}});
  };
  switch (dtype) {
    case DType::boolean: return put(convert_number<uint8_t>(number));
    case DType::i8: return put(convert_number<int8_t>(number));
    case DType::i16: return put(convert_number<int16_t>(number));
    case DType::i32: return put(convert_number<int32_t>(number));
    case DType::i64: return put(convert_number<int64_t>(number));
    case DType::u8: return put(convert_number<uint8_t>(number));
    case DType::u16: return put(convert_number<uint16_t>(number));
    case DType::u32: return put(convert_number<uint32_t>(number));
    case DType::u64: return put(convert_number<uint64_t>(number));
    case DType::f16: return put(convert_number<f16>(number));
    case DType::bf16: return put(convert_number<bf16>(number));
    case DType::f32: return put(convert_number<float>(number));
    case DType::f64: return put(convert_number<double>(number));
    case DType::complex64: return put(convert_number<std::complex<float>>(number));
    case DType::complex128: break;
  }
  return put(convert_number<std::complex<double>>(number));
}

// A number in the graph, where a traced function can fold it.
Value number_constant(Graph& graph, const PlainNumber& number, DType dtype) {
  Attrs attrs{{"dtype", int64_t(dtype)}, {"shape", Dims{}}};
  if (!is_complex(dtype)) {
    const double real = convert_number<double>(number);
    if (is_float(dtype) || std::fabs(real) < 0x1p53) return constant(graph, real, dtype);
    return graph.add("constant", {}, attrs.set("values", Dims{convert_number<int64_t>(number)}));
  }
  const std::complex<double> z = convert_number<std::complex<double>>(number);
  return graph.add("constant", {}, attrs.set("values", std::vector<double>{z.real(), z.imag()}));
}

Value buffer_value(Recording& recording, const ArrayState& state) {
  const auto [found, fresh] = recording.inputs.try_emplace(state.buffer.get());
  if (fresh) found->second = add_input(recording, state.buffer, state.type);
  return found->second;
}

}  // namespace

std::recursive_mutex& array_mutex() {
  static std::recursive_mutex& mutex = *new std::recursive_mutex;
  return mutex;
}

TraceInto::TraceInto(std::shared_ptr<Recording> recording) : before_(std::move(traced)) {
  traced = std::move(recording);
}
TraceInto::~TraceInto() { traced = std::move(before_); }

Transforming::Transforming() { ++transforms; }
Transforming::~Transforming() { --transforms; }
bool is_tracing() { return traced || transforms > 0; }

const std::shared_ptr<Recording>& current_recording() {
  if (traced) return traced;
  if (!lazy) lazy = std::make_shared<Recording>();
  return lazy;
}

// The lazy recording ends: what is recorded from now on starts a new graph.
void end_lazy_recording(const std::shared_ptr<Recording>& recording) {
  if (lazy == recording) lazy = nullptr;
}

Value to_value(const Array& x, std::optional<DType> dtype) {
  const ArrayState& state = state_of(x);
  const std::shared_ptr<Recording>& recording = current_recording();
  const DType wanted = dtype.value_or(state.type.dtype);
  if (state.number) {
    return recording->lazy ? number_input(*recording, *state.number, wanted)
                           : number_constant(recording->graph, *state.number, wanted);
  }
  Value value;
  if (state.recording == recording) {
    value = state.value;
  } else {
    if (!state.buffer) evaluate({x.state()});
    value = buffer_value(*recording, state);
  }
  return wanted == value.dtype() ? value : convert(value, wanted);
}

Array from_value(const Value& value, bool weak) {
  const std::shared_ptr<Recording>& recording = current_recording();
  auto state = std::make_shared<ArrayState>(
      ArrayState{.type = value.type(), .weak = weak, .recording = recording, .value = value});
  if (recording->lazy) {
    std::vector<Recording::RecordedArray>& arrays = recording->arrays;
    if (!arrays.empty() && arrays.back().node > value.node) recording->in_order = false;
    arrays.push_back({value.node, state});
  }
  return Array(std::move(state));
}

PromotedType promoted(const Arrays& arrays) {
  PromotedType all{state_of(arrays.at(0)).type.dtype, state_of(arrays[0]).weak};
  for (const Array& x : arrays) all = promote(all, {state_of(x).type.dtype, x.weak()});
  return all;
}

PromotedType promoted(const Array& a, const Array& b) {
  const ArrayState &x = state_of(a), &y = state_of(b);
  return promote({x.type.dtype, x.weak}, {y.type.dtype, y.weak});
}

Values to_values(const Arrays& arrays, DType dtype) {
  Values values;
  for (const Array& x : arrays) values.push_back(to_value(x, dtype));
  return values;
}

}  // namespace hearth
