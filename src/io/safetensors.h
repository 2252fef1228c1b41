// SPDX-License-Identifier: Apache-2.0
#pragma once
// safetensors files: u64 little-endian header length, JSON header, tensor bytes without gaps.
// Source: huggingface/safetensors, README "Format", and the behaviour of version 0.8.

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/shape.h"
#include "io/tensor_file.h"

namespace hearth {

using Metadata = std::vector<std::pair<std::string, std::string>>;

class SafetensorsFile : public TensorFile {
 public:
  // Maps the file and checks the whole header; reads no tensor bytes. Throws Error{file} or Error{format} with file,
  // byte offset and reason, Error{unsupported} for element types that Hearth has not.
  static std::shared_ptr<const SafetensorsFile> open(const std::string& path);

  const Metadata& metadata() const { return metadata_; }

 private:
  explicit SafetensorsFile(std::shared_ptr<const MappedFile> file) : TensorFile(std::move(file)) {}
  Metadata metadata_;
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
