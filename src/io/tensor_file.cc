// SPDX-License-Identifier: Apache-2.0
#include "io/tensor_file.h"

#include <cstring>
#include <new>

#include "io/safetensors.h"
#include "io/torch_file.h"

namespace hearth {

std::shared_ptr<const TensorFile> TensorFile::open(const std::string& path) {
  if (path.ends_with(".bin")) return TorchFile::open(path);
  return SafetensorsFile::open(path);
}

std::byte* allocate_tensor(int64_t bytes, std::shared_ptr<const void>* owner) {
  constexpr std::align_val_t kAlign{64};
  auto* memory = static_cast<std::byte*>(::operator new(static_cast<size_t>(bytes), kAlign));
  *owner = std::shared_ptr<const void>(memory, [](const void* p) { ::operator delete(const_cast<void*>(p), kAlign); });
  return memory;
}

static bool is_aligned(const TensorRef& tensor) {
  return reinterpret_cast<uintptr_t>(tensor.data) % static_cast<uintptr_t>(size_bytes(tensor.type.dtype)) == 0;
}

bool TensorFile::add(TensorRef tensor) {
  tensor_bytes_ += tensor.bytes();
  if (!is_aligned(tensor)) tensor.owner.reset();
  const bool ready = tensor.owner != nullptr;
  names_.push_back(tensor.name);
  tensors_.emplace(names_.back(), std::move(tensor));
  return ready;
}

const TensorRef* TensorFile::find(const std::string& name) const {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) return nullptr;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!it->second.owner) load(&it->second);
  return &it->second;
}

// Old writers did not pad the header, and hand-made files put u8 before f32: such tensors are copied.
void TensorFile::load(TensorRef* tensor) const {
  std::byte* copy = allocate_tensor(tensor->bytes(), &tensor->owner);
  std::memcpy(copy, tensor->data, static_cast<size_t>(tensor->bytes()));
  tensor->data = copy;
}

}  // namespace hearth
