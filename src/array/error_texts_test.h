// SPDX-License-Identifier: Apache-2.0
#pragma once
// Golden texts of the errors that calls of the array API throw. A row makes one mistake and reads nothing, so that an
// error which came only with the evaluation would leave the text empty.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "array/arrays.h"
#include "base/file_test_folder.h"

namespace hearth {

struct MistakeRow {
  const char* label;  // function/mistake
  std::function<void()> mistake;
  const char* text;
};

inline void expect_texts(const std::vector<MistakeRow>& rows) {
  for (const MistakeRow& row : rows) EXPECT_EQ(message_of(row.mistake), row.text) << row.label;
}

}  // namespace hearth
