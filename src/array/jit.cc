// SPDX-License-Identifier: Apache-2.0
#include "array/jit.h"

#include <algorithm>

#include "array/kept_by_use.h"
#include "array/profile.h"
#include "array/recording.h"
#include "base/error.h"
#include "compiler/compile.h"
#include "runtime/session.h"

namespace hearth {
namespace {

// A function traced for arguments of certain types.
class Trace {
 public:
  Trace(const ArrayFunction& f, const Arrays& in, const std::vector<bool>& is_static, const std::vector<bool>& donated)
      : recording_(std::make_shared<Recording>()) {
    recording_->lazy = false;
    const Arrays out = call(f, in, is_static);
    for (size_t i = 0; i < out.size(); ++i) add_output(out[i], i);
    hint_donors(donated);
    recording_->arrays.clear();
    session_ = std::make_unique<Session>(compile(recording_->graph), SessionOptions{.own_outputs = false});
  }

  // `arguments`: those that are not static, evaluated; the graph's first inputs, before what it captured.
  Arrays run(const std::vector<ArrayState*>& arguments) {
    for (size_t k = 0; k < recording_->buffers.size(); ++k) {
      const std::shared_ptr<Buffer>& captured = recording_->buffers[k];
      session_->bind_input(k, captured ? captured->data() : arguments[k]->buffer->data());
    }
    Arrays out;
    std::vector<ArrayState*> taken;
    for (size_t i = 0; i < session_->outputs(); ++i) {
      auto state = std::make_shared<ArrayState>(ArrayState{.type = session_->output_type(i), .weak = weak_[i]});
      const int32_t donor = session_->plan().outputs[i].donor;
      if (donor >= 0) {
        taken.push_back(arguments[size_t(donor)]);
        state->buffer = taken.back()->buffer;
      } else {
        state->buffer = std::make_shared<Buffer>(state->type.bytes());
        session_->bind_output(i, state->buffer->data());
      }
      out.push_back(Array(std::move(state)));
    }
    run_profiled("jitted function", *session_);
    for (ArrayState* state : taken) {
      state->buffer = nullptr;
      state->failure = Error(Kind::state, cat("array: ", state->type, " was donated to a jitted function and is gone"));
    }
    return out;
  }

 private:
  Arrays call(const ArrayFunction& f, const Arrays& in, const std::vector<bool>& is_static) {
    const TraceInto tracing(recording_);
    Arrays arguments;
    for (size_t i = 0; i < in.size(); ++i) {
      if (is_static[i]) {
        arguments.push_back(in[i]);
        continue;
      }
      const Value value = recording_->graph.input(cat("argument ", i), in[i].type());
      recording_->buffers.push_back(nullptr);
      arguments.push_back(from_value(value, in[i].weak()));
    }
    Arrays out = f(arguments);
    for (Array& x : out) x = from_value(to_value(x), x.weak());  // also what does not depend on the arguments
    return out;
  }

  void add_output(const Array& x, size_t i) {
    recording_->graph.output(cat("result ", i), recording_->graph.here(x.state()->value));
    weak_.push_back(x.weak());
  }

  void hint_donors(const std::vector<bool>& donated) {
    std::vector<bool> taken(donated.size(), false);
    for (GraphOutput& output : recording_->graph.mutable_outputs()) {
      for (size_t k = 0; k < donated.size(); ++k) {
        const int32_t node = recording_->graph.inputs()[k].node;
        if (!donated[k] || taken[k] || recording_->graph.node(node).types[0] != output.value.type()) continue;
        output.donor = int32_t(k);
        output.donor_is_a_hint = true;
        taken[k] = true;
        break;
      }
    }
  }

  std::shared_ptr<Recording> recording_;
  std::vector<bool> weak_;  // per result
  std::unique_ptr<Session> session_;
};

void check_named(const char* option, const std::vector<size_t>& named, size_t arguments) {
  for (const size_t i : named)
    HEARTH_CHECK(i < arguments, value, "jit: ", option, " names argument ", i, "; there are ", arguments);
}

class Jit {
 public:
  Jit(ArrayFunction f, JitOptions options) : f_(std::move(f)), options_(std::move(options)) {}

  Arrays operator()(const Arrays& in) {
    if (is_tracing()) return f_(in);  // becomes part of the function around it
    check_named("static_arguments", options_.static_arguments, in.size());
    check_named("donate", options_.donate, in.size());
    const std::lock_guard lock(array_mutex());
    std::vector<ArrayState*> arguments;
    std::vector<std::shared_ptr<ArrayState>> unread;
    for (size_t i = 0; i < in.size(); ++i) {
      HEARTH_CHECK(in[i].valid(), value, "jit: argument ", i, " is no array yet");
      if (!in[i].state()->buffer) unread.push_back(in[i].state());
      if (!contains(options_.static_arguments, i)) arguments.push_back(in[i].state().get());
    }
    if (!unread.empty()) evaluate(unread);
    return trace_for(in).run(arguments);
  }

 private:
  static bool contains(const std::vector<size_t>& list, size_t i) {
    return std::find(list.begin(), list.end(), i) != list.end();
  }

  // Types of the arguments and the bytes of the static ones.
  std::string key_of(const Arrays& in) const {
    std::string key;
    const auto put = [&](const void* data, size_t bytes) { key.append(static_cast<const char*>(data), bytes); };
    for (size_t i = 0; i < in.size(); ++i) {
      const TensorType& type = in[i].type();
      const uint8_t head[3] = {uint8_t(type.dtype), in[i].weak(), uint8_t(type.dims.size())};
      put(head, sizeof head);
      put(type.dims.data(), type.dims.size() * sizeof(int64_t));
      if (contains(options_.static_arguments, i)) put(in[i].data(), size_t(type.bytes()));
    }
    return key;
  }

  Trace& trace_for(const Arrays& in) {
    std::string key = key_of(in);
    if (const std::unique_ptr<Trace>* known = traces_.find(key)) return **known;
    std::vector<bool> is_static, donated;
    for (size_t i = 0; i < in.size(); ++i) {
      is_static.push_back(contains(options_.static_arguments, i));
      if (!is_static.back()) donated.push_back(contains(options_.donate, i));
    }
    return *traces_.add(std::move(key), std::make_unique<Trace>(f_, in, is_static, donated));
  }

  ArrayFunction f_;
  JitOptions options_;
  KeptByUse<std::unique_ptr<Trace>> traces_{kTracesKept};
};

}  // namespace

ArrayFunction jit(ArrayFunction f, JitOptions options) {
  return [jit = std::make_shared<Jit>(std::move(f), std::move(options))](const Arrays& in) { return (*jit)(in); };
}

}  // namespace hearth
