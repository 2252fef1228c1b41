// SPDX-License-Identifier: Apache-2.0
#pragma once
// pytorch_model.bin: a state dict that torch.save wrote, as a zip archive (since PyTorch 1.6) or in the older form, one
// pickle after the other and then the bytes. No code of the file is run. Source: PyTorch 2.13, torch/serialization.py.

#include "io/tensor_file.h"
#include "io/torch_state.h"

namespace hearth {

class TorchFile : public TensorFile {
 public:
  // Reads the pickle, not the tensors: those that lie whole in the file are used in place, others copied when found
  // first. Bytes of the tensors are not checked against their checksums, as in torch.load; those that are compressed
  // are. Throws Error{format} with place and reason, Error{unsupported} for names and opcodes that plain tensors have
  // no use for, TorchScript and archives of before PyTorch 0.2.
  static std::shared_ptr<const TorchFile> open(const std::string& path);
  ~TorchFile() override;

 private:
  struct Bytes;  // of a storage
  explicit TorchFile(std::shared_ptr<const MappedFile> file);
  void open_archive();
  void open_pickles();
  void add_tensors(const TorchState& state);
  void load(TensorRef* tensor) const override;

  std::vector<Bytes> storages_;
  std::unordered_map<std::string, TorchTensor> elsewhere_;  // tensors that are not used in place
  bool big_endian_ = false;
};

}  // namespace hearth
