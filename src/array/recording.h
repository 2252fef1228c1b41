// SPDX-License-Identifier: Apache-2.0
#pragma once
// How functions on arrays reach the graph. For the files of this folder: users see array.h.
//
// Operations on arrays are recorded as nodes of a graph, a Recording. Outside of transforms each thread has one that is
// lazy: reading an array computes what it needs of it, and a new one begins. Inside jit the recording is that of the
// function being traced. An array is evaluated (its elements lie in a Buffer), recorded (a Value of some recording), or
// a plain number.

#include <mutex>
#include <optional>
#include <unordered_map>

#include "array/array.h"
#include "array/buffer.h"
#include "array/promote.h"
#include "ir/graph.h"

namespace hearth {

struct Recording {
  Graph graph;
  bool lazy = true;                              // false: traced, its arrays have no values
  std::vector<std::shared_ptr<Buffer>> buffers;  // per input of the graph; null for arguments of a traced function
  std::unordered_map<const Buffer*, Value> inputs;
  struct RecordedArray {
    int32_t node;
    std::weak_ptr<ArrayState> state;
  };
  std::vector<RecordedArray> arrays;  // recorded here
  bool in_order = true;               // of their nodes
  size_t settled = 0;                 // the first so many are gone or evaluated
};

struct ArrayState {
  TensorType type;
  bool weak = false;
  std::shared_ptr<Buffer> buffer = nullptr;        // when evaluated
  std::shared_ptr<Recording> recording = nullptr;  // when recorded,
  Value value = {};                                // as this value
  std::optional<PlainNumber> number = {};          // when it is a plain number
  std::optional<Error> failure = {};               // of an evaluation, thrown again by each read
};

// Held while arrays are recorded or evaluated: graphs are not safe for several threads, and plans run one at a time.
std::recursive_mutex& array_mutex();

// While it lives, what this thread does to arrays goes to the recording.
class TraceInto {
 public:
  explicit TraceInto(std::shared_ptr<Recording> recording);
  ~TraceInto();
  TraceInto(const TraceInto&) = delete;
  TraceInto& operator=(const TraceInto&) = delete;

 private:
  std::shared_ptr<Recording> before_;
};
// While one exists on this thread, what is recorded is being differentiated, batched or otherwise looked at as a graph:
// its arrays cannot be read, and jitted functions become part of it.
class Transforming {
 public:
  Transforming();
  ~Transforming();
  Transforming(const Transforming&) = delete;
  Transforming& operator=(const Transforming&) = delete;
};
bool is_tracing();  // inside jit or a transform, on this thread

// The recording that operations of this thread go to now.
const std::shared_ptr<Recording>& current_recording();
// The array as a value there. Arrays of other recordings are evaluated first. `dtype`: converted; a plain number is
// made in that type.
Value to_value(const Array& x, std::optional<DType> dtype = {});
// An array that stands for the value.
Array from_value(const Value& value, bool weak = false);

// Outputs of f(graph, values) as arrays: how every function on arrays is made of a function on values.
template <class F>
Arrays record_all(const Arrays& in, F&& f) {
  const std::lock_guard lock(array_mutex());
  Values values;
  for (const Array& x : in) values.push_back(to_value(x));
  Arrays out;
  for (const Value& value : f(current_recording()->graph, values)) out.push_back(from_value(value));
  return out;
}
// f(value...) -> Value
template <class F, class... A>
Array record(F&& f, const A&... in) {
  const std::lock_guard lock(array_mutex());
  return from_value(f(to_value(in)...));
}

// The common type of operands, and the operands as values of that type.
PromotedType promoted(const Arrays& arrays);
PromotedType promoted(const Array& a, const Array& b);
Values to_values(const Arrays& arrays, DType dtype);

void end_lazy_recording(const std::shared_ptr<Recording>& recording);
// Computes them; those alive that they need on the way keep their elements too. Error{state} for traced ones.
void evaluate(const std::vector<std::shared_ptr<ArrayState>>& states);

}  // namespace hearth
