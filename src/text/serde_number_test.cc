// SPDX-License-Identifier: Apache-2.0
#include "text/serde_number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "text/tokenizer.h"

namespace hearth::tokenizers {
namespace {

struct Row {
  const char* text;
  double value;  // what tokenizers 0.23.3 wrote back for it
};

TEST(SerdeNumber, reads_what_the_tokenizers_library_reads) {
  for (const Row& row : {Row{"-94.24502837770503", -94.24502837770504},  // here and in the next three not the nearest
                         {"-1.7748622025346439e-06", -1.774862202534644e-06},
                         {"-94.09760010879991", -94.09760010879992},
                         {"-0.19687904392603262", -0.19687904392603264},
                         {"0.1", 0.1},
                         {"1e-06", 1e-06},
                         {"1E+2", 100},
                         {"-0.0", -0.0},
                         {"123456789012345678901234567890.125", 1.2345678901234568e+29},
                         {"0.12345678901234567890123456789", 0.12345678901234568},
                         {"18446744073709551616.5", 1.8446744073709552e+19},
                         {"18446744073709551619.05", 1.8446744073709552e+19},
                         {"1.7976931348623157e308", 1.7976931348623157e+308},
                         {"4.9e-324", 5e-324},
                         {"-1.5e-310", -1.5e-310},
                         {"1e-400", 0},
                         {"123e-340", 0},
                         {"1e-99999999999999999999", 0}}) {
    EXPECT_EQ(serde_number(row.text), row.value) << row.text;
    EXPECT_EQ(std::signbit(serde_number(row.text)), std::signbit(row.value)) << row.text;
  }
}

// Twice this score is that of the longer token, for the numbers as tokenizers reads them; the nearest ones differ.
TEST(SerdeNumber, decides_between_paths_of_one_score) {
  const std::string file = R"({"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0],
      ["a", -94.24502837770503], ["aa", -188.49005675541008]]}})";
  const Tokenizer tokenizer = Tokenizer::parse_json(file, "t.json");
  EXPECT_EQ(tokenizer.encode("aa"), (std::vector<int32_t>{2}));
}

}  // namespace
}  // namespace hearth::tokenizers
