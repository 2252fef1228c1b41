// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "io/json.h"
#include "io/nearest.h"
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

static void sort_as_in_file(std::vector<NewTensor>* tensors, const std::string& path) {
  for (const NewTensor& tensor : *tensors) {
    HEARTH_CHECK(!is_complex(tensor.type.dtype), unsupported, "save: '", printable(tensor.name), "' is ", tensor.type,
                 "; Hearth writes no complex tensors\n  file ", path);
    HEARTH_CHECK(tensor.name != "__metadata__", value, "save: a tensor may not be called __metadata__");
  }
  std::sort(tensors->begin(), tensors->end(), [](const NewTensor& a, const NewTensor& b) {
    const int rank_a = safetensors_dtype_rank(a.type.dtype), rank_b = safetensors_dtype_rank(b.type.dtype);
    return rank_a != rank_b ? rank_a > rank_b : a.name < b.name;
  });
}

std::string safetensors_header(std::vector<NewTensor>* tensors, const Metadata& metadata, const std::string& path) {
  sort_as_in_file(tensors, path);
  Json header = Json::object();
  auto& members = *header.get_ptr<Json::object_t*>();  // push_back: operator[] would search all keys each time
  if (!metadata.empty()) {
    Json texts = Json::object();
    for (const auto& [key, text] : metadata) texts[key] = text;
    members.push_back({"__metadata__", std::move(texts)});
  }
  int64_t offset = 0;
  std::unordered_set<std::string> seen;
  for (const auto& [name, type, same_as] : *tensors) {
    HEARTH_CHECK(seen.insert(name).second, value, "save: two tensors are called '", printable(name), "'\n  file ",
                 path);
    Json info = {{"dtype", safetensors_dtype_name(type.dtype)},
                 {"shape", type.dims},
                 {"data_offsets", {offset, offset + type.bytes()}}};
    members.push_back({name, std::move(info)});
    offset += type.bytes();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

void write_safetensors(const std::string& path, const std::vector<TensorRef>& tensors, const Metadata& metadata) {
  std::vector<NewTensor> list;
  std::unordered_map<std::string_view, const TensorRef*> by_name;
  for (const TensorRef& tensor : tensors) {
    list.push_back({tensor.name, tensor.type});
    by_name.emplace(tensor.name, &tensor);
  }
  const TensorBytes bytes = [&](const NewTensor& tensor, int64_t begin, std::span<std::byte> room) {
    return by_name.at(tensor.name)->span().subspan(size_t(begin), room.size());
  };
  write_tensor_file(path, list, bytes, {.metadata = metadata});
}

}  // namespace hearth
