// SPDX-License-Identifier: Apache-2.0
#pragma once
// A file of named tensors, mapped: safetensors, or what torch.save wrote.

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/shape.h"

namespace hearth {

// One tensor of a file, row-major, in place. Holds its file, so data stays valid as long as a copy of the TensorRef
// lives.
struct TensorRef {
  std::string name;
  TensorType type;
  const std::byte* data = nullptr;  // aligned for type.dtype; null or past the end when type has no elements
  std::shared_ptr<const void> owner;
  int64_t bytes() const { return type.bytes(); }
  std::span<const std::byte> span() const { return {data, static_cast<size_t>(bytes())}; }
};

class TensorFile {
 public:
  // Maps the file and checks everything but the tensors' bytes, which are not read. A name that ends with ".bin" is a
  // torch.save file, any other one safetensors. Throws Error{file} or Error{format} with file, byte offset and reason,
  // Error{unsupported} for what Hearth has not.
  static std::shared_ptr<const TensorFile> open(const std::string& path);
  virtual ~TensorFile() = default;

  const std::vector<std::string>& names() const { return names_; }  // in the order of the file
  // Null when absent; any thread. A tensor that cannot be used in place (misaligned, transposed, compressed) is copied
  // when asked for first.
  const TensorRef* find(const std::string& name) const;
  const std::string& path() const { return file_->path(); }
  const MappedFile& file() const { return *file_; }
  int64_t tensor_bytes() const { return tensor_bytes_; }  // of all tensors

 protected:
  explicit TensorFile(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {}
  // A tensor that is not in place has no owner. False when it must be loaded.
  bool add(TensorRef tensor);
  // Gives a tensor its data and owner. Called once for each tensor that was added without an owner, or misaligned.
  virtual void load(TensorRef* tensor) const;

  const std::shared_ptr<const MappedFile> file_;

 private:
  std::vector<std::string> names_;
  int64_t tensor_bytes_ = 0;
  mutable std::mutex mutex_;  // guards the copying
  mutable std::unordered_map<std::string, TensorRef> tensors_;
};

// Memory for `bytes` bytes, aligned for every dtype, that lives as long as *owner.
std::byte* allocate_tensor(int64_t bytes, std::shared_ptr<const void>* owner);

}  // namespace hearth
