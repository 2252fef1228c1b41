// SPDX-License-Identifier: Apache-2.0
// One function per structure, shared by reader and writer: `visit(archive, x)` names the fields in file order once, so
// that the two cannot disagree.

#include "plan/plan_file.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/file.h"

namespace hearth {
namespace {

static_assert(std::endian::native == std::endian::little, "plan files are little-endian; big-endian hosts need swaps");

constexpr char kMagic[9] = "HEARTHPL";
constexpr uint32_t kVersion = 3;

// docs/plan_format.md
struct Header {
  char magic[8];
  uint32_t version;
  uint32_t header_bytes;
  uint64_t file_bytes;
  uint64_t structure_bytes;   // from header_bytes on
  uint64_t constants_offset;  // multiple of 64
  uint64_t constants_bytes;
  uint32_t structure_crc;
  uint32_t constants_crc;
  uint32_t zero;
  uint32_t header_crc;  // of the 60 bytes before
};
static_assert(sizeof(Header) == 64, "the header is a file format: its size may never change");

// CRC-32 of IEEE 802.3, as in zlib.
uint32_t crc32(std::span<const std::byte> bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> t{};
    for (uint32_t i = 0; i < 256; ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit) t[i] = (t[i] >> 1) ^ (t[i] & 1 ? 0xedb88320u : 0);
    }
    return t;
  }();
  uint32_t crc = ~0u;
  for (std::byte b : bytes) crc = table[(crc ^ uint32_t(b)) & 255] ^ (crc >> 8);
  return ~crc;
}

class Writer {
 public:
  template <class T>
  void number(const T& x) {
    const auto* raw = reinterpret_cast<const std::byte*>(&x);
    bytes_.insert(bytes_.end(), raw, raw + sizeof x);
  }
  uint64_t count(uint64_t n, size_t) {
    number(n);
    return n;
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, size_t offset, const std::string& name)
      : bytes_(bytes), offset_(offset), name_(name) {}

  template <class T>
  void number(T& x) {
    if (bytes_.size() - at_ < sizeof x) {
      error(cat("the structure ends in the middle of a value: ", sizeof x, " bytes needed, ", bytes_.size() - at_,
                " left"));
    }
    std::memcpy(&x, bytes_.data() + at_, sizeof x);
    at_ += sizeof x;
  }
  // A count of things of at least `smallest` bytes each: no more than the rest of the file can hold, so that a damaged
  // count cannot ask for more memory than the file has.
  uint64_t count(uint64_t, size_t smallest) {
    uint64_t n = 0;
    number(n);
    if (n > (bytes_.size() - at_) / smallest) {
      at_ -= sizeof n;
      error(cat("a count of ", n, " does not fit in the rest of the file"));
    }
    return n;
  }
  [[noreturn]] void error(const std::string& reason) const {
    HEARTH_FAIL(format, "plan file '", name_, "': byte ", offset_ + at_, ": ", reason);
  }
  void expect_end() const {
    if (at_ != bytes_.size()) error(cat(bytes_.size() - at_, " bytes follow the last instruction"));
  }
  int depth = 0;  // bodies that the place lies in

 private:
  std::span<const std::byte> bytes_;
  size_t offset_, at_ = 0;
  const std::string& name_;
};

// In these, Archive is Writer or Reader and X is const for the Writer.
template <class Archive>
constexpr bool reads = std::is_same_v<Archive, Reader>;

template <class Archive, class T>
requires(std::is_arithmetic_v<T>) void visit(Archive& archive, T& x) { archive.number(x); }

// Enums as one byte, below a limit.
template <class Archive, class T>
void visit_enum(Archive& archive, T& x, int limit, const char* what) {
  uint8_t byte = uint8_t(x);
  archive.number(byte);
  if constexpr (reads<Archive>) {
    if (byte >= limit) archive.error(cat("there is no ", what, " ", int(byte)));
    x = static_cast<std::remove_const_t<T>>(byte);
  }
}

template <class Archive, class T>
void visit_numbers(Archive& archive, T& list) {  // std::string or std::vector of numbers
  const uint64_t n = archive.count(list.size(), sizeof(list[0]));
  if constexpr (reads<Archive>) list.resize(n);
  for (auto& x : list) archive.number(x);
}

template <class Archive, class T>
void visit_list(Archive& archive, T& list, size_t smallest) {
  const uint64_t n = archive.count(list.size(), smallest);
  if constexpr (reads<Archive>) list.resize(n);
  for (auto& x : list) visit(archive, x);
}

void visit(Writer& archive, const std::string& x) { visit_numbers(archive, x); }
void visit(Reader& archive, std::string& x) { visit_numbers(archive, x); }

template <class Archive, class X>
void visit_type(Archive& archive, X& x) {
  visit_enum(archive, x.dtype, kDTypes, "dtype");
  visit_numbers(archive, x.dims);
}

void visit(Writer& archive, const Attrs& attrs) {
  archive.count(attrs.items().size(), 1);
  for (const auto& [name, item] : attrs.items()) {
    visit(archive, name);
    archive.number(uint8_t(item.index()));
    if (const auto* x = std::get_if<int64_t>(&item)) archive.number(*x);
    if (const auto* x = std::get_if<double>(&item)) archive.number(*x);
    if (const auto* x = std::get_if<std::string>(&item)) visit_numbers(archive, *x);
    if (const auto* x = std::get_if<std::vector<int64_t>>(&item)) visit_numbers(archive, *x);
    if (const auto* x = std::get_if<std::vector<double>>(&item)) visit_numbers(archive, *x);
  }
}

template <class T>
Attrs::Item read_item(Reader& archive) {
  T x{};
  if constexpr (std::is_arithmetic_v<T>)
    archive.number(x);
  else
    visit_numbers(archive, x);
  return x;
}
void visit(Reader& archive, Attrs& attrs) {
  const uint64_t n = archive.count(0, 17);
  for (uint64_t i = 0; i < n; ++i) {
    std::string name;
    visit(archive, name);
    if (attrs.has(name)) archive.error(cat("attribute '", name, "' stands twice"));
    uint8_t kind = 0;
    archive.number(kind);
    switch (kind) {
      case 0: attrs.set(name, read_item<int64_t>(archive)); break;
      case 1: attrs.set(name, read_item<double>(archive)); break;
      case 2: attrs.set(name, read_item<std::string>(archive)); break;
      case 3: attrs.set(name, read_item<std::vector<int64_t>>(archive)); break;
      case 4: attrs.set(name, read_item<std::vector<double>>(archive)); break;
      default: archive.error(cat("there is no attribute kind ", int(kind)));
    }
  }
}

template <class Archive, class X>
void visit_tensor(Archive& archive, X& x) {
  visit_type(archive, x.type);
  visit_enum(archive, x.storage, 4, "storage");
  visit(archive, x.device);
  visit(archive, x.offset);
}
void visit(Writer& archive, const PlanTensor& x) { visit_tensor(archive, x); }
void visit(Reader& archive, PlanTensor& x) { visit_tensor(archive, x); }

template <class Archive, class X>
void visit_instruction(Archive& archive, X& x) {
  visit(archive, x.kernel);
  visit(archive, x.device);
  visit_numbers(archive, x.inputs);
  visit_numbers(archive, x.outputs);
  visit(archive, x.attrs);
  visit(archive, x.program);
  visit_numbers(archive, x.bodies);
  visit(archive, x.workspace_offset);
  visit(archive, x.workspace_bytes);
  visit(archive, x.scope);
}
void visit(Writer& archive, const PlanInstruction& x) { visit_instruction(archive, x); }
void visit(Reader& archive, PlanInstruction& x) { visit_instruction(archive, x); }

template <class Archive, class X>
void visit_port(Archive& archive, X& x) {
  visit(archive, x.name);
  visit(archive, x.tensor);
  visit(archive, x.donor);
}
void visit(Writer& archive, const PlanPort& x) { visit_port(archive, x); }
void visit(Reader& archive, PlanPort& x) { visit_port(archive, x); }

template <class Archive, class X>
void visit_row_instruction(Archive& archive, X& x) {
  uint16_t op = uint16_t(x.op);
  archive.number(op);
  if constexpr (reads<Archive>) {
    if (op >= uint16_t(RowOp::count)) archive.error(cat("there is no row instruction ", op));
    x.op = RowOp(op);
  }
  visit(archive, x.dst);
  visit(archive, x.a);
  visit(archive, x.b);
  visit(archive, x.c);
  visit(archive, x.operand);
  visit(archive, x.immediate);
}
void visit(Writer& archive, const RowInstruction& x) { visit_row_instruction(archive, x); }
void visit(Reader& archive, RowInstruction& x) { visit_row_instruction(archive, x); }

template <class Archive, class X>
void visit_operand(Archive& archive, X& x) {
  visit(archive, x.tensor);
  visit_enum(archive, x.dtype, kDTypes, "dtype");
  visit_enum(archive, x.row, 2, "kind of row operand");
  visit(archive, x.offset);
  visit_numbers(archive, x.dims);
  visit_numbers(archive, x.strides);
}
void visit(Writer& archive, const RowOperand& x) { visit_operand(archive, x); }
void visit(Reader& archive, RowOperand& x) { visit_operand(archive, x); }

// The smallest sizes are those of the fixed fields: a count of 8 bytes for each list in them.
template <class Archive, class X>
void visit_phase(Archive& archive, X& x) {
  visit_list(archive, x.tiles, 16);
  visit_list(archive, x.after, 16);
}
void visit(Writer& archive, const RowPhase& x) { visit_phase(archive, x); }
void visit(Reader& archive, RowPhase& x) { visit_phase(archive, x); }

template <class Archive, class X>
void visit_program(Archive& archive, X& x) {
  visit(archive, x.rows);
  visit(archive, x.width);
  visit(archive, x.inner);
  visit(archive, x.full_registers);
  visit(archive, x.row_registers);
  visit_list(archive, x.operands, 30);
  visit_list(archive, x.phases, 16);
}
void visit(Writer& archive, const RowProgram& x) { visit_program(archive, x); }
void visit(Reader& archive, RowProgram& x) { visit_program(archive, x); }

void visit(Writer& archive, const Plan& x);
void visit(Reader& archive, Plan& x);

// Everything but the constants, whose bytes stand in a section of their own.
template <class Archive, class X>
void visit_plan(Archive& archive, X& x) {
  visit_list(archive, x.devices, 8);
  visit_numbers(archive, x.arena_bytes);
  visit_list(archive, x.tensors, 22);
  visit_list(archive, x.inputs, 16);
  visit_list(archive, x.outputs, 16);
  visit_list(archive, x.programs, 48);
  visit_list(archive, x.instructions, 72);
  visit(archive, x.live_bytes_max);
  visit_list(archive, x.bodies, 80);
}
// A body carries its constants with it.
void visit(Writer& archive, const Plan& x) {
  visit_plan(archive, x);
  visit_numbers(archive, x.constants);
}
void visit(Reader& archive, Plan& x) {
  if (++archive.depth > kMaxBodyDepth) archive.error(cat("more than ", kMaxBodyDepth, " bodies lie in each other"));
  visit_plan(archive, x);
  visit_numbers(archive, x.constants);
  --archive.depth;
}

Header read_header(std::span<const std::byte> bytes, const std::string& name, Checksums checksums) {
  const auto error = [&](size_t at, const std::string& reason) {
    HEARTH_FAIL(format, "plan file '", name, "': byte ", at, ": ", reason);
  };
  Header header;
  if (bytes.size() < 8 || std::memcmp(bytes.data(), kMagic, 8) != 0) {
    error(0, cat("is no plan: does not start with '", kMagic, "'"));
  }
  if (bytes.size() < sizeof header) error(bytes.size(), "the file ends inside its header of 64 bytes");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.version != kVersion) {
    error(8, cat("has format version ", header.version, "; this program reads version ", kVersion,
                 "\n  hint: compile the model again with this program"));
  }
  if (header.file_bytes != bytes.size()) {
    error(16, cat("says that the file has ", header.file_bytes, " bytes, but it has ", bytes.size()));
  }
  if (checksums == Checksums::verify && header.header_crc != crc32(bytes.first(60))) {
    error(60, "the header's checksum is wrong: the file is damaged");
  }
  if (header.header_bytes != sizeof header) error(12, cat("says that the header has ", header.header_bytes, " bytes"));
  const uint64_t size = bytes.size();
  const uint64_t structure_end = header.header_bytes + std::min(header.structure_bytes, size);
  if (structure_end > size)
    error(24, cat("a structure of ", header.structure_bytes, " bytes does not fit in the file"));
  const bool inside = header.constants_offset % kArenaAlignment == 0 && header.constants_offset >= structure_end &&
                      header.constants_offset <= size && header.constants_offset - structure_end < kArenaAlignment &&
                      header.constants_bytes == size - header.constants_offset;
  if (!inside) {
    error(32, cat("constants at ", header.constants_offset, " + ", header.constants_bytes,
                  " do not fill the end of the file"));
  }
  for (uint64_t at = structure_end; at < header.constants_offset; ++at) {
    if (bytes[at] != std::byte{0}) error(at, "the bytes between structure and constants are not zero");
  }
  return header;
}

}  // namespace

std::vector<std::byte> plan_to_bytes(const Plan& plan) {
  Writer structure;
  visit_plan(structure, plan);
  const auto constants = std::as_bytes(std::span(plan.constants));
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof header.magic);
  header.version = kVersion;
  header.header_bytes = sizeof header;
  header.structure_bytes = structure.bytes().size();
  header.constants_offset = (sizeof header + header.structure_bytes + 63) / 64 * 64;
  header.constants_bytes = constants.size();
  header.file_bytes = header.constants_offset + header.constants_bytes;
  header.structure_crc = crc32(structure.bytes());
  header.constants_crc = crc32(constants);
  header.header_crc = crc32(std::as_bytes(std::span(&header, 1)).first(60));

  std::vector<std::byte> bytes(header.file_bytes);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, structure.bytes().data(), structure.bytes().size());
  if (!constants.empty()) std::memcpy(bytes.data() + header.constants_offset, constants.data(), constants.size());
  return bytes;
}

Plan plan_from_bytes(std::span<const std::byte> bytes, const std::string& name, Checksums checksums) {
  const Header header = read_header(bytes, name, checksums);
  const auto structure = bytes.subspan(header.header_bytes, header.structure_bytes);
  const auto constants = bytes.subspan(header.constants_offset);
  if (checksums == Checksums::verify) {
    HEARTH_CHECK(crc32(structure) == header.structure_crc, format, "plan file '", name, "': byte ", header.header_bytes,
                 ": the structure's checksum is wrong: the file is damaged");
    HEARTH_CHECK(crc32(constants) == header.constants_crc, format, "plan file '", name, "': byte ",
                 header.constants_offset, ": the constants' checksum is wrong: the file is damaged");
  }
  Plan plan;
  Reader reader(structure, header.header_bytes, name);
  visit_plan(reader, plan);
  reader.expect_end();
  const auto* raw = reinterpret_cast<const uint8_t*>(constants.data());
  plan.constants.assign(raw, raw + constants.size());
  return plan;
}

void save_plan(const Plan& plan, const std::string& path) {
  const std::vector<std::byte> bytes = plan_to_bytes(plan);
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

Plan load_plan(const std::string& path) {
  const auto file = MappedFile::open(path);
  Plan plan = plan_from_bytes({file->data(), size_t(file->size())}, path);
  file->check_unchanged();
  return plan;
}

}  // namespace hearth
