// SPDX-License-Identifier: Apache-2.0
#include "io/torch_state.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "io/nearest.h"

namespace hearth {
namespace {

struct TypeName {
  std::string_view storage, dtype;
  DType type;
};
// Storages of before PyTorch 2.3's new integers; those are in untyped storages.
constexpr TypeName kTypes[] = {
    {"torch.DoubleStorage", "torch.float64", DType::f64},
    {"torch.FloatStorage", "torch.float32", DType::f32},
    {"torch.HalfStorage", "torch.float16", DType::f16},
    {"torch.BFloat16Storage", "torch.bfloat16", DType::bf16},
    {"torch.LongStorage", "torch.int64", DType::i64},
    {"torch.IntStorage", "torch.int32", DType::i32},
    {"torch.ShortStorage", "torch.int16", DType::i16},
    {"torch.CharStorage", "torch.int8", DType::i8},
    {"torch.ByteStorage", "torch.uint8", DType::u8},
    {"torch.BoolStorage", "torch.bool", DType::boolean},
    {"", "torch.uint16", DType::u16},
    {"", "torch.uint32", DType::u32},
    {"", "torch.uint64", DType::u64},
};
constexpr std::string_view kUntyped = "torch.storage.UntypedStorage";
constexpr std::string_view kTensor = "torch._utils._rebuild_tensor", kTensor2 = "torch._utils._rebuild_tensor_v2",
                           kTensor3 = "torch._utils._rebuild_tensor_v3", kParameter = "torch._utils._rebuild_parameter",
                           kParameterState = "torch._utils._rebuild_parameter_with_state",
                           kFromType = "torch._tensor._rebuild_from_type_v2", kSize = "torch.Size";
constexpr std::string_view kOtherNames[] = {
    "collections.OrderedDict", "torch.Tensor", "torch.nn.parameter.Parameter", kUntyped, kTensor, kTensor2, kTensor3,
    kParameter, kParameterState, kFromType, kSize,
    // Known, so that the error says which tensor has them.
    "torch.ComplexFloatStorage", "torch.ComplexDoubleStorage", "torch.float8_e4m3fn", "torch.float8_e5m2",
    "torch.float8_e4m3fnuz", "torch.float8_e5m2fnuz"};

class StateReader {
 public:
  StateReader(const Pickle& pickle, const std::string& path, int64_t most_bytes)
      : pickle_(pickle), path_(path), most_bytes_(most_bytes) {}
  TorchState run();

 private:
  template <class... Values>
  [[noreturn]] void fail(const Values&... reason) const {
    HEARTH_FAIL(
        format, file_name(path_), ": ", where(), printable(cat(reason...)), "\n  file ", path_,
        "\n  hint: the file is damaged or no state dict; save it again with torch.save(model.state_dict(), ...)");
  }
  [[noreturn]] void refuse(const std::string& what, const char* hint = "") const {
    HEARTH_FAIL(unsupported, file_name(path_), ": ", where(), printable(what), "\n  file ", path_,
                *hint ? "\n  hint: " : "", hint);
  }
  std::string where() const { return name_.empty() ? "" : "tensor '" + printable(name_) + "': "; }

  const PickleObject& item(const PickleObject& object, size_t i) const { return pickle_.at(object.items[i]); }
  const PickleObject& arguments(const PickleObject& call, size_t least, size_t most) const;
  std::string_view function(const PickleObject& call) const { return item(call, 0).text; }
  int64_t count(const PickleObject& object, const char* what) const;
  std::string_view text(const PickleObject& object, const char* what) const;
  Dims counts(const PickleObject& object, const char* what) const;
  bool is_tensor(const PickleObject& object) const;

  struct Rebuild {
    std::string_view function;
    const PickleObject* arguments;
  };
  Rebuild unwrap(const PickleObject& value) const;
  void read_tensor(const PickleObject& value);
  DType read_storage(const PickleObject& persistent, TorchTensor* tensor);
  DType named_dtype(const PickleObject& name) const;
  void check_bounds(const TorchTensor& tensor) const;

  const Pickle& pickle_;
  const std::string& path_;
  const int64_t most_bytes_;
  std::string name_;
  TorchState state_;
  std::unordered_map<std::string_view, size_t> storage_of_;
};

const PickleObject& StateReader::arguments(const PickleObject& call, size_t least, size_t most) const {
  const PickleObject& given = item(call, 1);
  if (given.items.size() < least || given.items.size() > most)
    fail(function(call), " with ", given.items.size(), " arguments");
  return given;
}

int64_t StateReader::count(const PickleObject& object, const char* what) const {
  if (object.kind != PickleKind::integer || object.number < 0) fail(what, " is no integer of 0 or more");
  return object.number;
}

std::string_view StateReader::text(const PickleObject& object, const char* what) const {
  if (object.kind != PickleKind::text) fail(what, " is no text");
  return object.text;
}

Dims StateReader::counts(const PickleObject& object, const char* what) const {
  const bool is_size = object.kind == PickleKind::call && function(object) == kSize;
  const PickleObject& tuple = is_size ? item(arguments(object, 1, 1), 0) : object;
  constexpr size_t kMaxRank = 64;
  if (tuple.kind != PickleKind::tuple || tuple.items.size() > kMaxRank)
    fail(what, " is no tuple of at most ", kMaxRank, " numbers");
  Dims dims;
  for (size_t i = 0; i < tuple.items.size(); ++i) dims.push_back(count(item(tuple, i), what));
  return dims;
}

DType StateReader::named_dtype(const PickleObject& name) const {
  for (const TypeName& row : kTypes) {
    if (name.kind == PickleKind::name && (name.text == row.dtype || name.text == row.storage)) return row.type;
  }
  if (name.kind != PickleKind::name) fail("its element type has no name");
  refuse(cat("has elements of ", name.text, ", which Hearth does not read"), "convert the model to bf16, f16 or f32");
}

// ("storage", type, key, location, elements), in older files with what part of another storage it is.
DType StateReader::read_storage(const PickleObject& persistent, TorchTensor* tensor) {
  if (persistent.kind != PickleKind::persistent) fail("has no storage");
  const PickleObject& id = item(persistent, 0);
  const size_t fields = id.items.size();
  if (id.kind != PickleKind::tuple || (fields != 5 && fields != 6) ||
      text(item(id, 0), "the storage's kind") != "storage")
    fail("its storage is described by something else than a tuple of 5 or 6");
  const PickleObject& type = item(id, 1);
  const bool untyped = type.kind == PickleKind::name && type.text == kUntyped;
  const DType dtype = untyped ? DType::u8 : named_dtype(type);
  std::string_view key = text(item(id, 2), "the storage's key");
  const int64_t elements = count(item(id, 4), "the storage's size"), unit = size_bytes(dtype);
  if (elements > std::numeric_limits<int64_t>::max() / unit)
    fail("its storage of ", elements, " elements is too large");
  if (fields == 6 && item(id, 5).kind != PickleKind::none) {
    const PickleObject& view = item(id, 5);
    if (view.kind != PickleKind::tuple || view.items.size() != 3) fail("its view of a storage is no tuple of 3");
    tensor->offset = count(item(view, 1), "the offset of a view");
  }
  const auto [it, is_new] = storage_of_.emplace(key, state_.storages.size());
  if (is_new) state_.storages.push_back({std::string(key), unit, elements * unit});
  tensor->storage = it->second;
  const TorchStorage& storage = state_.storages[it->second];
  if (storage.bytes != elements * unit || storage.unit_bytes != unit)
    fail("storage '", key, "' has ", elements * unit, " bytes here and ", storage.bytes, " elsewhere");
  return dtype;
}

// Every element lies in the storage; sizes fit 63 bits even without the zeros among them.
void StateReader::check_bounds(const TorchTensor& t) const {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const int64_t unit = size_bytes(t.type.dtype);
  int64_t bytes = unit, last = t.offset;
  for (size_t i = 0; i < t.type.dims.size(); ++i) {
    const int64_t d = std::max<int64_t>(t.type.dims[i], 1), stride = t.strides[i];
    if (bytes > kMax / d || (d > 1 && stride > (kMax - last) / (d - 1)))
      fail("the size of ", ShowDims{t.type.dims}, " with strides ", ShowDims{t.strides}, " does not fit 63 bits");
    bytes *= d;
    last += (d - 1) * stride;
  }
  const int64_t held = state_.storages[t.storage].bytes / unit;
  if (t.type.elements() > 0 && last >= held) fail("it ends at element ", last, " of a storage that has ", held);
  if (bytes > most_bytes_ && t.type.elements() > 0)
    refuse(cat("it repeats its elements up to ", bytes, " bytes, more than the file has"));
}

bool StateReader::is_tensor(const PickleObject& object) const {
  return object.kind == PickleKind::call && function(object) != kSize;
}

// Parameters and tensors with attributes wrap the call that makes the tensor.
StateReader::Rebuild StateReader::unwrap(const PickleObject& value) const {
  if (!is_tensor(value)) refuse("is no tensor");
  Rebuild made{function(value), &item(value, 1)};
  constexpr int kMostWrappers = 8;
  for (int i = 0; i < kMostWrappers; ++i) {
    const std::vector<PickleId>& given = made.arguments->items;
    if (made.function == kParameter || made.function == kParameterState) {  // tensor, whether it learns, hooks, state
      if (given.empty() || !is_tensor(pickle_.at(given[0]))) refuse("is a parameter without a tensor");
      const PickleObject& tensor = pickle_.at(given[0]);
      made = {function(tensor), &item(tensor, 1)};
    } else if (made.function == kFromType) {  // function, class, arguments, attributes
      if (given.size() != 4 || pickle_.at(given[0]).kind != PickleKind::name ||
          pickle_.at(given[2]).kind != PickleKind::tuple)
        fail("is made by something else than a function");
      made = {pickle_.at(given[0]).text, &pickle_.at(given[2])};
    } else {
      return made;
    }
  }
  fail("is wrapped more than ", kMostWrappers, " times");
}

void StateReader::read_tensor(const PickleObject& value) {
  const auto [rebuild, given] = unwrap(value);
  const bool is_third = rebuild == kTensor3;
  if (rebuild != kTensor && rebuild != kTensor2 && !is_third) refuse(cat("is made by ", rebuild));
  const size_t least = rebuild == kTensor ? 4 : is_third ? 7 : 6;  // then metadata
  if (given->items.size() < least || given->items.size() > least + 1)
    fail(rebuild, " with ", given->items.size(), " arguments");
  if (given->items.size() > least && !item(*given, least).items.empty()) refuse("is conjugated or negated");
  TorchTensor tensor;
  tensor.name = name_;
  tensor.type.dtype = read_storage(item(*given, 0), &tensor);
  if (is_third) tensor.type.dtype = named_dtype(item(*given, 6));
  const int64_t offset = count(item(*given, 1), "the offset");
  if (offset > std::numeric_limits<int64_t>::max() - tensor.offset) fail("the offset ", offset, " is too large");
  tensor.offset += offset;
  tensor.type.dims = counts(item(*given, 2), "the shape");
  tensor.strides = counts(item(*given, 3), "the strides");
  if (tensor.strides.size() != tensor.type.dims.size())
    fail("it has ", tensor.type.dims.size(), " sizes and ", tensor.strides.size(), " strides");
  check_bounds(tensor);
  state_.tensors.push_back(std::move(tensor));
}

TorchState StateReader::run() {
  const PickleObject& root = pickle_.at(pickle_.root);
  if (root.kind != PickleKind::dict) fail("it holds no state dict, a dict of tensors by name");
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    name_ = text(item(root, i), "a name of the state dict");
    if (!seen.insert(item(root, i).text).second) fail("is there twice");
    const PickleObject& value = item(root, i + 1);
    if (!is_tensor(value))
      refuse(value.kind == PickleKind::dict ? "is no tensor, but a dict" : "is no tensor",
             "save the state dict alone: torch.save(model.state_dict(), ...)");
    read_tensor(value);
  }
  return std::move(state_);
}

}  // namespace

bool TorchTensor::is_contiguous() const {
  int64_t expected = 1;
  for (size_t i = type.dims.size(); i-- > 0;) {
    if (type.dims[i] != 1 && strides[i] != expected) return false;
    expected *= type.dims[i];
  }
  return true;
}

std::span<const std::string_view> torch_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all(std::begin(kOtherNames), std::end(kOtherNames));
    for (const TypeName& row : kTypes) {
      if (!row.storage.empty()) all.push_back(row.storage);
      all.push_back(row.dtype);
    }
    return all;
  }();
  return names;
}

std::string_view torch_storage_name(DType dtype) {
  for (const TypeName& row : kTypes) {
    if (row.type == dtype) return row.storage;
  }
  return "";
}

TorchState read_torch_state(const Pickle& pickle, const std::string& path, int64_t most_bytes) {
  return StateReader(pickle, path, most_bytes).run();
}

}  // namespace hearth
