// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests only: a folder that vanishes with its test, the repository's assets, and the text of an expected error.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

#include "base/error.h"
#include "base/file.h"

namespace hearth {

class TestFolder {
 public:
  TestFolder() {
    const char* root = ::getenv("TMPDIR");
    path_ = join_path(root ? root : "/tmp", "hearth-test-XXXXXX");
    if (!::mkdtemp(path_.data())) fail_file("cannot create folder", path_, errno);
  }
  ~TestFolder() { remove_tree(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return join_path(path_, name); }

 private:
  std::string path_;
};

std::string source_file(const std::string& name);  // a file of the repository

// Runs `call`, which must throw an Error of that kind, and returns its text; "" and a test failure otherwise.
template <class Call>
std::string error_of(Kind kind, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_STREQ(kind_name(error.kind()), kind_name(kind)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

// Runs `call`, which must throw an Error of that kind with exactly this text.
template <class Call>
void expect_error(Kind kind, const std::string& text, const Call& call) {
  EXPECT_EQ(error_of(kind, call), text);
}

// The text of the Error that `call` throws, of whatever kind; empty when it throws nothing.
template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool contains_text(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

#define EXPECT_TEXT(text, part) EXPECT_PRED2(::hearth::contains_text, text, part)

}  // namespace hearth
