// SPDX-License-Identifier: Apache-2.0
#include "array/run_graph.h"

#include <cstring>

#include "base/error.h"
#include "runtime/session.h"

namespace hearth {

std::vector<Bytes> run_graph(const Graph& graph, const std::vector<Bytes>& inputs, const CompileOptions& options) {
  Session session(compile(graph, options));
  std::vector<Bytes> copies = inputs;  // donated ones are written to
  HEARTH_CHECK(inputs.size() == session.inputs(), value, "run_graph: ", inputs.size(), " inputs given, the graph has ",
               session.inputs());
  for (size_t i = 0; i < inputs.size(); ++i) {
    HEARTH_CHECK(int64_t(inputs[i].size()) == session.input_type(i).bytes(), shape, "run_graph: input ", i, " has ",
                 inputs[i].size(), " bytes, the graph wants ", session.input_type(i));
    session.bind_input(i, copies[i].data());
  }
  session.run();
  std::vector<Bytes> outputs;
  for (size_t o = 0; o < session.outputs(); ++o) {
    outputs.emplace_back(size_t(session.output_type(o).bytes()));
    session.read_output(o, outputs.back().data());
  }
  return outputs;
}

namespace {

template <class T, class Stored>
void put(Bytes& bytes, const std::vector<double>& values) {
  bytes.resize(values.size() * sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    const T x = T(Stored(values[i]));
    std::memcpy(bytes.data() + i * sizeof(T), &x, sizeof(T));
  }
}

template <class T, class Stored>
void get(std::vector<double>& values, const Bytes& bytes) {
  for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
    T x;
    std::memcpy(&x, bytes.data() + i * sizeof(T), sizeof(T));
    values.push_back(double(Stored(x)));
  }
}

// Calls f.template operator()<T, S>() for the C++ type T of a dtype, converted by way of S.
template <class F>
void with_type(DType dtype, F&& f) {
  switch (dtype) {
    case DType::boolean: return f.template operator()<uint8_t, int64_t>();
    case DType::i8: return f.template operator()<int8_t, int64_t>();
    case DType::i16: return f.template operator()<int16_t, int64_t>();
    case DType::i32: return f.template operator()<int32_t, int64_t>();
    case DType::i64: return f.template operator()<int64_t, int64_t>();
    case DType::u8: return f.template operator()<uint8_t, uint64_t>();
    case DType::u16: return f.template operator()<uint16_t, uint64_t>();
    case DType::u32: return f.template operator()<uint32_t, uint64_t>();
    case DType::u64: return f.template operator()<uint64_t, uint64_t>();
    case DType::f16: return f.template operator()<f16, float>();
    case DType::bf16: return f.template operator()<bf16, float>();
    case DType::complex64:
    case DType::f32: return f.template operator()<float, float>();
    case DType::complex128:
    case DType::f64: return f.template operator()<double, double>();
  }
}

}  // namespace

Bytes to_bytes(DType dtype, const std::vector<double>& values) {
  Bytes bytes;
  with_type(dtype, [&]<class T, class S>() { put<T, S>(bytes, values); });
  return bytes;
}

std::vector<double> to_doubles(DType dtype, const Bytes& bytes) {
  std::vector<double> values;
  with_type(dtype, [&]<class T, class S>() { get<T, S>(values, bytes); });
  return values;
}

}  // namespace hearth
