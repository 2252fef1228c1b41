// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the fuzzers run on one input. fuzz_corpus_test.cc runs the same on every file of tests/corpus.
// A target returns on good input and on hearth::Error; anything else (a crash, another exception, a hang) is a finding.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/json.h"
#include "io/model_folder.h"
#include "io/peft.h"
#include "io/safetensors.h"
#include "io/torch_file.h"

namespace hearth {

template <class File>
void open_and_touch_all(std::string_view bytes) {
  const int fd = ::memfd_create("fuzz", 0);
  if (fd < 0 || ::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  try {
    const auto file = File::open(cat("/proc/self/fd/", fd));
    unsigned sum = 0;
    for (const std::string& name : file->names()) {
      for (const std::byte b : file->find(name)->span()) sum += static_cast<unsigned>(b);
    }
    volatile unsigned sink = sum;  // the reads must not be optimised away
    (void)sink;
  } catch (const Error&) {
  }
  ::close(fd);
}

// As a file, and as the header of a file with 16 bytes of data, so that mutations need not get the length right.
inline void fuzz_safetensors(std::string_view input) {
  open_and_touch_all<SafetensorsFile>(input);
  const uint64_t length = input.size();
  std::string file(reinterpret_cast<const char*>(&length), 8);
  file.append(input).append(16, 'x');
  open_and_touch_all<SafetensorsFile>(file);
}

inline void fuzz_torch_file(std::string_view input) { open_and_touch_all<TorchFile>(input); }

// What data.pkl of a torch.save archive may be.
inline void fuzz_pickle(std::string_view input) {
  const std::string path = "dir/pytorch_model.bin";
  constexpr int64_t kMostBytes = 1 << 20;
  try {
    const Pickle pickle = parse_pickle({input, torch_names(), path, "data.pkl"});
    for (const TorchTensor& t : read_torch_state(pickle, path, kMostBytes).tensors) {
      if (t.type.bytes() < 0 || t.type.bytes() > kMostBytes) std::abort();
    }
  } catch (const Error&) {
  }
}

inline void fuzz_index(std::string_view input) {
  try {
    for (const auto& [tensor, file] : parse_weight_index(input, "dir/model.safetensors.index.json")) {
      if (file.find('/') != std::string::npos) std::abort();
    }
  } catch (const Error&) {
  }
}

template <class Call>
void ignore_errors(const Call& call) {
  try {
    call();
  } catch (const Error&) {
  }
}

inline void fuzz_config(std::string_view input) {
  ignore_errors([&] {
    const Json json = parse_json(input, "dir/config.json");
    if (parse_json(dump_json(json), "again") != json) std::abort();
    const JsonView view(json, "dir/config.json");
    for (const std::string& key : view.keys()) {
      ignore_errors([&] { view.integer(key, {.min = 1, .max = 1 << 30}); });
      ignore_errors([&] { view.integers(key); });
      ignore_errors([&] { view.number(key, {.min = 0}); });
      ignore_errors([&] { view.boolean_or(key, false); });
      ignore_errors([&] { view.text(key); });
      ignore_errors([&] { view.texts(key); });
      ignore_errors([&] { view.object(key).number("rope_theta", {.min = 1}); });
    }
  });
}

inline void fuzz_adapter_config(std::string_view input) {
  ignore_errors([&] {
    const LoraConfig config = parse_adapter_config(input, "dir/adapter_config.json");
    parse_adapter_config(dump_adapter_config(config, {{"m.q_proj", {}}}), "again");
    ignore_errors([&] { target_matches(config, "model.layers.0.self_attn.q_proj", false); });
  });
}

}  // namespace hearth
