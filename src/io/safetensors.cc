// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "io/json.h"
#include "io/nearest.h"
#include "io/safetensors_dtype.h"

namespace hearth {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are used in place and are little-endian");
constexpr int64_t kMaxHeaderBytes = 100'000'000;  // that of the safetensors library
constexpr int64_t kMaxRank = 64;

struct Entry {
  TensorRef tensor;
  int64_t begin = 0, end = 0;  // in the data part
};

// Where an error happened. Offsets of tensors are given in the file, as a hex viewer shows them.
struct Place {
  const std::string& path;
  int64_t data_start = 0;
  template <class... Values>
  [[noreturn]] void fail(const Values&... reason) const {
    HEARTH_FAIL(format, file_name(path), ": ", printable(cat(reason...)), "\n  file ", path,
                "\n  hint: the file is damaged or no safetensors file; download or save it again");
  }
};

int64_t read_header_bytes(const MappedFile& file, const Place& place) {
  if (file.size() < 8) {
    place.fail("has ", file.size(), " bytes; a safetensors file starts with 8 bytes of header length");
  }
  uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  if (length > static_cast<uint64_t>(kMaxHeaderBytes)) {
    place.fail("the header length at byte 0 is ", length, ", more than the ", kMaxHeaderBytes, " allowed");
  }
  if (static_cast<int64_t>(length) > file.size() - 8) {
    place.fail("the header should end at byte ", 8 + length, ", but the file ends at ", file.size(),
               ": it is cut short");
  }
  if (length == 0 || static_cast<char>(file.data()[8]) != '{') place.fail("no JSON object starts at byte 8");
  return static_cast<int64_t>(length);
}

// A size or an offset: a non-negative JSON integer below 2^63.
int64_t count_of(const Json& value, const std::string& name, const char* what, const Place& place) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max())) {
    place.fail("tensor '", name, "': ", what, " must hold non-negative integers, found ", value.dump());
  }
  return static_cast<int64_t>(value.get<uint64_t>());
}

// The dimensions; their product and size in bytes fit 63 bits, even without the zeros among them.
Dims read_shape(const Json& value, DType dtype, const std::string& name, const Place& place) {
  if (!value.is_array() || static_cast<int64_t>(value.size()) > kMaxRank) {
    place.fail("tensor '", name, "': shape must be a list of at most ", kMaxRank, " sizes");
  }
  Dims dims;
  int64_t bytes = size_bytes(dtype);
  for (const Json& item : value) {
    dims.push_back(count_of(item, name, "shape", place));
    const int64_t d = std::max<int64_t>(dims.back(), 1);
    if (bytes > std::numeric_limits<int64_t>::max() / d) {
      place.fail("tensor '", name, "': the size of ", dtype, ShowDims{dims}, " does not fit 63 bits");
    }
    bytes *= d;
  }
  return dims;
}

const Json& member(const Json& object, const char* key, const std::string& name, const Place& place) {
  if (!object.is_object()) place.fail("tensor '", name, "' must be an object, found ", object.type_name());
  const auto it = object.find(key);
  if (it == object.end()) place.fail("tensor '", name, "' has no '", key, "'");
  return *it;
}

Entry read_entry(const std::string& name, const Json& info, const Place& place) {
  Entry entry;
  const Json& dtype = member(info, "dtype", name, place);
  if (!dtype.is_string()) place.fail("tensor '", name, "': dtype must be a string, found ", dtype.type_name());
  const std::string dtype_name = dtype.get<std::string>();
  if (!parse_safetensors_dtype(dtype_name, &entry.tensor.type.dtype)) {
    if (!is_other_safetensors_dtype(dtype_name)) place.fail("tensor '", name, "': unknown dtype '", dtype_name, "'");
    HEARTH_FAIL(unsupported, file_name(place.path), ": tensor '", printable(name), "' has element type ", dtype_name,
                ", which Hearth does not read\n  file ", place.path, "\n  hint: convert the model to bf16, f16 or f32");
  }
  entry.tensor.name = name;
  entry.tensor.type.dims = read_shape(member(info, "shape", name, place), entry.tensor.type.dtype, name, place);
  const Json& offsets = member(info, "data_offsets", name, place);
  if (!offsets.is_array() || offsets.size() != 2) place.fail("tensor '", name, "': data_offsets must be [begin, end]");
  entry.begin = count_of(offsets[0], name, "data_offsets", place);
  entry.end = count_of(offsets[1], name, "data_offsets", place);
  if (entry.begin > entry.end)
    place.fail("tensor '", name, "' ends at ", entry.end, " before it begins at ", entry.begin);
  if (entry.end - entry.begin != entry.tensor.bytes()) {
    place.fail("tensor '", name, "' is ", entry.tensor.type, " = ", entry.tensor.bytes(), " bytes, but data_offsets [",
               entry.begin, ", ", entry.end, "] give it ", entry.end - entry.begin);
  }
  return entry;
}

Metadata read_metadata(const Json& value, const Place& place) {
  Metadata metadata;
  if (value.is_null()) return metadata;
  if (!value.is_object()) place.fail("__metadata__ must be an object of strings, found ", value.type_name());
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) place.fail("__metadata__ '", key, "' must be a string, found ", text.type_name());
    metadata.emplace_back(key, text.get<std::string>());
  }
  return metadata;
}

// Sorts by place and refuses gaps, overlaps, tensors past the end and bytes that belong to none.
void check_layout(std::vector<Entry>* entries, int64_t data_bytes, const Place& place) {
  std::stable_sort(entries->begin(), entries->end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  int64_t expected = 0;
  const std::string* before = nullptr;
  for (const Entry& entry : *entries) {
    const std::string& name = entry.tensor.name;
    if (entry.begin > expected) {
      place.fail("bytes ", place.data_start + expected, "..", place.data_start + entry.begin, " before tensor '", name,
                 "' belong to no tensor");
    }
    if (entry.begin < expected) {
      place.fail("tensor '", name, "' at byte ", place.data_start + entry.begin, " overlaps '", *before,
                 "', which ends at ", place.data_start + expected);
    }
    if (entry.end > data_bytes) {
      place.fail("tensor '", name, "' should end at byte ", place.data_start + entry.end, ", but the file ends at ",
                 place.data_start + data_bytes, ": it is cut short");
    }
    expected = entry.end;
    before = &name;
  }
  if (expected != data_bytes) {
    place.fail(data_bytes - expected, " bytes from byte ", place.data_start + expected, " on belong to no tensor");
  }
}

}  // namespace

std::shared_ptr<const SafetensorsFile> SafetensorsFile::open(const std::string& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  std::shared_ptr<SafetensorsFile> result(new SafetensorsFile(file));
  Place place{file->path()};
  const int64_t header_bytes = read_header_bytes(*file, place);
  place.data_start = 8 + header_bytes;
  const std::string_view text(reinterpret_cast<const char*>(file->data()) + 8, static_cast<size_t>(header_bytes));
  const Json header = parse_json(text, path, {.max_depth = 8, .unique_keys = true}, 8);

  std::vector<Entry> entries;
  for (const auto& [name, info] : header.items()) {
    if (name == "__metadata__") {
      result->metadata_ = read_metadata(info, place);
    } else {
      entries.push_back(read_entry(name, info, place));
    }
  }
  check_layout(&entries, file->size() - place.data_start, place);
  for (Entry& entry : entries) {
    entry.tensor.data = file->data() + place.data_start + entry.begin;
    entry.tensor.owner = file;
    result->add(std::move(entry.tensor));
  }
  return result;
}

}  // namespace hearth
