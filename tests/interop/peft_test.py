#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adapters between Hearth and the real PEFT, both ways, and merging bit for bit."""
import hashlib
import json
import pathlib
import shutil
import unittest
import warnings

import peft
import safetensors.torch
import torch
import transformers

import hearth_program as hearth
from hearth_program import PROSE

BLOCK = 64
PROMPT = "First Citizen:\nBefore we"
TARGETS = {"q_proj,v_proj": {"q_proj", "v_proj"},
           "all-linear": {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}}


def setUpModule():
    hearth.need_program()


def random_adapter(folder, base=PROSE, **config):
    """An adapter made by PEFT whose B is not zero, saved by PEFT; returns the wrapped model."""
    torch.manual_seed(len(str(sorted(config))))
    settings = {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"} | config
    model = peft.get_peft_model(hearth.load(base), peft.LoraConfig(**settings)).eval()
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.03)
        if "lora_magnitude" in name:
            weight.data.mul_(1.1)
    model.save_pretrained(folder)
    return model


def rewrite(adapter, copy, change):
    """A copy of an adapter folder whose tensors went through change(dict)."""
    shutil.copytree(adapter, copy)
    path = copy / "adapter_model.safetensors"
    tensors = change(safetensors.torch.load_file(path))
    safetensors.torch.save_file({k: v.contiguous() for k, v in tensors.items()}, path, metadata={"format": "pt"})
    return copy


def rewrite_config(adapter, copy, **changes):
    shutil.copytree(adapter, copy)
    path = copy / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes, indent=2))
    return copy


def all_tensors(folder):
    tensors = {}
    for path in sorted(folder.glob("*.safetensors")):
        tensors |= safetensors.torch.load_file(path)
    return tensors


def digest(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir()) if p.is_file()}


class OursInPeft(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = hearth.text_file(cls.folder, 4000)
        cls.rows = hearth.blocks(PROSE, cls.data, BLOCK)
        before = digest(PROSE)
        for targets in TARGETS:
            hearth.succeed("finetune", "--model", PROSE, "--data", cls.data, "--output", cls.folder / targets,
                           "--max-steps", 3,
                           "--batch-size", 2, "--block-size", BLOCK, "--lr", 1e-2, "--lora-targets", targets, "--seed",
                           1,
                           "--quiet")
        cls.base_untouched = before == digest(PROSE)

    def test_training_leaves_the_base_alone(self):
        self.assertTrue(self.base_untouched)

    def test_loads_without_a_warning_and_nothing_missing(self):
        for targets in TARGETS:
            with self.subTest(targets), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                model = peft.PeftModel.from_pretrained(hearth.load(PROSE), self.folder / targets)
                result = model.load_adapter(self.folder / targets, "again")
                about = [w for w in caught if "peft" in w.filename or "adapter" in str(w.message)]
                self.assertEqual([str(w.message) for w in about], [])
                self.assertEqual((list(result.missing_keys), list(result.unexpected_keys)), ([], []))

    def test_keys_shapes_and_types_are_those_that_peft_would_write(self):
        for targets, names in TARGETS.items():
            with self.subTest(targets):
                random_adapter(self.folder / f"theirs-{targets}", target_modules=sorted(names))
                expected = all_tensors(self.folder / f"theirs-{targets}")
                ours = all_tensors(self.folder / targets)
                self.assertEqual({k: (v.shape, v.dtype) for k, v in ours.items()},
                                 {k: (v.shape, v.dtype) for k, v in expected.items()})

    def test_config_says_what_was_trained(self):
        for targets, names in TARGETS.items():
            config = json.loads((self.folder / targets / "adapter_config.json").read_text())
            self.assertEqual(set(config["target_modules"]), names)
            wanted = {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "bias": "none", "task_type": "CAUSAL_LM",
                      "inference_mode": True, "use_rslora": False, "use_dora": False, "fan_in_fan_out": False}
            self.assertEqual({k: config.get(k) for k in wanted}, wanted)
            self.assertEqual(config["lora_dropout"], 0)

    def test_same_loss_and_same_words(self):
        for targets in TARGETS:
            with self.subTest(targets):
                model = peft.PeftModel.from_pretrained(hearth.load(PROSE), self.folder / targets).eval()
                ours = hearth.evaluate(PROSE, self.data, self.folder / targets, BLOCK)
                self.assertEqual(ours["tokens"], self.rows.shape[0] * (BLOCK - 1))
                self.assert_close(ours["loss"], hearth.torch_loss(model, self.rows), 1e-6, "evaluate")
                base = hearth.torch_loss(model.unload(), self.rows)
                self.assertGreater(abs(ours["loss"] - base), 1e-3, "three steps at 1e-2 must move the loss")
                again = peft.PeftModel.from_pretrained(hearth.load(PROSE), self.folder / targets).eval()
                self.assert_same_greedy(hearth.greedy(PROSE, PROMPT, 24, self.folder / targets),
                                        hearth.torch_greedy(again, PROSE, PROMPT, 24), targets)


class PeftInOurs(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = hearth.text_file(cls.folder, 4000)
        cls.rows = hearth.blocks(PROSE, cls.data, BLOCK)
        cls.base_loss = hearth.torch_loss(hearth.load(PROSE), cls.rows)

    def check(self, name, tolerance=1e-6, change=None, **config):
        adapter = self.folder / name
        random_adapter(adapter, **config)
        if change is not None:
            adapter = rewrite(adapter, self.folder / f"{name}-changed", change)
        model = peft.PeftModel.from_pretrained(hearth.load(PROSE), adapter).eval()
        theirs = hearth.torch_loss(model, self.rows)
        self.assertGreater(abs(theirs - self.base_loss), 1e-3, "the adapter must matter, or this test shows nothing")
        self.assert_close(hearth.evaluate(PROSE, self.data, adapter, BLOCK)["loss"], theirs, tolerance, name)
        self.assert_same_greedy(hearth.greedy(PROSE, PROMPT, 16, adapter),
                                hearth.torch_greedy(model, PROSE, PROMPT, 16), name)

    def test_plain(self):
        self.check("plain")

    def test_all_linear(self):
        self.check("all", target_modules="all-linear")

    def test_rank_stabilised(self):
        self.check("rslora", use_rslora=True, r=4, lora_alpha=3)

    def test_bf16_tensors(self):
        self.check("bf16", change=lambda tensors: {k: v.bfloat16() for k, v in tensors.items()})

    def test_regular_expression_target(self):
        self.check("regex", target_modules=r".*\.layers\.[0-3]\.(self_attn\.q_proj|mlp\.up_proj)")

    def test_full_paths_as_targets(self):
        self.check("paths", target_modules=["layers.1.self_attn.k_proj", "model.layers.6.mlp.down_proj"])

    def test_keys_with_the_adapter_name_kept(self):
        def keep(tensors):
            return {k.replace(".weight", ".default.weight"): v for k, v in tensors.items()}
        self.check("default", change=keep)

    def test_minimal_config(self):
        random_adapter(self.folder / "minimal")
        path = self.folder / "minimal" / "adapter_config.json"
        full = json.loads(path.read_text())
        path.write_text(json.dumps({k: full[k] for k in ("peft_type", "r", "lora_alpha", "target_modules")}))
        model = peft.PeftModel.from_pretrained(hearth.load(PROSE), self.folder / "minimal").eval()
        ours = hearth.evaluate(PROSE, self.data, self.folder / "minimal", BLOCK)["loss"]
        self.assert_close(ours, hearth.torch_loss(model, self.rows), 1e-6, "minimal")

    def test_what_changes_the_result_is_done_or_refused(self):
        kinds = {"use_dora": {"use_dora": True}, "rank_pattern": {"rank_pattern": {"q_proj": 4}},
                 "alpha_pattern": {"alpha_pattern": {"v_proj": 64}},
                 "modules_to_save": {"modules_to_save": ["lm_head"]}}
        for word, config in kinds.items():
            with self.subTest(word):
                adapter = self.folder / word
                model = random_adapter(adapter, **config)
                done = hearth.run("evaluate", "--model", PROSE, "--adapter", adapter, "--data", self.data,
                                  "--block-size", BLOCK)
                if done.returncode != 0:
                    self.assert_refused(done, "evaluate", word)
                    continue
                ours = hearth.evaluate(PROSE, self.data, adapter, BLOCK)["loss"]
                self.assert_close(ours, hearth.torch_loss(model, self.rows), 1e-6, word)


class Strictness(hearth.HearthTest):
    """PEFT only warns here, or is silent, and the model then says something else than was trained."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = hearth.text_file(cls.folder, 2000)
        cls.adapter = cls.folder / "adapter"
        random_adapter(cls.adapter)
        cls.key = "base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight"

    def refused(self, adapter, *words):
        for name, rest in (("evaluate", ("--data", self.data)), ("merge", ("--output", self.folder / "merged")),
                           ("generate", ("--prompt", "a"))):
            with self.subTest(name):
                self.assert_refused(hearth.run(name, "--model", PROSE, "--adapter", adapter, *rest), name, *words)
        self.assertFalse((self.folder / "merged").exists(), "a refused merge must leave no folder")

    def test_wrong_prefix(self):
        def cut(tensors):
            return {k.removeprefix("base_model.model."): v for k, v in tensors.items()}
        first = self.key.removeprefix("base_model.model.").replace("layers.3", "layers.0")  # the list names the first few
        self.refused(rewrite(self.adapter, self.folder / "prefix", cut), "32 keys", first)

    def test_missing_layer(self):
        def drop(tensors):
            return {k: v for k, v in tensors.items() if ".layers.3." not in k}
        self.refused(rewrite(self.adapter, self.folder / "missing", drop), "layers.3.self_attn.q_proj")

    def test_extra_key(self):
        extra = self.key.replace("layers.3", "layers.77")
        more = rewrite(self.adapter, self.folder / "extra", lambda t: t | {extra: t[self.key].clone()})
        self.refused(more, "layers.77")

    def test_wrong_rank(self):
        self.refused(rewrite_config(self.adapter, self.folder / "rank", r=4), "self_attn.q_proj", "[4,in]", "f32[8,384]")

    def test_no_peft_type(self):
        self.refused(rewrite_config(self.adapter, self.folder / "kind", peft_type=None), "peft_type")

    def test_another_method(self):
        self.refused(rewrite_config(self.adapter, self.folder / "method", peft_type="IA3"), "IA3")

    def test_targets_that_the_file_does_not_have(self):
        more = rewrite_config(self.adapter, self.folder / "targets", target_modules=["q_proj", "v_proj", "up_proj"])
        self.refused(more, "up_proj")

    def test_truncated_file(self):
        broken = self.folder / "short"
        shutil.copytree(self.adapter, broken)
        path = broken / "adapter_model.safetensors"
        path.write_bytes(path.read_bytes()[:-100])
        self.refused(broken, "adapter_model.safetensors")


class Merge(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bases = {"bfloat16": PROSE}
        for dtype in ("float32", "float16"):
            cls.bases[dtype] = cls.make_base(dtype)
        cls.adapter = cls.folder / "adapter"
        random_adapter(cls.adapter, target_modules="all-linear", r=8, lora_alpha=12)

    @classmethod
    def make_base(cls, dtype):
        """The prose model with all bits of its numbers in use, so that rounding shows."""
        torch.manual_seed(3)
        model = hearth.load(PROSE)
        for weight in model.parameters():
            weight.data.mul_(1 + 1e-3 * torch.rand_like(weight))
        folder = cls.folder / f"base-{dtype}"
        model.to(getattr(torch, dtype)).save_pretrained(folder)
        for path in PROSE.glob("tokenizer*"):
            shutil.copyfile(path, folder / path.name)
        return folder

    def merge(self, dtype, adapter=None):
        out = self.folder / f"merged-{dtype}-{(adapter or self.adapter).name}"
        hearth.succeed("merge", "--model", self.bases[dtype], "--adapter", adapter or self.adapter, "--output", out)
        return out

    def peft_merge(self, dtype, adapter=None):
        base = hearth.load(self.bases[dtype], dtype)
        return peft.PeftModel.from_pretrained(base, adapter or self.adapter).merge_and_unload()

    def assert_bits(self, ours, theirs):
        """Every tensor: the same names, types, shapes and bytes."""
        state = theirs.state_dict()
        self.assertEqual(set(ours), set(state))
        for name, tensor in ours.items():
            want = state[name]
            self.assertEqual((tensor.dtype, tensor.shape), (want.dtype, want.shape), name)
            bits = torch.int32 if tensor.dtype == torch.float32 else torch.int16
            differ = int((tensor.contiguous().view(bits) != want.contiguous().view(bits)).sum())
            self.assertEqual(differ, 0, f"{name}: {differ} of {tensor.numel()} elements differ")

    def test_bit_for_bit_and_loads(self):
        ids = torch.arange(3, 67).view(1, -1)
        for dtype in self.bases:
            with self.subTest(dtype):
                before = digest(self.bases[dtype])
                out = self.merge(dtype)
                self.assertEqual(before, digest(self.bases[dtype]), "the base was changed")
                theirs = self.peft_merge(dtype)
                ours = all_tensors(out)
                self.assert_bits(ours, theirs)
                base = hearth.load(self.bases[dtype], dtype).state_dict()
                self.assertFalse(torch.equal(ours["model.layers.0.mlp.up_proj.weight"],
                                             base["model.layers.0.mlp.up_proj.weight"]), "nothing was merged")
                model, info = hearth.load(out, dtype, output_loading_info=True)
                self.assertEqual({k: list(v) for k, v in info.items() if v}, {})
                with torch.inference_mode():
                    self.assertTrue(torch.equal(model(ids).logits, theirs(ids).logits))

    def test_rank_stabilised_and_other_ranks(self):
        for rank in (1, 3, 64):
            adapter = self.folder / f"rank{rank}"
            random_adapter(adapter, r=rank, lora_alpha=5, use_rslora=True)
            with self.subTest(rank=rank):
                self.assert_bits(all_tensors(self.merge("bfloat16", adapter)), self.peft_merge("bfloat16", adapter))

    def test_saved_dtype_is_the_bases(self):
        for dtype in self.bases:
            config = transformers.AutoConfig.from_pretrained(self.merge(dtype, self.copy_of_adapter(dtype)))
            self.assertEqual(config.dtype, getattr(torch, dtype))

    def copy_of_adapter(self, name):
        return pathlib.Path(shutil.copytree(self.adapter, self.folder / f"copy-{name}"))

    def test_tokenizer_files_and_other_files_come_along(self):
        out = self.merge("bfloat16", self.copy_of_adapter("tokenizer"))
        for name in ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "generation_config.json"):
            self.assertEqual((out / name).read_bytes(), (PROSE / name).read_bytes(), name)
        text = "Good morrow, <s> \u00fc\n\n  neighbour"
        self.assertEqual(transformers.AutoTokenizer.from_pretrained(out)(text).input_ids,
                         transformers.AutoTokenizer.from_pretrained(PROSE)(text).input_ids)
        self.assertFalse((out / "adapter_config.json").exists())

    def test_config_passes_unknown_keys_through(self):
        base = pathlib.Path(shutil.copytree(PROSE, self.folder / "unknown"))
        extra = {"my_note": {"list": [1, 2.5, None, "\u00e9"], "deep": {"x": True}}, "a_float": 8.0, "an_int": 8}
        source = json.loads((base / "config.json").read_text()) | extra
        (base / "config.json").write_text(json.dumps(source))
        out = self.folder / "unknown-merged"
        hearth.succeed("merge", "--model", base, "--adapter", self.adapter, "--output", out)
        saved = json.loads((out / "config.json").read_text())
        for key, value in extra.items():
            self.assertEqual(json.dumps(saved.get(key)), json.dumps(value), f"{key}: also 8.0 must stay 8.0")
        ours, original = (transformers.AutoConfig.from_pretrained(folder).to_dict() for folder in (out, base))
        for key in ("_name_or_path", "transformers_version"):
            ours.pop(key, None), original.pop(key, None)
        self.assertEqual(ours, original)

    def test_merged_model_says_the_same_in_hearth(self):
        data = hearth.text_file(self.folder, 3000)
        out = self.merge("float32", self.copy_of_adapter("again"))
        adapted = hearth.evaluate(self.bases["float32"], data, self.adapter, BLOCK)["loss"]
        self.assert_close(hearth.evaluate(out, data, None, BLOCK)["loss"], adapted, 1e-5, "merged against adapter")


if __name__ == "__main__":
    unittest.main()
