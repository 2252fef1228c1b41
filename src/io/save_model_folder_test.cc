// SPDX-License-Identifier: Apache-2.0
#include "io/save_model_folder.h"

#include <cstring>

#include "base/file_test_folder.h"
#include "io/model_folder.h"

namespace hearth {

constexpr int64_t kMax = 1 << 28;

// All tensors of prose-14m in the order of its modules, as a transformers model lists them.
static std::vector<NewTensor> prose_tensors(const ModelFolder& model) {
  std::vector<std::string> names = {"model.embed_tokens.weight"};
  for (int layer = 0; layer < 8; ++layer) {
    for (const char* part :
         {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj",
          "mlp.up_proj", "mlp.down_proj", "input_layernorm", "post_attention_layernorm"}) {
      names.push_back(cat("model.layers.", layer, ".", part, ".weight"));
    }
  }
  names.push_back("model.norm.weight");
  names.push_back("lm_head.weight");
  std::vector<NewTensor> tensors;
  for (const std::string& name : names) tensors.push_back({name, model.tensor(name).type});
  return tensors;
}

static TensorBytes copy_from(const ModelFolder& model) {
  return [&model](const NewTensor& tensor, int64_t begin, std::span<std::byte> room) -> std::span<const std::byte> {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(room.data()) % 64, 0u);
    EXPECT_EQ(begin % 64, 0);
    std::memcpy(room.data(), model.tensor(tensor.name).data + begin, room.size());
    return room;
  };
}

TEST(SaveModelFolder, writes_every_byte_that_transformers_wrote) {
  const TestFolder folder;
  const std::string source = source_file("assets/prose-14m");
  const ModelFolder model = ModelFolder::open(source);
  int64_t last_done = 0;
  const std::vector<std::string> files = save_model_folder(
      folder / "copy", model.config(), prose_tensors(model), copy_from(model),
      {.shard_limit_bytes = 14'000'000, .source_folder = source, .progress = [&](int64_t done, int64_t total) {
         EXPECT_LE(last_done, done);
         EXPECT_EQ(total, 31470336);
         last_done = done;
       }});
  EXPECT_EQ(last_done, 31470336);
  EXPECT_EQ(files, list_folder(folder / "copy"));
  for (const char* name : {"config.json", "generation_config.json", "tokenizer.json", "tokenizer.model",
                           "tokenizer_config.json", "model.safetensors.index.json", "model-00001-of-00003.safetensors",
                           "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors"}) {
    EXPECT_TRUE(read_file(join_path(folder / "copy", name), kMax) == read_file(join_path(source, name), kMax)) << name;
  }
  EXPECT_FALSE(exists(folder / "copy/training.json"));  // no tokenizer file
}

static const std::vector<NewTensor> kTwo = {{"a", {DType::f32, {2}}}, {"b", {DType::f32, {3}}}};
static std::span<const std::byte> fill_zeros(const NewTensor&, int64_t, std::span<std::byte> room) {
  std::fill(room.begin(), room.end(), std::byte(0));
  return room;
}

TEST(SaveModelFolder, a_small_model_is_one_file_and_replaces_an_earlier_one) {
  const TestFolder folder;
  const Json config = {{"model_type", "llama"}};
  save_model_folder(folder / "m", config, kTwo, fill_zeros, {.shard_limit_bytes = 8});
  EXPECT_EQ(list_folder(folder / "m").size(), 4u);
  save_model_folder(folder / "m", config, kTwo, fill_zeros);
  EXPECT_EQ(list_folder(folder / "m"), (std::vector<std::string>{"config.json", "model.safetensors"}));
  EXPECT_EQ(list_folder(folder.path()), std::vector<std::string>{"m"});
}

TEST(SaveModelFolder, a_folder_with_other_things_is_refused) {
  const TestFolder folder;
  const auto save_error = [&](const SaveModelOptions& options = {}) {
    return error_of(Kind::file, [&] { save_model_folder(folder / "m", Json::object(), kTwo, fill_zeros, options); });
  };
  ensure_folder(folder / "m");
  write_file_atomic(folder / "m/diary.txt", "dear diary");
  EXPECT_TEXT(save_error(), "exists and is no model folder; it stays as it is");
  write_file_atomic(folder / "m/config.json", "{}");
  EXPECT_TEXT(save_error(), "holds more than a model: 'diary.txt'; it stays as it is");
  EXPECT_EQ(read_file(folder / "m/diary.txt", kMax), "dear diary");
  remove_tree(folder / "m/diary.txt");
  EXPECT_TEXT(save_error({.source_folder = folder / "m"}), "is the folder that the model comes from");
  remove_tree(folder / "m");
  write_file_atomic(folder / "m", "x");
  EXPECT_TEXT(save_error(), "is a file; choose the name of a new folder");
  EXPECT_EQ(list_folder(folder.path()).size(), 1u);
}

TEST(SaveModelFolder, a_failing_callback_leaves_nothing) {
  const TestFolder folder;
  const auto fail_at_b = [](const NewTensor& tensor, int64_t begin, std::span<std::byte> room) {
    HEARTH_CHECK(tensor.name != "b", numeric, "merge: 'b' holds NaN");
    return fill_zeros(tensor, begin, room);
  };
  EXPECT_TEXT(error_of(Kind::numeric, [&] { save_model_folder(folder / "m", Json::object(), kTwo, fail_at_b); }),
              "holds NaN");
  EXPECT_TRUE(list_folder(folder.path()).empty());
}

TEST(SaveModelFolder, what_reads_back_otherwise_is_noticed) {
  const TestFolder folder;
  const auto other = [](const NewTensor& tensor, int64_t begin, std::span<std::byte> room) {
    const std::span<const std::byte> zeros = fill_zeros(tensor, begin, room);
    if (tensor.name == "b") room.back() = std::byte(1);
    return zeros;
  };
  for (const WeightFormat format : {WeightFormat::safetensors, WeightFormat::bin}) {
    const auto save = [&](const TensorBytes& expected) {
      save_model_folder(folder / "m", Json::object(), kTwo, fill_zeros, {.format = format, .expected = expected});
    };
    EXPECT_TEXT(error_of(Kind::file, [&] { save(other); }), "missing or changed: 'b'\n");
    EXPECT_FALSE(exists(folder / "m"));
    EXPECT_NO_THROW(save(fill_zeros));
    remove_tree(folder / "m");
  }
}

TEST(SaveModelFolder, a_bin_file_shares_bytes_and_shards) {
  const TestFolder folder;
  const std::vector<NewTensor> tensors = {
      {"a", {DType::f32, {2}}}, {"b", {DType::i64, {3}}}, {"c", {DType::f32, {2}}, "a"}};
  const auto fill = [](const NewTensor& tensor, int64_t, std::span<std::byte> room) -> std::span<const std::byte> {
    std::fill(room.begin(), room.end(), std::byte(tensor.name[0]));
    return room;
  };
  save_model_folder(folder / "m", Json::object(), tensors, fill,
                    {.format = WeightFormat::bin, .shard_limit_bytes = 10, .expected = fill});
  EXPECT_EQ(list_folder(folder / "m"),
            (std::vector<std::string>{"config.json", "pytorch_model-00001-of-00002.bin",
                                      "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"}));
  const ModelFolder model = ModelFolder::open(folder / "m");
  EXPECT_EQ(model.tensor("c").data, model.tensor("a").data);
  EXPECT_EQ(int(model.tensor("b").data[23]), int('b'));
}

TEST(SaveModelFolder, what_cannot_fit_the_disk_is_refused_before_writing) {
  const TestFolder folder;
  const std::vector<NewTensor> huge = {{"a", {DType::f32, {int64_t(1) << 58}}}};
  EXPECT_TEXT(error_of(Kind::file, [&] { save_model_folder(folder / "m", Json::object(), huge, fill_zeros); }),
              "needs 1152921504606846976 bytes, but its disk has");
  EXPECT_TRUE(list_folder(folder.path()).empty());
}

// The example of huggingface_hub's documentation, and a tensor larger than the limit.
TEST(SaveModelFolder, splits_as_huggingface_hub_does) {
  const auto sizes = [](const std::vector<int64_t>& bytes, int64_t limit) {
    std::vector<NewTensor> tensors;
    for (const int64_t n : bytes) tensors.push_back({"t", {DType::u8, {n}}});
    std::vector<std::vector<int64_t>> out;
    for (const auto& shard : split_in_shards(tensors, limit)) {
      out.emplace_back();
      for (const NewTensor& tensor : shard) out.back().push_back(tensor.type.bytes());
    }
    return out;
  };
  EXPECT_EQ(sizes({6, 6, 2, 6, 2, 2}, 10), (std::vector<std::vector<int64_t>>{{6}, {6, 2}, {6, 2, 2}}));
  EXPECT_EQ(sizes({3, 11, 3}, 10), (std::vector<std::vector<int64_t>>{{11}, {3, 3}}));
  EXPECT_EQ(sizes({11}, 10), (std::vector<std::vector<int64_t>>{{11}}));
}

}  // namespace hearth
