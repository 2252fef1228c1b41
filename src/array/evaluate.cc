// SPDX-License-Identifier: Apache-2.0
// Evaluation: the part of a recording that some arrays need is compiled (or found in the cache) and run.

#include <algorithm>
#include <cstring>

#include "array/plan_cache.h"
#include "array/profile.h"
#include "array/recording.h"
#include "base/error.h"

namespace hearth {
namespace {

constexpr int64_t kDonatedFrom = 1 << 14;  // bytes; smaller buffers are cheaper to take new than to look for

class Evaluation {
 public:
  Evaluation(std::shared_ptr<Recording> recording, std::vector<std::shared_ptr<ArrayState>> wanted)
      : recording_(std::move(recording)), states_(std::move(wanted)) {}

  void run() {
    find_part();
    add_arrays_on_the_way();
    // The arrays let go of the recording, so that buffers nobody else holds can be seen.
    std::vector<Value> values;
    for (const auto& state : states_) values.push_back(state->value);
    const std::vector<int32_t> donors = choose_donors(values);
    Session& session = session_for(recording_->graph, part_, values, donors);
    run_bound(session);
    for (size_t i = 0; i < states_.size(); ++i) {
      states_[i]->buffer = buffers_[i];
      states_[i]->recording = nullptr;
      states_[i]->value = {};
    }
  }

 private:
  void find_part() {
    std::vector<Value> values;
    for (const auto& state : states_) values.push_back(state->value);
    part_ = needed_by(recording_->graph, values);
  }

  // Arrays that the user still holds and that lie in the part: computed once, not again by each expression.
  void add_arrays_on_the_way() {
    std::vector<const ArrayState*> known;
    for (const auto& state : states_) known.push_back(state.get());
    std::sort(known.begin(), known.end());
    sort_arrays();
    const std::vector<Recording::RecordedArray>& arrays = recording_->arrays;
    for (const int32_t node : part_.nodes) {
      auto at = std::lower_bound(arrays.begin(), arrays.end(), node,
                                 [](const Recording::RecordedArray& array, int32_t id) { return array.node < id; });
      for (; at != arrays.end() && at->node == node; ++at) {
        std::shared_ptr<ArrayState> state = at->state.lock();
        if (!state || state->recording != recording_) continue;
        if (!std::binary_search(known.begin(), known.end(), state.get())) states_.push_back(std::move(state));
      }
    }
    look_for_others();
  }

  void sort_arrays() {
    if (recording_->in_order) return;
    std::stable_sort(recording_->arrays.begin(), recording_->arrays.end(),
                     [](const auto& a, const auto& b) { return a.node < b.node; });
    recording_->in_order = true;
    recording_->settled = 0;
  }

  // Stops at the first, so that reading many arrays one after the other stays linear.
  void look_for_others() {
    bool all_settled = true;
    for (size_t i = recording_->settled; i < recording_->arrays.size() && !others_wait_; ++i) {
      const std::shared_ptr<ArrayState> state = recording_->arrays[i].state.lock();
      const bool waits = state && state->recording == recording_;
      all_settled = all_settled && !waits;
      if (all_settled) recording_->settled = i + 1;
      others_wait_ = waits && !std::binary_search(part_.nodes.begin(), part_.nodes.end(), recording_->arrays[i].node);
    }
  }

  // An output may be written over an input that nobody will read again.
  std::vector<int32_t> choose_donors(const std::vector<Value>& values) {
    std::vector<int32_t> donors(values.size(), -1);
    std::vector<bool> taken(part_.inputs.size(), false);
    for (size_t i = 0; i < values.size() && !others_wait_; ++i) {
      if (values[i].type().bytes() < kDonatedFrom) continue;
      for (size_t k = 0; k < part_.inputs.size() && donors[i] < 0; ++k) {
        const std::shared_ptr<Buffer>& buffer = recording_->buffers[size_t(part_.inputs[k])];
        const Graph& graph = recording_->graph;
        const TensorType& type = graph.node(graph.inputs()[size_t(part_.inputs[k])].node).types[0];
        if (taken[k] || buffer.use_count() != 1 || type != values[i].type()) continue;
        donors[i] = int32_t(k);
        taken[k] = true;
      }
    }
    return donors;
  }
  // Out of memory: the error says what is large here.
  void run_bound(Session& session) {
    try {
      bind(session);
      run_profiled("evaluation", session);
    } catch (const Error& error) {
      if (error.kind() != Kind::memory) throw;
      throw Error(Kind::memory, error.what() + biggest_tensors(session.plan()));
    }
  }

  void bind(Session& session) {
    for (size_t k = 0; k < part_.inputs.size(); ++k)
      session.bind_input(k, recording_->buffers[size_t(part_.inputs[k])]->data());
    for (size_t i = 0; i < states_.size(); ++i) {
      const int32_t donor = session.plan().outputs[i].donor;
      if (donor >= 0) {
        buffers_.push_back(recording_->buffers[size_t(part_.inputs[size_t(donor)])]);
      } else {
        buffers_.push_back(std::make_shared<Buffer>(states_[i]->type.bytes()));
        session.bind_output(i, buffers_.back()->data());
      }
    }
  }

  std::shared_ptr<Recording> recording_;
  std::vector<std::shared_ptr<ArrayState>> states_;
  bool others_wait_ = false;  // arrays beside those computed now may depend on the recording's inputs
  Subgraph part_;
  std::vector<std::shared_ptr<Buffer>> buffers_;  // of the states
};

void evaluate_recording(const std::shared_ptr<Recording>& recording,
                        const std::vector<std::shared_ptr<ArrayState>>& states) {
  end_lazy_recording(recording);
  try {
    Evaluation(recording, states).run();
  } catch (const Error& error) {
    for (const auto& state : states) state->failure = error;
    throw;
  }
}

// A plain number as an array of its own type.
void store_number(ArrayState& state) {
  const auto put = [&](const auto& x) {
    state.buffer = std::make_shared<Buffer>(int64_t(sizeof x));
    std::memcpy(state.buffer->data(), &x, sizeof x);
  };
  switch (state.type.dtype) {
    case DType::boolean: return put(convert_number<uint8_t>(*state.number));
    case DType::i32: return put(convert_number<int32_t>(*state.number));
    case DType::i64: return put(convert_number<int64_t>(*state.number));
    case DType::f32: return put(convert_number<float>(*state.number));
    default: return put(convert_number<std::complex<float>>(*state.number));
  }
}

}  // namespace

void evaluate(const std::vector<std::shared_ptr<ArrayState>>& states) {
  const std::lock_guard lock(array_mutex());
  std::vector<std::shared_ptr<ArrayState>> left;
  for (const auto& state : states) {
    if (state->buffer) continue;
    if (state->failure) throw Error(*state->failure);
    if (state->number) {
      store_number(*state);
      continue;
    }
    const bool readable = state->recording->lazy && !(is_tracing() && state->recording == current_recording());
    HEARTH_CHECK(readable && state->value.graph == &state->recording->graph, state, "array: ", state->type,
                 " has no elements yet: it belongs to a function that is being traced (jit, grad,",
                 " vmap, scan ...)\n  hint: return it from the function and read it there");
    if (std::find(left.begin(), left.end(), state) == left.end()) left.push_back(state);
  }
  while (!left.empty()) {  // one recording after the other; usually there is one
    const std::shared_ptr<Recording> recording = left.front()->recording;
    std::vector<std::shared_ptr<ArrayState>> together;
    std::erase_if(left, [&](const std::shared_ptr<ArrayState>& state) {
      if (state->recording == recording) together.push_back(state);
      return state->recording == recording || state->buffer;
    });
    if (!together.empty()) evaluate_recording(recording, together);
  }
}

}  // namespace hearth
