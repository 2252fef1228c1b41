// SPDX-License-Identifier: Apache-2.0
#include "io/peft.h"

#include <cmath>
#include <cstring>

#include "base/file_test_folder.h"
#include "io/json.h"

namespace hearth {

static const std::string kReference = source_file("tests/assets/reference/lora_init");
constexpr int64_t kMax = 1 << 24;

static LoraConfig parse(const std::string& members) {
  return parse_adapter_config("{\"peft_type\": \"LORA\", " + members + "}", "dir/adapter_config.json");
}

static std::vector<LinearModule> prose_linears() {
  std::vector<LinearModule> linears;
  for (int layer = 0; layer < 8; ++layer) {
    const std::string at = cat("model.layers.", layer, ".");
    linears.push_back({at + "self_attn.q_proj", 384, 384});
    linears.push_back({at + "self_attn.v_proj", 128, 384});
    linears.push_back({at + "mlp.down_proj", 384, 1024});
  }
  linears.push_back({"lm_head", 4096, 384, true});
  return linears;
}

TEST(Peft, reads_the_reference_adapter) {
  const Adapter adapter = read_adapter(kReference);
  EXPECT_EQ(adapter.config.rank, 8);
  EXPECT_EQ(adapter.config.scaling_of("m"), 2.0);
  EXPECT_EQ(adapter.config.targets, (std::vector<std::string>{"v_proj", "q_proj"}));
  EXPECT_EQ(adapter.config.base_model, "prose-14m");
  EXPECT_TRUE(adapter.config.unknown_keys.empty());
  EXPECT_EQ(adapter.modules.size(), 16u);
  EXPECT_EQ(cat(adapter.modules.at("model.layers.7.self_attn.v_proj").b.type), "f32[128,8]");
  check_adapter(adapter, prose_linears());
}

TEST(Peft, writes_the_bytes_of_peft) {
  const TestFolder folder;
  Adapter adapter = read_adapter(kReference);
  write_adapter(folder / "out", adapter);
  EXPECT_EQ(list_folder(folder / "out"),
            (std::vector<std::string>{"README.md", "adapter_config.json", "adapter_model.safetensors"}));
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors"}) {
    EXPECT_TRUE(read_file(join_path(folder / "out", name), kMax) == read_file(join_path(kReference, name), kMax))
        << name;
  }
  adapter.config.rank = 4;
  EXPECT_TEXT(error_of(Kind::bug, [&] { write_adapter(folder / "out", adapter); }), "but the rank is 4");
}

TEST(Peft, writing_over_an_adapter_replaces_it_and_keeps_other_files) {
  const TestFolder folder;
  Adapter adapter = read_adapter(kReference);
  write_adapter(folder / "out", adapter);
  adapter.config.alpha = 20.5;
  write_adapter(folder / "out", adapter);
  EXPECT_EQ(read_adapter(folder / "out").config.alpha, 20.5);
  write_file_atomic(folder / "out/notes.txt", "mine");
  adapter.config.alpha = 3;
  write_adapter(folder / "out", adapter);
  EXPECT_EQ(read_adapter(folder / "out").config.alpha, 3);
  EXPECT_EQ(list_folder(folder / "out").size(), 4u);
  EXPECT_EQ(list_folder(folder.path()), std::vector<std::string>{"out"});
}

TEST(Peft, a_config_survives_writing_and_reading) {
  LoraConfig config{.rank = 4, .alpha = 1e-3, .dropout = 0.05, .rslora = true, .targets = {"k_proj"}};
  config.excludes = {"lm_head"};
  config.base_model = "/models/ä \"b\"";
  LoraConfig back = parse_adapter_config(dump_adapter_config(config, {}), "x");
  EXPECT_EQ(back.rank, 4);
  EXPECT_EQ(back.alpha, 1e-3);
  EXPECT_EQ(back.dropout, 0.05);
  EXPECT_EQ(back.scaling_of("m"), 1e-3 / std::sqrt(4.0));
  EXPECT_EQ(back.targets, config.targets);
  EXPECT_EQ(back.excludes, config.excludes);
  EXPECT_EQ(back.base_model, config.base_model);
  config.all_linear = true;
  const LoraPairs pairs = {{"m.0.q_proj", {}}, {"m.1.q_proj", {}}, {"m.0.up_proj", {}}};
  EXPECT_EQ(parse_adapter_config(dump_adapter_config(config, pairs), "x").targets,
            (std::vector<std::string>{"q_proj", "up_proj"}));
  EXPECT_EQ(parse_json(dump_adapter_config(config, pairs), "x").size(), 41u);
}

TEST(Peft, a_short_config_has_pefts_defaults) {
  const LoraConfig config = parse(R"("new_feature": 1, "exclude_modules": null, "target_modules": null)");
  EXPECT_EQ(config.rank, 8);
  EXPECT_EQ(config.alpha, 8);
  EXPECT_EQ(config.targets, (std::vector<std::string>{"q_proj", "v_proj"}));
  EXPECT_EQ(config.unknown_keys, std::vector<std::string>{"new_feature"});
  EXPECT_TRUE(parse(R"("target_modules": "All-Linear")").all_linear);
}

TEST(Peft, unsupported_features_are_refused_by_name) {
  for (const char* member :
       {R"("init_lora_weights": "loftq")", R"("use_bdlora": {"x": 1})", R"("task_type": "SEQ_CLS")",
        R"("layer_replication": [[0, 1]])", R"("use_qalora": true)", R"("alora_invocation_tokens": [1])"}) {
    const std::string text = error_of(Kind::unsupported, [&] { parse(member); });
    const std::string key = std::string(member).substr(1, std::string(member).find("\":") - 1);
    EXPECT_TEXT(text, "adapter_config.json: '" + key + "' is ");
    EXPECT_TEXT(text, "file dir/adapter_config.json");
  }
  EXPECT_EQ(
      parse(R"("use_qalora": false, "megatron_config": {}, "modules_to_save": [], "init_lora_weights": "gaussian")")
          .rank,
      8);
  EXPECT_TEXT(error_of(Kind::unsupported, [] { parse_adapter_config(R"({"peft_type": "IA3"})", "x"); }),
              "'peft_type' is 'IA3'");
}

TEST(Peft, patterns_give_modules_their_own_rank_and_alpha) {
  const LoraConfig c = parse(R"("r": 8, "lora_alpha": 16, "rank_pattern": {"layers.0.attn.q": 4, "q": 2, ".*v": 6},
                                "alpha_pattern": {"k|v": 3})");
  EXPECT_EQ(c.rank_of("model.layers.0.attn.q"), 4);
  EXPECT_EQ(c.rank_of("model.layers.1.attn.q"), 2);
  EXPECT_EQ(c.rank_of("model.layers.1.attn.xq"), 8);  // q must stand behind a dot
  EXPECT_EQ(c.rank_of("xv"), 6);
  EXPECT_EQ(c.scaling_of("m.k"), 3.0 / 8);
  EXPECT_EQ(c.scaling_of("m.v"), 3.0 / 6);
  EXPECT_EQ(c.scaling_of("m.q"), 16.0 / 2);
}

TEST(Peft, layers_choose_among_the_targets) {
  const auto matches = [](const char* members, const char* module) {
    return target_matches(parse(members), module, false);
  };
  const char* some = R"("target_modules": ["q"], "layers_to_transform": [1, 3])";
  EXPECT_TRUE(matches(some, "model.layers.1.attn.q"));
  EXPECT_FALSE(matches(some, "model.layers.2.attn.q"));
  EXPECT_FALSE(matches(some, "layers.1.attn.q"));  // needs two names before the number
  EXPECT_TRUE(matches(some, "model.layers.1.experts.2.q"));
  EXPECT_FALSE(matches(some, "model.layers.2.experts.1.q"));
  EXPECT_TRUE(matches(R"("target_modules": ["q"], "layers_to_transform": 2)", "model.layers.2.attn.q"));
  const char* pattern = R"("target_modules": ["q"], "layers_to_transform": [1], "layers_pattern": "layers")";
  EXPECT_TRUE(matches(pattern, "layers.1.attn.q"));
  EXPECT_FALSE(matches(pattern, "model.h.1.attn.q"));
  EXPECT_TRUE(matches(R"("target_modules": ".*q", "layers_to_transform": [1])", "model.layers.2.attn.q"));
}

TEST(Peft, what_is_trained_whole_is_no_target) {
  const LoraConfig c = parse(R"("target_modules": ["o_proj", "up"], "modules_to_save": ["norm", "o_proj"])");
  EXPECT_FALSE(target_matches(c, "model.layers.0.attn.o_proj", false));
  EXPECT_TRUE(target_matches(c, "model.layers.0.mlp.up", false));
  EXPECT_TRUE(is_whole(c, "model.layers.0.input_layernorm"));  // the end of a name, as in PEFT
  EXPECT_TRUE(is_whole(c, "model.norm.inner"));
  EXPECT_FALSE(is_whole(c, "model.layers.0.attn.q_proj"));
}

TEST(Peft, every_part_of_an_adapter_is_written_and_read) {
  const TestFolder folder;
  LoraConfig config = parse(R"("r": 2, "rank_pattern": {"k": 1}, "alpha_pattern": {"k": 2.5}, "use_dora": true,
                               "lora_bias": true, "bias": "all", "target_modules": ["q", "k"], "layers_to_transform": [0],
                               "layers_pattern": ["layers"], "modules_to_save": ["norm"],
                               "trainable_token_indices": {"embed": [3, 1]})");
  const std::vector<float> ones(64, 1.0f);
  const auto tensor = [&](Dims dims) {
    return TensorRef{"", {DType::f32, std::move(dims)}, reinterpret_cast<const std::byte*>(ones.data()), nullptr};
  };
  Adapter adapter{.path = "", .config = config, .modules = {}};
  adapter.modules["layers.0.q"] = {tensor({2, 4}), tensor({3, 2}), tensor({3}), tensor({3})};
  adapter.modules["layers.0.k"] = {tensor({1, 4}), tensor({3, 1}), tensor({3}), tensor({3})};
  adapter.whole = {{"norm.weight", tensor({4})}, {"layers.0.q.bias", tensor({3})}, {"layers.0.v.bias", tensor({3})}};
  adapter.tokens = {{"embed", tensor({2, 4})}};
  write_adapter(folder / "out", adapter);
  const auto file = SafetensorsFile::open(folder / "out/adapter_model.safetensors");
  EXPECT_NE(file->find("base_model.model.layers.0.q.base_layer.bias"), nullptr);
  EXPECT_NE(file->find("base_model.model.layers.0.v.bias"), nullptr);
  EXPECT_NE(file->find("base_model.model.layers.0.q.lora_magnitude_vector"), nullptr);
  const Adapter back = read_adapter(folder / "out");
  EXPECT_EQ(back.modules.at("layers.0.k").b_bias.type.dims, Dims{3});
  EXPECT_EQ(back.whole.size(), 3u);
  EXPECT_EQ(back.whole.count("layers.0.q.bias"), 1u);
  EXPECT_EQ(back.tokens.at("embed").type.dims, (Dims{2, 4}));
  EXPECT_EQ(dump_adapter_config(back.config, back.modules), dump_adapter_config(config, adapter.modules));
  EXPECT_EQ(back.config.tokens, config.tokens);
  EXPECT_TRUE(back.config.dora && back.config.b_bias);
  adapter.config.dora = false;
  write_adapter(folder / "out", adapter);
  EXPECT_TEXT(error_of(Kind::format, [&] { read_adapter(folder / "out"); }), "keys are not those of a LoRA adapter");
}

TEST(Peft, wrong_values_are_named) {
  const auto why = [](const char* member) { return error_of(Kind::format, [&] { parse(member); }); };
  EXPECT_TEXT(why(R"("bias": "some")"), "'bias' must be none, all or lora_only");
  EXPECT_TEXT(why(R"("rank_pattern": {"q": 0})"), "'rank_pattern.q' must be an integer in 1..1048576, found 0");
  EXPECT_TEXT(why(R"("rank_pattern": {"(q": 1})"), "'rank_pattern' is no valid regular expression");
  EXPECT_TEXT(why(R"("trainable_token_indices": [-1])"), "'trainable_token_indices' must be");
  EXPECT_TEXT(why(R"("r": 0)"), "'r' must be an integer in 1..1048576, found 0");
  EXPECT_TEXT(why(R"("r": 1e30)"), "'r' must be an integer");
  EXPECT_TEXT(why(R"("lora_alpha": "16")"), "'lora_alpha' must be a number, found \"16\"");
  EXPECT_TEXT(why(R"("lora_dropout": 1.5)"), "'lora_dropout' must be a number in 0..1");
  EXPECT_TEXT(why(R"("target_modules": [])"), "'target_modules' must be");
  EXPECT_TEXT(why(R"("target_modules": "")"), "'target_modules' must be");
  EXPECT_TEXT(why(R"("target_modules": "(q")"),
              "'target_modules' is no valid regular expression: missing closing parenthesis");
  EXPECT_TEXT(why(R"("r": 1, "r": 2)"), "the key 'r' appears twice");
  EXPECT_TEXT(error_of(Kind::format, [] { parse_adapter_config("{}", "x"); }), "'peft_type' is missing");
}

// What PEFT's own check_target_module_exists answered for 78 configurations (tests/assets/io/make.py).
TEST(Peft, targets_match_as_in_peft) {
  const Json json = read_json_file(source_file("tests/assets/io/target_matches.json"));
  for (const Json& item : json["cases"]) {
    const Json config_json = {{"peft_type", "LORA"},
                              {"target_modules", item["target_modules"]},
                              {"exclude_modules", item["exclude_modules"]}};
    const LoraConfig config = parse_adapter_config(config_json.dump(), "x");
    Json matches = Json::array();
    for (const Json& module : json["modules"]) {
      if (target_matches(config, module.get<std::string>(), false)) matches.push_back(module);
    }
    EXPECT_EQ(matches, item["matches"]) << item["target_modules"] << " without " << item["exclude_modules"];
  }
  EXPECT_EQ(json["cases"].size(), 78u);
}

TEST(Peft, all_linear_leaves_out_the_output_layer) {
  const LoraConfig config{.all_linear = true, .targets = {}};
  EXPECT_TRUE(target_matches(config, "model.layers.0.mlp.up_proj", false));
  EXPECT_FALSE(target_matches(config, "lm_head", true));
}

TEST(Peft, a_pattern_that_explodes_ends_with_an_error) {
  const LoraConfig config = parse(R"("target_modules": "(a+)+[bc]")");
  EXPECT_TEXT(error_of(Kind::value, [&] { target_matches(config, std::string(64, 'a'), false); }),
              "needs too many steps");
}

// Writes adapters with hand-made keys.
class HandMadeAdapter : public testing::Test {
 protected:
  void write(const std::vector<std::pair<std::string, TensorType>>& tensors) {
    write_file_atomic(folder / "adapter_config.json", R"({"peft_type": "LORA", "r": 2, "target_modules": ["q_proj"]})");
    std::vector<TensorRef> refs;
    for (const auto& [name, type] : tensors) refs.push_back({name, type, zeros.data(), nullptr});
    write_safetensors(folder / "adapter_model.safetensors", refs);
  }
  std::string error() {
    return error_of(Kind::format, [&] { read_adapter(folder.path()); });
  }
  std::string misfit(const std::vector<LinearModule>& base) {
    return error_of(Kind::shape, [&] { check_adapter(read_adapter(folder.path()), base); });
  }
  const TestFolder folder;
  const std::vector<std::byte> zeros = std::vector<std::byte>(4096);
  const TensorType a{DType::f32, {2, 4}}, b{DType::f32, {6, 2}};
  const std::string stem = "base_model.model.m.0.q_proj.";
};

TEST_F(HandMadeAdapter, keys_with_the_adapters_name_and_half_precision_are_fine) {
  write({{stem + "lora_A.default.weight", {DType::bf16, {2, 4}}},
         {stem + "lora_B.default.weight", {DType::f16, {6, 2}}}});
  const Adapter adapter = read_adapter(folder.path());
  EXPECT_EQ(cat(adapter.modules.at("m.0.q_proj").a.type), "bf16[2,4]");
  check_adapter(adapter, {{"m.0.q_proj", 6, 4}, {"m.0.k_proj", 6, 4}});
}

TEST_F(HandMadeAdapter, a_copy_of_the_base_weight_is_kept_apart) {
  const TensorType base{DType::bf16, {6, 4}};
  write({{stem + "lora_A.weight", a}, {stem + "lora_B.weight", b}, {stem + "base_layer.weight", base}});
  const Adapter adapter = read_adapter(folder.path());
  EXPECT_EQ(adapter.modules.size(), 1u);
  EXPECT_EQ(cat(adapter.base_weights.at("m.0.q_proj").type), "bf16[6,4]");
  check_adapter(adapter, {{"m.0.q_proj", 6, 4}});
  write({{stem + "lora_A.weight", a}, {stem + "lora_B.weight", b}, {stem + "base_layer.weight", {DType::f32, {7, 4}}}});
  EXPECT_TEXT(misfit({{"m.0.q_proj", 6, 4}}), "of another shape (1): 'the copy of m.0.q_proj's weight, f32[7,4]'");
  write({{stem + "lora_A.weight", a},
         {stem + "lora_B.weight", b},
         {"base_model.model.m.0.k_proj.base_layer.weight", base}});
  EXPECT_TEXT(error(), "it holds the base weight of 'm.0.k_proj', but no A and B for it");
}

TEST_F(HandMadeAdapter, bad_keys_are_listed) {
  write({{"m.0.q_proj.lora_A.weight", a}, {"m.0.q_proj.lora_B.weight", b}});
  EXPECT_TEXT(error(),
              "2 keys are not those of a LoRA adapter: 'm.0.q_proj.lora_A.weight', 'm.0.q_proj.lora_B.weight'\n"
              "  hint: keys must start with 'base_model.model.'");
  write(
      {{stem + "lora_A.weight", a}, {stem + "lora_B.weight", b}, {stem + "lora_magnitude_vector", {DType::f32, {6}}}});
  EXPECT_TEXT(error(), "1 keys are not those of a LoRA adapter: '" + stem + "lora_magnitude_vector'");
  write({{stem + "lora_A.weight", a}});
  EXPECT_TEXT(error(), "half of a pair is missing: 'm.0.q_proj.lora_B'");
  write({{stem + "lora_A.weight", a}, {stem + "lora_B.weight", b}, {stem + "lora_B.default.weight", b}});
  EXPECT_TEXT(error(), "with and without '.default'");
  write({});
  EXPECT_TEXT(error(), "it holds no tensors");
}

TEST_F(HandMadeAdapter, wrong_ranks_and_types_are_listed) {
  write({{stem + "lora_A.weight", {DType::f32, {3, 4}}}, {stem + "lora_B.weight", {DType::f32, {6, 3}}}});
  EXPECT_TEXT(
      error(),
      "with r = 2 (adapter_config.json) A must be [2,in] and B [out,2], but found 'm.0.q_proj A f32[3,4] B f32[6,3]'");
  write({{stem + "lora_A.weight", {DType::f32, {8}}}, {stem + "lora_B.weight", b}});
  EXPECT_TEXT(error(), "but found 'm.0.q_proj A f32[8] B f32[6,2]'");
  write({{stem + "lora_A.weight", {DType::f64, {2, 4}}}, {stem + "lora_B.weight", b}});
  EXPECT_TEXT(error(), "adapters are f32, f16 or bf16, but found '" + stem + "lora_A.weight f64[2,4]'");
}

TEST_F(HandMadeAdapter, an_adapter_for_another_model_is_refused_with_lists) {
  write({{stem + "lora_A.weight", a}, {stem + "lora_B.weight", b}});
  EXPECT_TEXT(misfit({{"m.0.q_proj", 6, 4}, {"m.1.q_proj", 6, 4}}),
              "does not fit this model\n  the adapter lacks (1): 'm.1.q_proj'");
  EXPECT_TEXT(misfit({{"m.0.k_proj", 6, 4}}), "the model lacks (1): 'm.0.q_proj'");
  EXPECT_TEXT(misfit({{"m.0.q_proj", 8, 4}}),
              "of another shape (1): 'm.0.q_proj is [8,4] in the model, [6,4] in the adapter'");
  write_file_atomic(folder / "adapter_config.json",
                    R"({"peft_type": "LORA", "r": 2, "target_modules": ["k_proj"], "base_model_name_or_path": "x"})");
  EXPECT_TEXT(misfit({{"m.0.q_proj", 6, 4}}),
              "in the adapter, but not in its target_modules (1): 'm.0.q_proj'\n  it was made for 'x'");
}

TEST(Peft, says_what_is_wrong_with_the_folder) {
  const TestFolder folder;
  const auto why = [&](Kind kind) { return error_of(kind, [&] { read_adapter(folder.path()); }); };
  EXPECT_TEXT(error_of(Kind::file, [&] { read_adapter(folder / "none"); }), "adapter: there is no folder");
  EXPECT_TEXT(why(Kind::file), "has no adapter_config.json\n  hint: an adapter folder holds");
  ensure_folder(folder / "second");
  write_file_atomic(folder / "second/adapter_config.json", "{}");
  EXPECT_TEXT(why(Kind::file), "its subfolder 'second' has one");
  write_file_atomic(folder / "adapter_config.json", R"({"peft_type": "LORA"})");
  EXPECT_TEXT(why(Kind::file), "has no adapter_model.safetensors, nor adapter_model.bin");
  write_file_atomic(folder / "adapter_model.bin", "");
  EXPECT_TEXT(why(Kind::format),
              "adapter_model.bin: begins neither like a zip archive nor like a pickle of torch.save");
}

}  // namespace hearth
