// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "base/error.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "io/safetensors_dtype.h"

namespace hearth {

struct DTypeRow {
  DType dtype;
  const char* name;
};
// In the order of the library's enum, so the index is the rank by which it sorts (measured: safetensors 0.8).
constexpr DTypeRow kDTypeRows[] = {
    {DType::boolean, "BOOL"}, {DType::u8, "U8"},     {DType::i8, "I8"},   {DType::i16, "I16"}, {DType::u16, "U16"},
    {DType::f16, "F16"},      {DType::bf16, "BF16"}, {DType::i32, "I32"}, {DType::u32, "U32"}, {DType::f32, "F32"},
    {DType::f64, "F64"},      {DType::i64, "I64"},   {DType::u64, "U64"},
};
constexpr std::string_view kOtherDTypes[] = {"F4",      "F6_E2M3", "F6_E3M2",     "F8_E5M2",    "F8_E4M3",
                                             "F8_E8M0", "C64",     "F8_E4M3FNUZ", "F8_E5M2FNUZ"};

bool parse_safetensors_dtype(std::string_view name, DType* out) {
  for (const DTypeRow& row : kDTypeRows) {
    if (name == row.name) return *out = row.dtype, true;
  }
  return false;
}

bool is_other_safetensors_dtype(std::string_view name) {
  return std::find(std::begin(kOtherDTypes), std::end(kOtherDTypes), name) != std::end(kOtherDTypes);
}

int safetensors_dtype_rank(DType dtype) {
  int rank = 0;
  while (kDTypeRows[rank].dtype != dtype) ++rank;
  return rank;
}

const char* safetensors_dtype_name(DType dtype) { return kDTypeRows[safetensors_dtype_rank(dtype)].name; }

SafetensorsWriter::SafetensorsWriter(std::string path, Metadata metadata)
    : path_(std::move(path)), metadata_(std::move(metadata)) {}

void SafetensorsWriter::declare(const std::string& name, const TensorType& type) {
  HEARTH_CHECK(!begun_, bug, "SafetensorsWriter: '", name, "' declared after writing began");
  HEARTH_CHECK(name != "__metadata__", value, "save: a tensor may not be called __metadata__");
  tensors_.emplace_back(name, type);
}

const std::vector<std::pair<std::string, TensorType>>& SafetensorsWriter::order() {
  if (!begun_) begin();
  return tensors_;
}

void SafetensorsWriter::begin() {
  begun_ = true;
  std::sort(tensors_.begin(), tensors_.end(), [](const auto& a, const auto& b) {
    const int rank_a = safetensors_dtype_rank(a.second.dtype), rank_b = safetensors_dtype_rank(b.second.dtype);
    return rank_a != rank_b ? rank_a > rank_b : a.first < b.first;
  });
  Json header = Json::object();
  auto& members = *header.get_ptr<Json::object_t*>();  // push_back: operator[] would search all keys each time
  if (!metadata_.empty()) {
    Json texts = Json::object();
    for (const auto& [key, text] : metadata_) texts[key] = text;
    members.push_back({"__metadata__", std::move(texts)});
  }
  int64_t offset = 0;
  std::unordered_set<std::string> seen;
  for (const auto& [name, type] : tensors_) {
    HEARTH_CHECK(seen.insert(name).second, value, "save: two tensors are called '", name, "'\n  file ", path_);
    Json info = {{"dtype", safetensors_dtype_name(type.dtype)},
                 {"shape", type.dims},
                 {"data_offsets", {offset, offset + type.bytes()}}};
    members.push_back({name, std::move(info)});
    offset += type.bytes();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  file_ = std::make_unique<AtomicFile>(path_);
  file_->write(std::as_bytes(std::span(&length, 1)));
  file_->write(text);
}

void SafetensorsWriter::write(const std::string& name, std::span<const std::byte> part) {
  if (!begun_) begin();
  // Tensors without bytes need no write.
  while (current_ < tensors_.size() && current_bytes_ == tensors_[current_].second.bytes() &&
         (current_bytes_ > 0 || tensors_[current_].first != name)) {
    ++current_;
    current_bytes_ = 0;
  }
  HEARTH_CHECK(current_ < tensors_.size() && tensors_[current_].first == name, bug, "SafetensorsWriter: wrote '", name,
               "' when it was the turn of '", current_ < tensors_.size() ? tensors_[current_].first : "none", "'");
  current_bytes_ += static_cast<int64_t>(part.size());
  HEARTH_CHECK(current_bytes_ <= tensors_[current_].second.bytes(), bug, "SafetensorsWriter: '", name, "' is ",
               tensors_[current_].second, ", but ", current_bytes_, " bytes were written");
  file_->write(part);
}

void SafetensorsWriter::commit() {
  if (!begun_) begin();
  for (; current_ < tensors_.size(); ++current_, current_bytes_ = 0) {
    HEARTH_CHECK(current_bytes_ == tensors_[current_].second.bytes(), bug, "SafetensorsWriter: '",
                 tensors_[current_].first, "' is ", tensors_[current_].second, ", but only ", current_bytes_,
                 " bytes were written");
  }
  file_->commit();
}

void write_safetensors(const std::string& path, const std::vector<TensorRef>& tensors, const Metadata& metadata) {
  SafetensorsWriter writer(path, metadata);
  std::unordered_map<std::string, const TensorRef*> by_name;
  for (const TensorRef& tensor : tensors) {
    writer.declare(tensor.name, tensor.type);
    by_name[tensor.name] = &tensor;
  }
  for (const auto& [name, type] : writer.order()) writer.write(name, by_name.at(name)->span());
  writer.commit();
}

}  // namespace hearth
