// SPDX-License-Identifier: Apache-2.0
#pragma once
// Writes files of tensors, parts of several tensors at once on all threads.

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/shape.h"

namespace hearth {

struct NewTensor {
  std::string name;
  TensorType type;
  std::string same_as = {};  // .bin files only: the tensor of this file whose bytes it shares
};

// The bytes of a tensor from `begin` on, as many as `room` has: put into `room` (64-byte aligned), or where they lie
// already. Called by several threads at once for different parts, in no order; `begin` is a multiple of 64.
using TensorBytes =
    std::function<std::span<const std::byte>(const NewTensor& tensor, int64_t begin, std::span<std::byte> room)>;

enum class WeightFormat { safetensors, bin };

using Metadata = std::vector<std::pair<std::string, std::string>>;

struct TensorFileOptions {
  WeightFormat format = WeightFormat::safetensors;
  Metadata metadata = {{"format", "pt"}};                 // of safetensors files
  std::function<void(int64_t more_bytes)> progress = {};  // one call at a time
  AtomicFile::Sync sync = AtomicFile::Sync::now;
};

// safetensors: the same bytes as that library writes: metadata first, tensors by falling alignment of their type, then
// name, header padded to a multiple of 8. bin: an archive that torch.load(weights_only=True) maps. The file appears
// under its name when it is whole. Throws Error{value} for two tensors of one name, Error{file}, and what `bytes`
// throws.
void write_tensor_file(const std::string& path, const std::vector<NewTensor>& tensors, const TensorBytes& bytes,
                       const TensorFileOptions& options = {});

// Calls body(tensor, begin, bytes) for parts of at most 1 MiB that cover all tensors, on all threads.
void for_parts(const std::vector<NewTensor>& tensors,
               const std::function<void(size_t tensor, int64_t begin, std::span<std::byte> room)>& body);

}  // namespace hearth
