// SPDX-License-Identifier: Apache-2.0
#include "io/torch_pickle.h"

#include <unordered_map>

#include "base/error.h"
#include "io/nearest.h"
#include "io/torch_state.h"

namespace hearth {
namespace {

// Protocol 2, as torch.save writes by default.
class Pickler {
 public:
  Pickler() { out_ = "\x80\x02"; }

  void raw(std::string_view opcodes) { out_ += opcodes; }
  void name(std::string_view full) {
    const size_t dot = full.rfind('.');
    out_ += cat("c", full.substr(0, dot), "\n", full.substr(dot + 1), "\n");
  }
  void text(std::string_view word) {
    out_ += 'X';
    number(uint32_t(word.size()));
    out_ += word;
  }
  void integer(int64_t value) {
    if (value >= 0 && value < 256) {
      out_ += 'K';
      number(uint8_t(value));
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
      out_ += 'J';
      number(int32_t(value));
    } else {
      out_ += "\x8a\x08";
      number(value);
    }
  }
  void tuple(const Dims& values) {
    out_ += '(';
    for (const int64_t value : values) integer(value);
    out_ += 't';
  }
  std::string finish() { return std::move(out_ += '.'); }

 private:
  template <class T>
  void number(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);  // little-endian, as this machine is
  }
  std::string out_;
};

void put_tensor(Pickler& pickler, const TensorType& type, std::string_view storage_type, size_t storage) {
  pickler.name("torch._utils._rebuild_tensor_v2");
  pickler.raw("(");
  pickler.raw("(");
  pickler.text("storage");
  pickler.name(storage_type);
  pickler.text(std::to_string(storage));
  pickler.text("cpu");
  pickler.integer(type.elements());
  pickler.raw("tQ");
  pickler.integer(0);  // offset
  pickler.tuple(type.dims);
  pickler.tuple(row_major_strides(type.dims));
  pickler.raw("\x89");  // learns: no
  pickler.name("collections.OrderedDict");
  pickler.raw(")R");  // hooks: none
  pickler.raw("tR");
}

}  // namespace

std::string torch_pickle(const std::vector<NewTensor>& tensors, const std::string& path) {
  std::unordered_map<std::string_view, size_t> storage_of;
  for (const NewTensor& tensor : tensors) {
    if (tensor.same_as.empty()) storage_of.emplace(tensor.name, storage_of.size());
  }
  std::unordered_map<std::string_view, bool> seen;
  Pickler pickler;
  pickler.name("collections.OrderedDict");
  pickler.raw(")R(");
  for (const NewTensor& tensor : tensors) {
    HEARTH_CHECK(seen.emplace(tensor.name, true).second, value, "save: two tensors are called '",
                 printable(tensor.name), "'\n  file ", path);
    const std::string_view type = torch_storage_name(tensor.type.dtype);
    HEARTH_CHECK(!type.empty(), unsupported, "save: '", printable(tensor.name), "' is ", tensor.type,
                 ", which Hearth writes to safetensors only\n  file ", path);
    pickler.text(tensor.name);
    put_tensor(pickler, tensor.type, type, storage_of.at(tensor.same_as.empty() ? tensor.name : tensor.same_as));
  }
  pickler.raw("u");
  return pickler.finish();
}

}  // namespace hearth
