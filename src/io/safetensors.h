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
#include "io/tensor_writer.h"

namespace hearth {

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

// The header of a file, its length in front, padded to a multiple of 8; sorts the tensors as they follow it. Throws
// Error{value} for two tensors of one name, Error{unsupported} for element types that Hearth does not write.
std::string safetensors_header(std::vector<NewTensor>* tensors, const Metadata& metadata, const std::string& path);

// Tensors in memory, in any order; what write_tensor_file writes.
void write_safetensors(const std::string& path, const std::vector<TensorRef>& tensors,
                       const Metadata& metadata = {{"format", "pt"}});

}  // namespace hearth
