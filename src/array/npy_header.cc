// SPDX-License-Identifier: Apache-2.0
#include "array/npy_header.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/error.h"

namespace hearth {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxRank = 64;  // NumPy's

struct DTypeCode {
  const char* code;
  DType dtype;
};
constexpr DTypeCode kCodes[] = {
    {"b1", DType::boolean}, {"i1", DType::i8},  {"i2", DType::i16},       {"i4", DType::i32},        {"i8", DType::i64},
    {"u1", DType::u8},      {"u2", DType::u16}, {"u4", DType::u32},       {"u8", DType::u64},        {"f2", DType::f16},
    {"f4", DType::f32},     {"f8", DType::f64}, {"c8", DType::complex64}, {"c16", DType::complex128}};

// Reads the few Python literals that a header has.
class Reader {
 public:
  Reader(std::string_view text, size_t offset, const std::string& where)
      : text_(text), offset_(offset), where_(where) {}

  template <class... Values>
  [[noreturn]] void fail(const Values&... what) const {
    HEARTH_FAIL(format, "npy: ", where_, ": byte ", offset_ + at_, ": ", what...);
  }
  bool accept(char c) {
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail("expected '", c, "'");
  }
  std::string quoted() {
    skip_spaces();
    const char quote = at_ < text_.size() ? text_[at_] : 0;
    if (quote != '\'' && quote != '"') fail("expected a quoted word");
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("a quote is not closed");
    const std::string word(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return word;
  }
  bool truth() {
    skip_spaces();
    for (const std::string_view word : {std::string_view("True"), std::string_view("False")}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return word == "True";
    }
    fail("expected True or False");
  }
  Dims tuple() {
    Dims dims;
    expect('(');
    while (!accept(')')) {
      dims.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    if (dims.size() > kMaxRank) fail("the shape has ", dims.size(), " axes, NumPy's limit is ", kMaxRank);
    return dims;
  }
  bool at_end() {
    skip_spaces();
    return at_ == text_.size();
  }

 private:
  int64_t number() {
    skip_spaces();
    const size_t start = at_;
    int64_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text_[at_] - '0', &value))
        fail("a size has too many digits");
    }
    if (at_ == start) fail("expected a size");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // as Python 2 wrote them
    return value;
  }
  void skip_spaces() {
    while (at_ < text_.size() && std::strchr(" \t\n\r", text_[at_]) && text_[at_]) ++at_;
  }

  std::string_view text_;
  size_t offset_, at_ = 0;
  const std::string& where_;
};

struct Descr {
  DType dtype;
  bool big_endian;
};

Descr parse_descr(const std::string& descr, const std::string& where) {
  const char order = descr.empty() ? 0 : descr[0];
  const bool has_order = order == '<' || order == '>' || order == '|' || order == '=';
  const std::string code = has_order ? descr.substr(1) : descr;
  for (const DTypeCode& row : kCodes) {
    if (code == row.code) return {row.dtype, order == '>'};
  }
  HEARTH_FAIL(unsupported, "npy: ", where, ": Hearth has no type for '", descr, "'",
              code == "V2" ? ", raw bytes of which NumPy does not say that they are bf16\n  hint: save "
                             "x.astype(numpy.float32)"
                           : "");
}

void check_elements(const NpyHeader& header, size_t available, const std::string& where) {
  int64_t bytes = size_bytes(header.type.dtype);
  bool empty = false;  // no elements, whatever the other sizes are
  for (const int64_t size : header.type.dims) empty |= size == 0;
  for (const int64_t size : header.type.dims) {
    HEARTH_CHECK(!__builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes), format, "npy: ", where,
                 ": the shape ", ShowDims{header.type.dims}, " has more elements than can be counted");
  }
  HEARTH_CHECK(empty || uint64_t(bytes) <= available, format, "npy: ", where, ": byte ", header.data, ": ", header.type,
               " has ", bytes, " bytes, the file ", available);
}

uint32_t little_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | uint8_t(bytes[i]);
  return value;
}

}  // namespace

NpyHeader parse_npy_header(std::string_view bytes, const std::string& where) {
  HEARTH_CHECK(bytes.substr(0, 6) == kMagic, format, "npy: ", where, ": byte 0: does not begin with \\x93NUMPY");
  HEARTH_CHECK(bytes.size() >= 10, format, "npy: ", where, ": byte ", bytes.size(), ": ends within the header");
  const int version = uint8_t(bytes[6]);
  HEARTH_CHECK(version >= 1 && version <= 3 && bytes[7] == 0, format, "npy: ", where, ": byte 6: format ", version, ".",
               int(uint8_t(bytes[7])), " is unknown; there are 1.0, 2.0 and 3.0");
  const size_t width = version == 1 ? 2 : 4, start = 8 + width;
  const size_t length = little_endian(bytes.substr(8, width));
  HEARTH_CHECK(bytes.size() >= start && bytes.size() - start >= length, format, "npy: ", where,
               ": byte 8: a header of ", length, " bytes, the file ends after ", bytes.size());
  Reader reader(bytes.substr(start, length), start, where);
  std::optional<Descr> descr;
  std::optional<bool> fortran;
  std::optional<Dims> shape;
  reader.expect('{');
  while (!reader.accept('}')) {
    const std::string key = reader.quoted();
    reader.expect(':');
    if (key == "descr" && !descr) {
      HEARTH_CHECK(!reader.accept('['), unsupported, "npy: ", where, ": Hearth has no arrays of records");
      descr = parse_descr(reader.quoted(), where);
    } else if (key == "fortran_order" && !fortran) {
      fortran = reader.truth();
    } else if (key == "shape" && !shape) {
      shape = reader.tuple();
    } else {
      reader.fail("key '", key, "' is unknown or comes twice");
    }
    if (!reader.accept(',')) {
      reader.expect('}');
      break;
    }
  }
  if (!reader.at_end()) reader.fail("something follows the header");
  HEARTH_CHECK(descr && fortran && shape, format, "npy: ", where, ": byte ", start,
               ": the header needs descr, fortran_order and shape");
  const NpyHeader header{{descr->dtype, *shape}, *fortran, descr->big_endian, start + length};
  check_elements(header, bytes.size() - header.data, where);
  return header;
}

std::string npy_header(const TensorType& type) {
  HEARTH_CHECK(type.dims.size() <= kMaxRank, unsupported, "save_npy: NumPy's limit is ", kMaxRank,
               " axes; the array is ", type);
  const char* code = nullptr;
  for (const DTypeCode& row : kCodes) code = row.dtype == type.dtype ? row.code : code;
  HEARTH_CHECK(code, unsupported, "save_npy: NumPy has no type for ", type.dtype, "; the array is ", type,
               "\n  hint: x.astype(DType::f32) keeps every value");
  std::string text =
      cat("{'descr': '", size_bytes(type.dtype) == 1 ? "|" : "<", code, "', 'fortran_order': False, ", "'shape': (");
  for (size_t i = 0; i < type.dims.size(); ++i) text += cat(i ? ", " : "", type.dims[i]);
  text += type.dims.size() == 1 ? ",), }" : "), }";
  text.resize((10 + text.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  text += '\n';
  const char start[] = {1, 0, char(text.size() & 255), char(text.size() >> 8)};
  return cat(kMagic, std::string_view(start, 4), text);
}

}  // namespace hearth
