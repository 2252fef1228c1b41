// SPDX-License-Identifier: Apache-2.0
#pragma once
// Token ids without bound: the first 64 MiB of them in memory, beyond that all of them in a file without a name, which
// vanishes with the process. Appended to first, then read, at any place, from any thread.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hearth {

class TokenSpool {
 public:
  static constexpr int64_t kInMemory = int64_t{16} << 20;  // tokens

  // The file is made in `folder`, when it is needed. Throws Error{file} when the disk is full.
  explicit TokenSpool(std::string folder, int64_t in_memory = kInMemory);
  ~TokenSpool();
  TokenSpool(const TokenSpool&) = delete;
  TokenSpool& operator=(const TokenSpool&) = delete;

  void append(std::span<const int32_t> tokens);
  int64_t size() const { return size_; }
  void read(int64_t begin, std::span<int32_t> out) const;
  bool on_disk() const { return fd_ >= 0; }

 private:
  void flush();
  const std::string folder_;
  const int64_t in_memory_;
  std::vector<int32_t> memory_;  // all of them, or those that are not written yet
  int64_t size_ = 0, written_ = 0;
  int fd_ = -1;
};

// A folder for such files: TMPDIR, else /tmp.
std::string temporary_folder();

// Reads a file in order, so that no more than what is asked for is in memory.
class FileReader {
 public:
  explicit FileReader(const std::string& path);  // Error{file} unless a regular file that can be read
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  bool append(std::string& out, size_t most);  // false: nothing is left
  int64_t size() const { return size_; }

 private:
  const std::string path_;
  int fd_ = -1;
  int64_t size_ = 0;
};

}  // namespace hearth
