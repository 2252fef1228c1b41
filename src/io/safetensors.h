// SPDX-License-Identifier: Apache-2.0
#pragma once
// safetensors files: u64 little-endian header length, JSON header, tensor bytes without gaps.
// Source: huggingface/safetensors, README "Format", and the behaviour of version 0.8.

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
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

using Metadata = std::vector<std::pair<std::string, std::string>>;

class SafetensorsFile {
 public:
  // Maps the file and checks the whole header; reads no tensor bytes. Throws Error{file} or Error{format} with file,
  // byte offset and reason, Error{unsupported} for element types that Hearth has not.
  static std::shared_ptr<const SafetensorsFile> open(const std::string& path);

  const std::vector<std::string>& names() const { return names_; }  // in order of their bytes in the file
  const TensorRef* find(const std::string& name) const;             // null when absent; any thread
  const Metadata& metadata() const { return metadata_; }
  const std::string& path() const { return file_->path(); }
  const MappedFile& file() const { return *file_; }
  int64_t tensor_bytes() const { return tensor_bytes_; }

 private:
  SafetensorsFile() = default;
  std::shared_ptr<const MappedFile> file_;
  std::vector<std::string> names_;
  Metadata metadata_;
  int64_t tensor_bytes_ = 0;
  mutable std::mutex mutex_;  // guards the copying of misaligned tensors
  mutable std::unordered_map<std::string, TensorRef> tensors_;
};

// Writes the same bytes as the safetensors library: metadata first, tensors by falling alignment of their type, then
// name, header padded to a multiple of 8. Declare all tensors, then write their bytes in the order of order(), in as
// many parts as you like, then commit(); nothing appears under `path` before that.
class SafetensorsWriter {
 public:
  explicit SafetensorsWriter(std::string path, Metadata metadata = {{"format", "pt"}});
  void declare(const std::string& name, const TensorType& type);
  const std::vector<std::pair<std::string, TensorType>>& order();  // ends the declarations
  void write(const std::string& name, std::span<const std::byte> part);
  void commit();

 private:
  void begin();
  std::string path_;
  Metadata metadata_;
  std::vector<std::pair<std::string, TensorType>> tensors_;
  std::unique_ptr<AtomicFile> file_;
  size_t current_ = 0;         // tensor being written
  int64_t current_bytes_ = 0;  // of it written
  bool begun_ = false;
};

// All tensors at once, in any order.
void write_safetensors(const std::string& path, const std::vector<TensorRef>& tensors,
                       const Metadata& metadata = {{"format", "pt"}});

}  // namespace hearth
