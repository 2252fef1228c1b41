// SPDX-License-Identifier: Apache-2.0
#include "io/model_folder.h"

#include <unistd.h>

#include <filesystem>

#include "base/file_test_folder.h"
#include "io/nearest.h"
#include "io/safetensors.h"

namespace hearth {

static const std::vector<std::byte> kZeros(64);

// A file with f32[1] tensors of these names.
static void write_weights(const std::string& path, const std::vector<std::string>& names) {
  std::vector<TensorRef> tensors;
  for (const std::string& name : names) tensors.push_back({name, {DType::f32, {1}}, kZeros.data(), nullptr});
  write_safetensors(path, tensors);
}

static std::string index_text(const std::vector<std::pair<std::string, std::string>>& entries) {
  Json json = {{"metadata", {{"total_size", 8}}}, {"weight_map", Json::object()}};
  for (const auto& [tensor, file] : entries) json["weight_map"][tensor] = file;
  return dump_json(json);
}

static std::string open_error(const TestFolder& folder, Kind kind) {
  return error_of(kind, [&] { ModelFolder::open(folder.path()); });
}

TEST(ModelFolder, opens_the_real_sharded_model) {
  const ModelFolder model = ModelFolder::open(source_file("assets/prose-14m"));
  EXPECT_EQ(model.names().size(), 75u);
  EXPECT_EQ(model.total_bytes(), 31470336);
  EXPECT_EQ(model.config_view().integer("hidden_size"), 384);
  EXPECT_TRUE(model.generation_config().has_value());
  EXPECT_EQ(cat(model.tensor("lm_head.weight", {4096, 384}).type), "bf16[4096,384]");
  EXPECT_EQ(model.find("none"), nullptr);
  model.check_unchanged();
}

TEST(ModelFolder, a_missing_tensor_is_named_with_its_nearest) {
  const ModelFolder model = ModelFolder::open(source_file("assets/prose-14m"));
  EXPECT_TEXT(error_of(Kind::format, [&] { model.tensor("model.layers.3.mlp.up_prj.weight"); }),
              "load: the 3 files of model.safetensors.index.json have no tensor 'model.layers.3.mlp.up_prj.weight'\n"
              "  found 75 tensors; nearest: 'model.layers.3.mlp.up_proj.weight'");
  EXPECT_TEXT(error_of(Kind::shape, [&] { model.tensor("model.norm.weight", {512}); }),
              "load: tensor 'model.norm.weight' is bf16[384], but config.json asks for [512]");
}

TEST(ModelFolder, a_missing_output_hints_at_tied_weights) {
  const TestFolder folder;
  write_file_atomic(folder / "config.json", "{}");
  write_weights(folder / "model.safetensors", {"model.embed_tokens.weight", "model.norm.weight"});
  const ModelFolder model = ModelFolder::open(folder.path());
  EXPECT_TEXT(error_of(Kind::format, [&] { model.tensor("lm_head.weight"); }),
              "load: model.safetensors has no tensor 'lm_head.weight'\n"
              "  found 2 tensors; nearest: 'model.embed_tokens.weight'\n"
              "  hint: tied output? set \"tie_word_embeddings\": true in config.json");
}

TEST(ModelFolder, says_what_is_wrong_with_the_folder) {
  const TestFolder folder;
  EXPECT_TEXT(error_of(Kind::file, [&] { ModelFolder::open(folder / "none"); }), "load: there is no folder");
  EXPECT_TEXT(open_error(folder, Kind::file), "has no config.json\n  hint: a model folder holds");
  write_file_atomic(folder / "adapter_config.json", "{}");
  EXPECT_TEXT(open_error(folder, Kind::file), "it holds a LoRA adapter");
  write_file_atomic(folder / "config.json", "[]");
  EXPECT_TEXT(open_error(folder, Kind::format), "config.json: the file must be a JSON object");
  EXPECT_TEXT(error_of(Kind::file, [&] { ModelFolder::open(folder / "config.json"); }), "is a file; name the folder");
  write_file_atomic(folder / "config.json", "{}");
  EXPECT_TEXT(open_error(folder, Kind::file),
              "has neither model.safetensors nor model.safetensors.index.json, nor pytorch_model.bin");
  write_file_atomic(folder / "pytorch_model.bin", "PK");
  EXPECT_TEXT(open_error(folder, Kind::format), "/pytorch_model.bin: byte 0: too short for a zip archive");
  remove_tree(folder / "pytorch_model.bin");
  write_file_atomic(folder / "consolidated.00.pth", "PK");
  EXPECT_TEXT(open_error(folder, Kind::unsupported), "has its weights in 'consolidated.00.pth', which Hearth does not");
}

TEST(ModelFolder, a_truncated_file_is_refused) {
  const TestFolder folder;
  write_file_atomic(folder / "config.json", "{}");
  const std::string whole = read_file(source_file("assets/prose-14m/model-00003-of-00003.safetensors"), 1 << 24);
  write_file_atomic(folder / "model.safetensors", whole.substr(0, whole.size() / 2));
  EXPECT_TEXT(open_error(folder, Kind::format), "it is cut short");
}

TEST(ModelFolder, a_file_that_changes_while_open_is_noticed) {
  const TestFolder folder;
  write_file_atomic(folder / "config.json", "{}");
  write_weights(folder / "model.safetensors", {"a", "b"});
  const ModelFolder model = ModelFolder::open(folder.path());
  model.tensor("a");
  ASSERT_EQ(::truncate((folder / "model.safetensors").c_str(), 100), 0);
  EXPECT_TEXT(error_of(Kind::file, [&] { model.tensor("a"); }), "changed while Hearth was using it");
  EXPECT_TEXT(error_of(Kind::file, [&] { model.check_unchanged(); }), "model.safetensors' changed");
}

class ShardedFolder : public testing::Test {
 protected:
  ShardedFolder() {
    write_file_atomic(folder / "config.json", "{}");
    write_weights(folder / "m-1.safetensors", {"a"});
    write_weights(folder / "m-2.safetensors", {"b"});
  }
  std::string error(Kind kind, const std::vector<std::pair<std::string, std::string>>& entries) {
    write_file_atomic(folder / "model.safetensors.index.json", index_text(entries));
    return open_error(folder, kind);
  }
  const TestFolder folder;
};

TEST_F(ShardedFolder, a_right_index_opens) {
  write_file_atomic(folder / "model.safetensors.index.json",
                    index_text({{"a", "m-1.safetensors"}, {"b", "m-2.safetensors"}}));
  EXPECT_EQ(ModelFolder::open(folder.path()).names(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(ShardedFolder, an_index_that_leads_out_of_the_folder_is_refused) {
  EXPECT_TEXT(error(Kind::format, {{"a", "../m-1.safetensors"}}),
              "tensor 'a' lies in '../m-1.safetensors', which is outside");
  EXPECT_TEXT(error(Kind::format, {{"a", "/etc/passwd"}}), "outside the folder");
  EXPECT_TEXT(error(Kind::format, {{"a", ".."}}), "outside the folder");
  EXPECT_TEXT(error(Kind::format, {{"a", std::string("m\0.safetensors", 14)}}), "outside the folder");
  EXPECT_TEXT(error(Kind::format, {{"a", "config.json"}}), "no .safetensors or .bin file");
}

TEST_F(ShardedFolder, an_index_that_does_not_fit_its_files_is_refused) {
  EXPECT_TEXT(error(Kind::file, {{"a", "m-1.safetensors"}, {"c", "m-3.safetensors"}}),
              "1 of 2 files named in model.safetensors.index.json are missing: 'm-3.safetensors'");
  EXPECT_TEXT(error(Kind::format, {{"a", "m-2.safetensors"}, {"b", "m-1.safetensors"}}),
              "tensor 'a' is not in 'm-2.safetensors', but in 'm-1.safetensors'");
  EXPECT_TEXT(error(Kind::format, {{"a", "m-1.safetensors"}, {"c", "m-2.safetensors"}}),
              "tensor 'c' is not in 'm-2.safetensors', nor in any other file");
  EXPECT_TEXT(error(Kind::format, {}), "'weight_map' is empty");
  write_weights(folder / "m-2.safetensors", {"a", "b"});
  EXPECT_TEXT(error(Kind::format, {{"a", "m-1.safetensors"}, {"b", "m-2.safetensors"}}),
              "tensor 'a' is in both 'm-1.safetensors' and 'm-2.safetensors'");
}

TEST_F(ShardedFolder, a_malformed_index_is_refused) {
  const auto text_error = [&](const std::string& text) {
    write_file_atomic(folder / "model.safetensors.index.json", text);
    return open_error(folder, Kind::format);
  };
  EXPECT_TEXT(text_error("{"), "model.safetensors.index.json: not valid JSON at byte 1");
  EXPECT_TEXT(text_error("{}"), "'weight_map' is missing");
  EXPECT_TEXT(text_error(R"({"weight_map": 1})"), "'weight_map' must be a JSON object");
  EXPECT_TEXT(text_error(R"({"weight_map": {"a": 1}})"), "'weight_map.a' must be the name of a file, found 1");
  EXPECT_TEXT(text_error(R"({"weight_map": {"a": "m-1.safetensors", "a": "m-2.safetensors"}})"), "'a' appears twice");
}

TEST(Nearest, finds_the_closest_name_and_shortens_lists) {
  EXPECT_EQ(nearest_name("q_prj", {"k_proj", "q_proj", "v_proj"}), "q_proj");
  EXPECT_EQ(nearest_name("x", {}), "");
  EXPECT_EQ(list_names({"a", "b", "c"}, 2), "'a', 'b' and 1 more");
  EXPECT_EQ(list_names({}), "");
}

}  // namespace hearth
