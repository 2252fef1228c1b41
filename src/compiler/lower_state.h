// SPDX-License-Identifier: Apache-2.0
#pragma once
// What lowering works on: buffers, the instructions emitted so far, and where each value lies.

#include <map>
#include <tuple>

#include "compiler/row_builder.h"
#include "plan/plan.h"

namespace hearth {

struct LowBuffer {
  TensorType type;  // of the value that made it
  Storage storage = Storage::arena;
  int32_t device = 0;
  int64_t number = 0;    // input, output: its number; constant: offset
  int32_t same_as = -1;  // shares the memory of this buffer (in place, or another name for it)
  int32_t writer = -1;   // instruction
};

// Emits instructions with buffers not yet placed; finish() places them.
class Emitter {
 public:
  Emitter(const Graph& graph, const Views& views, const Backends& backends);

  const Graph& graph() const { return graph_; }
  int device_number(int backend) const { return backend_device_[size_t(backend)]; }

  // Where a value lies; -1 when it was not computed into memory.
  int32_t buffer_of(const Value& value) const;
  void set_buffer(const Value& value, int32_t buffer) { buffers_of_[{value.node, value.output}] = buffer; }

  int32_t new_buffer(const TensorType& type, int32_t device);
  // The same bytes on another device, by a move when they are not there yet.
  int32_t on_device(int32_t buffer, int32_t device);
  // Plan tensor for a buffer seen with a type.
  int32_t tensor(int32_t buffer, const TensorType& type);

  struct Call {
    std::string kernel;
    int32_t device = 0;
    std::vector<int32_t> in = {}, out = {};  // plan tensors
    Attrs attrs = {};
    int32_t program = -1;
    std::vector<int32_t> bodies = {};
    int64_t workspace_bytes = 0;
    std::string scope = {};
    std::vector<std::pair<int, int>> in_place = {};  // (input, output) that may share memory
  };
  void emit(Call call);
  int32_t add_program(RowProgram program);
  int32_t add_body(Plan plan);
  // Emits the row program that computes `built`; outputs get buffers. Returns their numbers.
  std::vector<int32_t> emit_program(BuiltProgram built, const std::vector<TensorType>& output_types,
                                    const std::string& scope);
  // The view as a dense tensor with the given shape, on the device; copied once however often it is asked for.
  int32_t dense(const View& view, const TensorType& type, int32_t device);  // a plan tensor
  int32_t dense_buffer(const View& view, const TensorType& type);           // the same on the host, as a buffer
  int32_t emit_transposition(const View& view, int32_t from, const TensorType& type);  // the result's buffer
  int32_t constant_bytes(const Node& node);                                            // buffer of a list constant

  Plan finish();

 private:
  int32_t root(int32_t buffer) const;
  void share_in_place(std::vector<int32_t>& last_read);
  void bind_outputs();
  int32_t own_output(int32_t output);
  void copy(int32_t from, int32_t to, const GraphOutput& output);
  void copy_to_donors(const std::vector<int32_t>& outputs, const std::vector<int32_t>& donors);
  bool try_donate(int32_t output, int32_t buffer, int32_t donor);
  void place_buffers();
  std::vector<int32_t> last_reads() const;  // per root buffer, the last instruction that reads or writes it

  const Graph& graph_;
  const Views& views_;
  Plan plan_;
  std::vector<int> backend_device_;
  std::vector<LowBuffer> buffers_;
  std::vector<int32_t> buffer_of_tensor_;
  std::vector<std::vector<std::pair<int, int>>> in_place_;  // per instruction
  std::map<std::pair<int32_t, int32_t>, int32_t> buffers_of_;
  std::map<std::pair<int32_t, int32_t>, int32_t> moved_;
  std::map<std::tuple<int32_t, DType, Dims>, int32_t> tensors_;
  std::map<std::tuple<int32_t, int32_t, int64_t, Dims, Dims>, int32_t> copies_;
};

}  // namespace hearth
