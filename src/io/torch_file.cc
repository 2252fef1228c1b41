// SPDX-License-Identifier: Apache-2.0
#include "io/torch_file.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/zip.h"
#include "io/nearest.h"

namespace hearth {
namespace {

// 0x1950a86a20f9469cfc6c, which begins the older form.
constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr int64_t kVersion = 1001;
constexpr uint64_t kMaxPickleBytes = 32 << 20;

template <class... Values>
[[noreturn]] void fail_format(const std::string& path, const Values&... reason) {
  HEARTH_FAIL(format, file_name(path), ": ", printable(cat(reason...)), "\n  file ", path,
              "\n  hint: the file is damaged or no torch.save file; download or save it again");
}

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.data()), static_cast<size_t>(file.size())};
}

// Elements of a strided tensor, one after the other; reversed when they are big-endian.
void copy_strided(const TorchTensor& t, const std::byte* storage, bool reversed, std::byte* out) {
  const int64_t unit = size_bytes(t.type.dtype), rank = t.type.rank();
  const int64_t row = rank == 0 ? 1 : t.type.dims.back(), step = rank == 0 ? 1 : t.strides.back();
  const int64_t rows = t.type.elements() / row;
  Dims index(size_t(std::max<int64_t>(rank, 1)), 0);
  int64_t at = t.offset;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < row; ++i, out += unit) {
      std::memcpy(out, storage + (at + i * step) * unit, size_t(unit));
      if (reversed) std::reverse(out, out + unit);
    }
    for (int64_t d = rank - 2; d >= 0; --d) {
      at += t.strides[size_t(d)];
      if (++index[size_t(d)] < t.type.dims[size_t(d)]) break;
      at -= t.strides[size_t(d)] * t.type.dims[size_t(d)];
      index[size_t(d)] = 0;
    }
  }
}

// Keys of the storages in the order of their bytes.
std::vector<std::string> read_keys(const Pickle& pickle, const std::string& path) {
  std::vector<std::string> keys;
  const PickleObject& list = pickle.at(pickle.root);
  if (list.kind != PickleKind::list) fail_format(path, "the storages' keys are no list");
  for (const PickleId id : list.items) {
    if (pickle.at(id).kind != PickleKind::text) fail_format(path, "a storage's key is no text");
    keys.emplace_back(pickle.at(id).text);
  }
  return keys;
}

}  // namespace

struct TorchFile::Bytes {
  const std::byte* data = nullptr;  // in the file; null: packed there
  int64_t bytes = 0;
  std::shared_ptr<const ZipReader> archive = {};  // of packed ones
  const ZipMember* member = nullptr;
  mutable std::shared_ptr<const void> unpacked = {};  // once a tensor was asked for
};

TorchFile::TorchFile(std::shared_ptr<const MappedFile> file) : TensorFile(std::move(file)) {}
TorchFile::~TorchFile() = default;

std::shared_ptr<const TorchFile> TorchFile::open(const std::string& path) {
  std::shared_ptr<TorchFile> result(new TorchFile(MappedFile::open(path)));
  const std::string_view text = text_of(*result->file_);
  constexpr size_t kTarMark = 257;
  HEARTH_CHECK(text.size() <= kTarMark || text.substr(kTarMark, 5) != "ustar", unsupported, file_name(path),
               ": it is a tar archive of PyTorch before 0.2\n  file ", path,
               "\n  hint: load and save it once with a newer PyTorch");
  if (text.starts_with("PK")) {
    result->open_archive();
  } else if (text.starts_with("\x80")) {
    result->open_pickles();
  } else {
    fail_format(path, "begins neither like a zip archive nor like a pickle of torch.save");
  }
  return result;
}

void TorchFile::open_archive() {
  const auto archive = std::make_shared<const ZipReader>(text_of(*file_), path());
  std::unordered_map<std::string_view, const ZipMember*> members;
  const ZipMember* root = nullptr;
  int64_t most_bytes = file_->size();
  for (const ZipMember& m : archive->members()) {
    members.emplace(m.name, &m);
    most_bytes = std::max(most_bytes, int64_t(m.size));
    const size_t slash = m.name.find('/');
    const bool is_root = m.name.substr(slash == std::string::npos ? 0 : slash + 1) == "data.pkl";
    if (is_root && !root) root = &m;
  }
  if (!root) fail_format(path(), "the archive has no data.pkl");
  const std::string folder = root->name.substr(0, root->name.size() - std::string_view("data.pkl").size());
  const auto member = [&](const std::string& name) -> const ZipMember* {
    const auto it = members.find(folder + name);
    return it == members.end() ? nullptr : it->second;
  };
  HEARTH_CHECK(!member("constants.pkl"), unsupported, file_name(path()),
               ": it is a TorchScript program, not a state dict\n  file ", path());
  std::string unpacked;
  if (const ZipMember* order = member("byteorder")) {
    if (order->size > 6) fail_format(path(), "the byte order is neither little nor big");
    const std::string_view name = archive->read(*order, &unpacked);
    if (name != "little" && name != "big") fail_format(path(), "the byte order is '", name, "', not little or big");
    big_endian_ = name == "big";
  }
  if (root->size > kMaxPickleBytes) fail_format(path(), "data.pkl has ", root->size, " bytes, more than Hearth reads");
  const std::string_view pickle_text = archive->read(*root, &unpacked);
  const Pickle pickle = parse_pickle({pickle_text, torch_names(), path(), "data.pkl"});
  const TorchState state = read_torch_state(pickle, path(), most_bytes);
  for (const TorchStorage& storage : state.storages) {
    const ZipMember* m = member("data/" + storage.key);
    if (!m) fail_format(path(), "the archive has no data/", storage.key);
    if (m->size != uint64_t(storage.bytes))
      fail_format(path(), "data/", storage.key, " has ", m->size, " bytes, but data.pkl says ", storage.bytes);
    const std::string_view packed = archive->packed(*m);
    const auto* data = reinterpret_cast<const std::byte*>(packed.data());
    storages_.push_back({m->deflated ? nullptr : data, storage.bytes, archive, m});
  }
  add_tensors(state);
}

// Magic number, version, a description of the machine, the state dict, the storages' keys; then for each its number of
// elements and its bytes, little-endian on every machine.
void TorchFile::open_pickles() {
  const std::string_view text = text_of(*file_);
  size_t at = 0;
  const auto next = [&] {
    Pickle pickle = parse_pickle({text.substr(at), torch_names(), path(), "", at});
    at += pickle.bytes;
    return pickle;
  };
  const Pickle magic = next();
  if (magic.at(magic.root).text != kMagic)
    fail_format(path(), "it is a pickle, but not one of torch.save: the magic number is missing");
  const Pickle version = next();
  if (version.at(version.root).number != kVersion) fail_format(path(), "the version is not ", kVersion);
  next();
  const TorchState state = read_torch_state(next(), path(), file_->size());
  std::unordered_map<std::string, size_t> storage_of;
  for (const TorchStorage& storage : state.storages) storage_of.emplace(storage.key, storage_of.size());
  storages_.resize(state.storages.size());
  std::vector<bool> found(state.storages.size());
  for (const std::string& key : read_keys(next(), path())) {
    const auto it = storage_of.find(key);
    if (it == storage_of.end() || found[it->second]) fail_format(path(), "no tensor has the storage '", key, "'");
    const TorchStorage& storage = state.storages[it->second];
    int64_t elements = 0;
    if (text.size() - at < 8 || text.size() - at - 8 < uint64_t(storage.bytes))
      fail_format(path(), "storage '", key, "' of ", storage.bytes, " bytes at byte ", at, ", but the file ends at ",
                  text.size(), ": it is cut short");
    std::memcpy(&elements, text.data() + at, 8);
    if (elements != storage.bytes / storage.unit_bytes)
      fail_format(path(), "storage '", key, "' has ", elements, " elements at byte ", at, ", but the pickle says ",
                  storage.bytes / storage.unit_bytes);
    storages_[it->second] = {file_->data() + at + 8, storage.bytes};
    found[it->second] = true;
    at += 8 + size_t(storage.bytes);
  }
  const auto missing = std::find(found.begin(), found.end(), false);
  if (missing != found.end())
    fail_format(path(), "storage '", state.storages[size_t(missing - found.begin())].key, "' has no bytes");
  add_tensors(state);
}

void TorchFile::add_tensors(const TorchState& state) {
  for (const TorchTensor& t : state.tensors) {
    const Bytes& storage = storages_[t.storage];
    TensorRef tensor{t.name, t.type, nullptr, nullptr};
    const bool swapped = big_endian_ && size_bytes(t.type.dtype) > 1;
    const bool in_place = t.type.elements() == 0 || (storage.data && t.is_contiguous() && !swapped);
    if (in_place) {
      if (t.type.elements() > 0) tensor.data = storage.data + t.offset * size_bytes(t.type.dtype);
      tensor.owner = file_;
    }
    if (!add(std::move(tensor))) elsewhere_.emplace(t.name, t);
  }
}

void TorchFile::load(TensorRef* tensor) const {
  const TorchTensor& t = elsewhere_.at(tensor->name);
  const Bytes& storage = storages_[t.storage];
  const auto* bytes = storage.data;
  if (!bytes && !storage.unpacked) {
    std::shared_ptr<const void> owner;
    std::byte* memory = allocate_tensor(storage.bytes, &owner);
    storage.archive->unpack(*storage.member, memory);
    storage.unpacked = owner;
  }
  if (!bytes) bytes = static_cast<const std::byte*>(storage.unpacked.get());
  const std::byte* begin = bytes + t.offset * size_bytes(t.type.dtype);
  const bool aligned = reinterpret_cast<uintptr_t>(begin) % uintptr_t(size_bytes(t.type.dtype)) == 0;
  if (!storage.data && t.is_contiguous() && aligned && !big_endian_) {  // several tensors may share it
    tensor->data = begin;
    tensor->owner = storage.unpacked;
    return;
  }
  std::shared_ptr<const void> owner;
  std::byte* copy = allocate_tensor(tensor->bytes(), &owner);
  if (t.is_contiguous() && !big_endian_)
    std::memcpy(copy, begin, size_t(tensor->bytes()));
  else
    copy_strided(t, bytes, big_endian_, copy);
  tensor->data = copy;
  tensor->owner = owner;
}

}  // namespace hearth
