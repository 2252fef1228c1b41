// SPDX-License-Identifier: Apache-2.0
#pragma once
// Protocol buffers' wire format, as much as reading sentencepiece's tokenizer.model needs.
// Source: protobuf.dev/programming-guides/encoding.

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace hearth::tokenizers {

// Walks the fields of one message:  while (reader.next()) if (reader.field() == 1) text = reader.bytes();
// Everything throws Error{format} with file and byte offset when the message is cut short or malformed.
class WireReader {
 public:
  WireReader(std::string_view message, const std::string& file, size_t offset)
      : message_(message), file_(file), offset_(offset) {}

  bool next() {  // to the next field; its value is read whole
    if (at_ == message_.size()) return false;
    const uint64_t key = varint();
    field_ = key >> 3;
    type_ = static_cast<int>(key & 7);
    check(field_ >= 1 && field_ < (1u << 29), "a field number out of range");
    number_ = 0;
    bytes_ = {};
    if (type_ == 0) {
      number_ = varint();
    } else if (type_ == 1 || type_ == 5) {
      bytes_ = take(type_ == 1 ? 8 : 4);
    } else {
      check(type_ == 2, "a wire type that sentencepiece does not use");
      bytes_ = take(varint());
    }
    return true;
  }

  uint64_t field() const { return field_; }
  std::string_view bytes() const { return check(type_ == 2, "a field of the wrong wire type"), bytes_; }
  int64_t integer() const { return check(type_ == 0, "a field of the wrong wire type"), static_cast<int64_t>(number_); }
  bool boolean() const { return integer() != 0; }
  float real() const {
    check(type_ == 5, "a field of the wrong wire type");
    return std::bit_cast<float>(little_endian());
  }
  WireReader message() const { return {bytes(), file_, offset_ + at_ - bytes_.size()}; }

 private:
  uint32_t little_endian() const {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value |= uint32_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
    return value;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      check(at_ < message_.size(), "the end of the data inside a number");
      const uint64_t byte = static_cast<unsigned char>(message_[at_++]);
      if (shift < 64) value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    check(false, "a number of more than 10 bytes");
    return 0;
  }
  std::string_view take(uint64_t count) {
    check(count <= message_.size() - at_, "a field that is longer than the data");
    at_ += count;
    return message_.substr(at_ - count, count);
  }
  void check(bool good, const char* what) const {
    HEARTH_CHECK(good, format, file_, ": no sentencepiece model: ", what, " at byte ", offset_ + at_);
  }

  std::string_view message_;
  std::string file_;
  size_t offset_, at_ = 0;
  uint64_t field_ = 0, number_ = 0;
  int type_ = 0;
  std::string_view bytes_;
};

}  // namespace hearth::tokenizers
