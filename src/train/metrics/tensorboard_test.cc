// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/tensorboard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/file_test_folder.h"

namespace hearth {
namespace {

class TensorBoardTest : public testing::Test {
 protected:
  TensorBoardTest() : folder_((std::filesystem::temp_directory_path() / cat("hearth_tb_", getpid())).string()) {}
  ~TensorBoardTest() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

std::string file_text(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

uint64_t little_endian_at(const std::string& bytes, size_t at, int count) {
  uint64_t value = 0;
  for (int i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes.at(at + static_cast<size_t>(i)));
  return value;
}

// The payloads of a file of records, whose checksums are checked on the way.
std::vector<std::string> records_of(const std::string& bytes) {
  std::vector<std::string> payloads;
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = little_endian_at(bytes, at, 8);
    payloads.push_back(bytes.substr(at + 12, length));
    EXPECT_EQ(bytes.substr(at, length + 16), tfrecord(payloads.back()));
    at += length + 16;
  }
  return payloads;
}

TEST_F(TensorBoardTest, crc32c_known_answers) {  // RFC 3720, appendix B.4
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST_F(TensorBoardTest, record_frame) {
  const std::string frame = tfrecord("abc");
  EXPECT_EQ(frame.size(), 8u + 4 + 3 + 4);
  EXPECT_EQ(little_endian_at(frame, 0, 8), 3u);
  const uint32_t crc = crc32c("abc");
  EXPECT_EQ(little_endian_at(frame, 15, 4), static_cast<uint32_t>(((crc >> 15) | (crc << 17)) + 0xa282ead8u));
}

TEST_F(TensorBoardTest, first_record_is_the_version_then_scalars) {
  TensorBoardWriter writer(folder_ + "/new/folder");
  writer.scalars(300, {{"train/loss", 1.5}, {"x", -2}});
  const std::vector<std::string> records = records_of(file_text(writer.path()));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].substr(9), std::string("\x10\0\x1a\x0d", 4) + "brain.Event:2");
  // step 300 = varint ac 02; summary of 29 bytes: value {tag "train/loss", 1.5f}, value {tag "x", -2f}
  const std::string expected = std::string("\x10\xac\x02\x2a\x1d") + "\x0a\x11\x0a\x0atrain/loss" +
                               std::string("\x15\0\0\xc0\x3f", 5) + "\x0a\x08\x0a\x01x" +
                               std::string("\x15\0\0\0\xc0", 5);
  EXPECT_EQ(records[1].substr(9), expected);
}

TEST_F(TensorBoardTest, resume_announces_a_session_in_a_file_of_its_own) {
  TensorBoardWriter first(folder_);
  TensorBoardWriter second(folder_, 11);
  EXPECT_LT(first.path(), second.path());  // TensorBoard reads them in this order
  const std::vector<std::string> records = records_of(file_text(second.path()));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].substr(9), std::string("\x10\x0b\x3a\x02\x08\x01"));
}

TEST_F(TensorBoardTest, errors_name_the_path) {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ + "/file") << "x";
  EXPECT_TEXT(error_of(Kind::file, [&] { TensorBoardWriter(folder_ + "/file"); }), folder_ + "/file");
}

}  // namespace
}  // namespace hearth
