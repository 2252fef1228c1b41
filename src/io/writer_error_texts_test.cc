// SPDX-License-Identifier: Apache-2.0
// Golden texts of what cannot be written or converted.
#include <gtest/gtest.h>

#include "base/file_test_folder.h"
#include "io/convert_model.h"
#include "io/safetensors.h"
#include "io/save_model_folder.h"
#include "io/torch_pickle.h"

namespace hearth {
namespace {

const NewTensor kOne{"w", {DType::f32, {2}}}, kComplex{"c", {DType::complex64, {2}}}, kWide{"u", {DType::u16, {2}}};

TEST(WriterErrorTexts, tensor_files) {
  const auto safetensors = [](std::vector<NewTensor> tensors) {
    return message_of([&] { safetensors_header(&tensors, {}, "F/w.safetensors"); });
  };
  const auto bin = [](const std::vector<NewTensor>& tensors) {
    return message_of([&] { torch_pickle(tensors, "F/w.bin"); });
  };
  EXPECT_EQ(safetensors({kOne}), "");
  EXPECT_EQ(safetensors({kOne, kOne}), "save: two tensors are called 'w'\n  file F/w.safetensors");
  EXPECT_EQ(safetensors({kComplex}),
            "save: 'c' is complex64[2]; Hearth writes no complex tensors\n  file F/w.safetensors");
  EXPECT_EQ(safetensors({{"__metadata__", {DType::f32, {}}}}), "save: a tensor may not be called __metadata__");
  EXPECT_EQ(bin({kOne}), "");
  EXPECT_EQ(bin({kOne, kOne}), "save: two tensors are called 'w'\n  file F/w.bin");
  EXPECT_EQ(bin({kWide}), "save: 'u' is u16[2], which Hearth writes to safetensors only\n  file F/w.bin");
}

TEST(WriterErrorTexts, model_folders) {
  const TestFolder folder;
  const TensorBytes zeros = [](const NewTensor&, int64_t, std::span<std::byte> room) {
    std::fill(room.begin(), room.end(), std::byte{0});
    return room;
  };
  const auto save = [&](const std::vector<NewTensor>& tensors, int64_t limit) {
    return message_of([&] { save_model_folder("out", Json::object(), tensors, zeros, {.shard_limit_bytes = limit}); });
  };
  EXPECT_EQ(save({}, 100), "save: there are no tensors to write to 'out'");
  EXPECT_EQ(save({kOne}, 0), "save: the size limit of a file must be positive, is 0");
  EXPECT_EQ(message_of([&] { convert_model(source_file("assets/prose-14m"), folder / "out", {.dtype = DType::i32}); }),
            "convert: models are converted to f32, bf16 or f16, not i32");
  EXPECT_FALSE(exists(folder / "out"));
}

TEST(WriterErrorTexts, lists_of_numbers) {
  const Json json = Json::parse(R"({"eos_token_id": [1, -2]})");
  EXPECT_EQ(message_of([&] { JsonView(json, "config.json").integers("eos_token_id", {.min = 0}); }),
            "config.json: 'eos_token_id' must be an integer or a list of integers in range, found [1,-2]\n  file "
            "config.json");
}

}  // namespace
}  // namespace hearth
