// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/tensorboard.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace hearth {

static constexpr std::array<uint32_t, 256> make_crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0u);  // reflected Castagnoli polynomial
    table[i] = crc;
  }
  return table;
}

uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> table = make_crc_table();
  uint32_t crc = ~0u;
  for (char c : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

// TFRecord rotates and offsets its sums, so that the sum of data that holds sums is not degenerate.
static uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8u; }

template <class T>
static std::string little_endian(T value) {
  std::string bytes(sizeof value, '\0');
  for (size_t i = 0; i < sizeof value; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string tfrecord(std::string_view bytes) {
  const std::string length = little_endian(static_cast<uint64_t>(bytes.size()));
  return length + little_endian(masked_crc(length)) + std::string(bytes) + little_endian(masked_crc(bytes));
}

// Protobuf wire format: a key is field * 8 + type, with type 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
static std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
static std::string integer_field(int field, int64_t value) {
  return varint(uint64_t(field) * 8) + varint(static_cast<uint64_t>(value));
}
static std::string double_field(int field, double value) {
  return varint(uint64_t(field) * 8 + 1) + little_endian(std::bit_cast<uint64_t>(value));
}
static std::string bytes_field(int field, std::string_view value) {
  return varint(uint64_t(field) * 8 + 2) + varint(value.size()) + std::string(value);
}
static std::string float_field(int field, float value) {
  return varint(uint64_t(field) * 8 + 5) + little_endian(std::bit_cast<uint32_t>(value));
}

// Event: wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7.
static std::string event_start(int64_t step) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return double_field(1, std::chrono::duration<double>(now).count()) + integer_field(2, step);
}

TensorBoardWriter::TensorBoardWriter(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  HEARTH_CHECK(!error, file, "tensorboard: cannot make the folder ", folder, ": ", error.message());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  for (int number = 0; file_ < 0; ++number) {  // TensorBoard reads files in the order of their names
    path_ = (std::filesystem::path(folder) / cat("events.out.tfevents.", seconds, ".hearth.", number)).string();
    file_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    HEARTH_CHECK(file_ >= 0 || errno == EEXIST, file, "tensorboard: cannot write ", path_, ": ", std::strerror(errno));
  }
  write_record(event_start(0) + bytes_field(3, "brain.Event:2"));
}

TensorBoardWriter::TensorBoardWriter(const std::string& folder, int64_t first_step) : TensorBoardWriter(folder) {
  const std::string session_start = integer_field(1, 1);  // SessionLog: status = START
  write_record(event_start(first_step) + bytes_field(7, session_start));
}

void TensorBoardWriter::scalars(int64_t step, const std::vector<std::pair<std::string, double>>& values) {
  std::string summary;
  for (const auto& [tag, value] : values)  // Summary.Value: tag = 1, simple_value = 2
    summary += bytes_field(1, bytes_field(1, tag) + float_field(2, static_cast<float>(value)));
  write_record(event_start(step) + bytes_field(5, summary));
}

void TensorBoardWriter::write_record(const std::string& event) {
  HEARTH_CHECK(file_ >= 0, bug, "tensorboard: written after it was moved from");
  const std::string record = tfrecord(event);
  size_t done = 0;
  while (done < record.size()) {
    const ssize_t written = write(file_, record.data() + done, record.size() - done);
    if (written < 0 && errno == EINTR) continue;
    HEARTH_CHECK(written > 0, file, "tensorboard: cannot write ", path_, ": ", std::strerror(errno));
    done += static_cast<size_t>(written);
  }
}

TensorBoardWriter::TensorBoardWriter(TensorBoardWriter&& other) noexcept
    : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)) {}

TensorBoardWriter& TensorBoardWriter::operator=(TensorBoardWriter&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(path_, other.path_);
  return *this;
}

TensorBoardWriter::~TensorBoardWriter() {
  if (file_ >= 0) close(file_);
}

}  // namespace hearth
