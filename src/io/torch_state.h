// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tensors that the pickle of a torch.save file describes. Source: PyTorch 1.0 to 2.13, torch/_utils.py (the
// _rebuild functions) and torch/serialization.py (persistent_id).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"
#include "io/pickle.h"

namespace hearth {

struct TorchStorage {
  std::string key;         // names its bytes in the file
  int64_t unit_bytes = 1;  // of an element
  int64_t bytes = 0;
};

struct TorchTensor {
  std::string name;
  TensorType type;
  Dims strides;        // in elements
  int64_t offset = 0;  // in its storage, in elements
  size_t storage = 0;  // place in TorchState::storages
  bool is_contiguous() const;
};

struct TorchState {
  std::vector<TorchStorage> storages;  // in order of their first use
  std::vector<TorchTensor> tensors;
};

// The names that such a pickle may hold.
std::span<const std::string_view> torch_names();

// "torch.FloatStorage"; empty for types whose storages have no name of their own.
std::string_view torch_storage_name(DType dtype);

// Every tensor lies within its storage and is no larger than `most_bytes`, though strides of 0 could make it so.
// Throws Error{format} or Error{unsupported} naming tensor and reason.
TorchState read_torch_state(const Pickle& pickle, const std::string& path, int64_t most_bytes);

}  // namespace hearth
