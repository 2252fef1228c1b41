#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small random Llama models in every form that a folder may have: the loss and the greedy words of transformers."""
import json
import pathlib
import shutil
import unittest

import torch
import transformers

import hearth_program as hearth
from hearth_program import PROSE

BLOCK = 48
PROMPT = "My lord, the"
TOKENS = 12
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 16, "rope_theta": 500000.0}


def setUpModule():
    hearth.need_program()


def make_model(folder, seed, dtype="float32", shards=None, **config):
    """Random weights large enough that the loss is far from log(vocabulary); the prose tokenizer."""
    settings = dict(vocab_size=4096, hidden_size=64, intermediate_size=112, num_hidden_layers=2, num_attention_heads=4,
                    num_key_value_heads=2, max_position_embeddings=128, initializer_range=0.08, bos_token_id=1,
                    eos_token_id=2,
                    tie_word_embeddings=False)
    torch.manual_seed(seed)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**(settings | config)))
    for name, weight in model.named_parameters():
        if name.endswith("norm.weight"):
            torch.nn.init.uniform_(weight, 0.5, 1.5)
        elif name.endswith(".bias"):
            torch.nn.init.normal_(weight, std=0.3)
        elif name.endswith("lm_head.weight") or name.endswith("embed_tokens.weight"):
            torch.nn.init.normal_(weight, std=0.5)
    model.to(getattr(torch, dtype)).save_pretrained(folder, **({"max_shard_size": shards} if shards else {}))
    for path in PROSE.glob("tokenizer*"):
        shutil.copyfile(path, folder / path.name)
    return folder


def change_config(folder, change):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config, indent=2))


def to_version_4(config):
    """The names that transformers 4 wrote."""
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = rope if rope.get("rope_type", "default") != "default" else None
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.44.0"


def to_oldest_rope(config):
    """{"type": "linear"} instead of {"rope_type": "linear"}."""
    to_version_4(config)
    config["rope_scaling"]["type"] = config["rope_scaling"].pop("rope_type")


def only_what_is_needed(config):
    """Leaves out every key whose default says the same."""
    to_version_4(config)
    for key in ("num_key_value_heads", "head_dim", "rope_theta", "rope_scaling", "rms_norm_eps", "attention_bias",
                "mlp_bias",
                "tie_word_embeddings", "architectures", "hidden_act", "torch_dtype", "attention_dropout", "use_cache"):
        config.pop(key, None)


class Variants(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = hearth.text_file(cls.folder, 1200)

    def check(self, name, change=None, tolerance=1e-5, **options):
        folder = make_model(self.folder / name, len(name), **options)
        if change is not None:
            change_config(folder, change)
        model = hearth.load(folder)
        rows = hearth.blocks(folder, self.data, BLOCK)
        ours = hearth.evaluate(folder, self.data, None, BLOCK)
        self.assertEqual(ours["tokens"], rows.shape[0] * (BLOCK - 1))
        self.assert_close(ours["loss"], hearth.torch_loss(model, rows), tolerance, name)
        self.assert_same_greedy(hearth.greedy(folder, PROMPT, TOKENS),
                                hearth.torch_greedy(model, folder, PROMPT, TOKENS), name)
        return folder

    def test_one_key_head_for_each_head(self):
        self.check("multi-head", num_key_value_heads=4)

    def test_one_key_head_for_all(self):
        self.check("multi-query", num_key_value_heads=1)

    def test_three_heads_to_one(self):
        self.check("grouped", num_attention_heads=6, num_key_value_heads=2, hidden_size=96)

    def test_one_head(self):
        self.check("single", num_attention_heads=1, num_key_value_heads=1)

    def test_head_size_of_its_own(self):
        for size in (8, 20, 100, 128):
            with self.subTest(size):
                self.check(f"head{size}", head_dim=size)

    def test_width_that_no_vector_divides(self):
        self.check("odd", hidden_size=60, num_attention_heads=6, num_key_value_heads=3, head_dim=10,
                   intermediate_size=37)

    def test_tied_output(self):
        folder = self.check("tied", tie_word_embeddings=True)
        from safetensors import safe_open
        with safe_open(folder / "model.safetensors", "pt") as file:
            self.assertNotIn("lm_head.weight", file.keys())

    def test_biases(self):
        self.check("attention-bias", attention_bias=True)
        self.check("ffn-bias", mlp_bias=True)
        self.check("both-biases", attention_bias=True, mlp_bias=True, tie_word_embeddings=True)

    def test_rope(self):
        self.check("theta", rope_parameters={"rope_type": "default", "rope_theta": 1000000.0})
        self.check("linear", rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0})
        self.check("llama3", rope_parameters=LLAMA3)

    def test_version_4_names(self):
        self.check("v4-plain", change=to_version_4)
        self.check("v4-theta", change=to_version_4, rope_parameters={"rope_type": "default", "rope_theta": 500.0})
        self.check("v4-linear", change=to_version_4,
                   rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0})
        self.check("v4-llama3", change=to_version_4, rope_parameters=LLAMA3)
        self.check("v4-oldest", change=to_oldest_rope,
                   rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0})

    def test_defaults_of_what_is_left_out(self):
        self.check("defaults", change=only_what_is_needed, num_key_value_heads=4)

    def test_norm_epsilon(self):
        self.check("epsilon", rms_norm_eps=1e-2)

    def test_file_types(self):
        for dtype in ("float16", "bfloat16"):
            with self.subTest(dtype):
                self.check(dtype, dtype=dtype)

    def test_shards(self):
        for dtype in ("float32", "bfloat16"):
            with self.subTest(dtype):
                folder = self.check(f"shards-{dtype}", dtype=dtype, shards="300KB")
                self.assertGreater(len(list(folder.glob("*.safetensors"))), 2)

    def test_one_layer_and_five(self):
        self.check("one-layer", num_hidden_layers=1)
        self.check("five-layers", num_hidden_layers=5)

    def test_left_over_rotary_table_is_ignored(self):
        """Old files carry rotary_emb.inv_freq."""
        import safetensors.torch
        folder = make_model(self.folder / "inv-freq", 1)
        path = folder / "model.safetensors"
        tensors = safetensors.torch.load_file(path)
        before = hearth.evaluate(folder, self.data, None, BLOCK)["loss"]
        tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(8)
        safetensors.torch.save_file(tensors, path)
        self.assertEqual(hearth.evaluate(folder, self.data, None, BLOCK)["loss"], before)

    def test_no_metadata_in_the_file(self):
        import safetensors.torch
        folder = make_model(self.folder / "bare", 2)
        path = folder / "model.safetensors"
        before = hearth.evaluate(folder, self.data, None, BLOCK)["loss"]
        safetensors.torch.save_file(safetensors.torch.load_file(path), path)
        self.assertEqual(hearth.evaluate(folder, self.data, None, BLOCK)["loss"], before)

    def test_end_tokens_stop(self):
        """Every id of an eos list ends the text."""
        folder = pathlib.Path(make_model(self.folder / "ends", 3))
        model = hearth.load(folder)
        ids, _ = hearth.torch_greedy(model, folder, PROMPT, TOKENS)
        stop = next(i for n, i in enumerate(ids) if n >= 3 and i not in ids[:n])
        for name in ("config.json", "generation_config.json"):
            path = folder / name
            path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": [2, stop]}))
        words = hearth.tokenizer(folder)
        start = words.encode(PROMPT).ids
        end = ids.index(stop)
        allowed = [words.decode(start + ids[:n]).removeprefix(PROMPT) for n in (end, end + 1)]
        self.assertIn(hearth.greedy(folder, PROMPT, TOKENS)[1], allowed, f"stop at {stop}, which may be shown or not")


class Refused(hearth.HearthTest):
    """transformers would start from random numbers here, or ignore the setting."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = hearth.text_file(cls.folder, 1200)
        cls.good = make_model(cls.folder / "good", 0)

    def copy(self, name, change=None):
        folder = pathlib.Path(shutil.copytree(self.good, self.folder / name))
        if change is not None:
            change_config(folder, change)
        return folder

    def refused(self, folder, *words):
        for name, rest in (("evaluate", ("--data", self.data, "--block-size", BLOCK)), ("generate", ("--prompt", "a"))):
            self.assert_refused(hearth.run(name, "--model", folder, *rest), name, *words)

    def change_tensors(self, name, change):
        import safetensors.torch
        folder = self.copy(name)
        tensors = safetensors.torch.load_file(folder / "model.safetensors")
        change(tensors)
        safetensors.torch.save_file(tensors, folder / "model.safetensors")
        return folder

    def test_missing_tensor(self):
        for name in ("lm_head.weight", "model.norm.weight", "model.layers.1.mlp.up_proj.weight"):
            with self.subTest(name):
                self.refused(self.change_tensors(f"without-{name}", lambda t: t.pop(name)), name)

    def test_misshapen_tensor(self):
        name = "model.layers.1.self_attn.k_proj.weight"
        self.refused(self.change_tensors("shape", lambda t: t.update({name: t[name][:-1].clone()})), name, "31", "32")

    def test_integer_tensor(self):
        name = "model.norm.weight"
        self.refused(self.change_tensors("integer", lambda t: t.update({name: t[name].to(torch.int32)})), name)

    def test_unknown_rope(self):
        rope = {"rope_type": "proportional", "factor": 2.0, "rope_theta": 10000.0}
        self.refused(self.copy("rope", lambda config: config.update(rope_parameters=rope)), "proportional")

    def test_rope_without_its_numbers(self):
        for kind, key in (("dynamic", "factor"), ("longrope", "long_factor"), ("linear", "factor")):
            with self.subTest(kind):
                rope = {"rope_type": kind, "rope_theta": 10000.0}
                self.refused(self.copy(f"rope-{kind}", lambda config: config.update(rope_parameters=rope)), key)

    def test_unknown_activation(self):
        self.refused(self.copy("activation", lambda config: config.update(hidden_act="mish")), "mish")

    def test_numbers_that_make_no_sense(self):
        bad = {"hidden_size": 0, "num_hidden_layers": -1, "num_attention_heads": 10**9, "vocab_size": "many",
               "num_key_value_heads": 3, "rms_norm_eps": None, "intermediate_size": 2**62}
        for key, value in bad.items():
            with self.subTest(key):
                self.refused(self.copy(f"bad-{key}", lambda config: config.update({key: value})), key)


if __name__ == "__main__":
    unittest.main()
