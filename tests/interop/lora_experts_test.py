#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LoRA on the weights of experts (PEFT's target_parameters): files both ways, training step by step, merging."""
import json
import unittest
import warnings

import peft
import torch

import hearth_program as hearth
from families_test import EXPERTS, SIZES, load, make_model
from peft_test import all_tensors
from peft_training import train_with_peft

PROMPT = "My lord, the"
BLOCK, BATCH, STEPS, RATE = 32, 4, 6, 1e-2
# Measured on all of these: 1.4e-6 at most for losses, 3.8e-5 for norms (mixtral).
LOSS_TOLERANCE, GRAD_NORM_TOLERANCE = 1e-5, 1e-4
SMALL = SIZES | {"num_hidden_layers": 2}
MODELS = {
    "mixtral": ("mixtral", SMALL | {"num_local_experts": 5}),
    "mixtral-one": ("mixtral", SMALL | {"num_local_experts": 1, "num_experts_per_tok": 1}),
    "qwen2_moe": ("qwen2_moe", SMALL | EXPERTS | {"shared_expert_intermediate_size": 40}),
    "qwen3_moe": ("qwen3_moe", SIZES | EXPERTS | {"head_dim": 16, "norm_topk_prob": True, "mlp_only_layers": [1]}),
}
BOTH = ["gate_up_proj", "down_proj"]
# name: (what PEFT is told, the same as flags of hearth finetune)
KINDS = {
    "both": ({"target_parameters": BOTH}, ["--lora-experts", "gate_up_proj,down_proj"]),
    "up": ({"target_parameters": ["experts.gate_up_proj"], "use_rslora": True},
           ["--lora-experts", "experts.gate_up_proj", "--lora-rslora"]),
    "down-alone": ({"target_parameters": ["mlp.experts.down_proj"], "target_modules": []},
                   ["--lora-experts", "mlp.experts.down_proj", "--lora-targets", "none"]),
    # PEFT has no default for these families but mixtral, where it is q_proj and v_proj.
    "no-targets": ({"target_parameters": BOTH, "target_modules": None}, None),
    "ranks": ({"target_parameters": BOTH, "target_modules": [], "init_lora_weights": "gaussian",
               "rank_pattern": {"layers.0.mlp.experts.down_proj": 2}, "alpha_pattern": {"gate_up_proj": 3}},
              ["--lora-experts", "gate_up_proj,down_proj", "--lora-targets", "none", "--lora-init", "gaussian",
               "--lora-rank-pattern", "layers.0.mlp.experts.down_proj=2", "--lora-alpha-pattern", "gate_up_proj=3"]),
}
CASES = [(model, kind) for model in MODELS for kind in KINDS]


def setUpModule():
    hearth.need_program()
    torch.set_num_threads(1)


class Experts(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, (model_type, settings) in MODELS.items():
            (cls.folder / name).mkdir()
            make_model(cls.folder / name, model_type, settings, 6)
        base = cls.folder / "mixtral"  # all have one tokenizer
        cls.rows, cls.data = hearth.training_blocks(cls.folder, base, 9000, BLOCK, STEPS * BATCH)

    def make(self, name, kind, base=None):
        """PEFT's adapter, every matrix with numbers that matter."""
        folder = self.folder / f"theirs-{name}-{kind}"
        settings = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}
        torch.manual_seed(3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = peft.get_peft_model(load(base or self.folder / name, name),
                                        peft.LoraConfig(**settings | KINDS[kind][0]))
        torch.manual_seed(11)
        for key, weight in model.named_parameters():
            if "lora_" in key:
                torch.nn.init.normal_(weight, std=0.05)
        model.save_pretrained(folder)
        return folder, model

    def finetune(self, name, out, *flags):
        hearth.succeed("finetune", "--model", self.folder / name, "--data", self.data, "--output", out, "--epochs", 1,
                       "--batch-size", BATCH, "--block-size", BLOCK, "--lr", RATE, "--no-shuffle", "--quiet", *flags)
        return hearth.step_records(out)

    def test_their_adapter_computes_the_same(self):
        for name, kind in CASES:
            with self.subTest(name, kind=kind):
                folder, model = self.make(name, kind)
                ours = hearth.evaluate(self.folder / name, self.data, folder, BLOCK)["loss"]
                plain = hearth.evaluate(self.folder / name, self.data, None, BLOCK)["loss"]
                self.assert_close(ours, hearth.torch_loss(model.eval(), self.rows), 1e-6, name)
                self.assertGreater(abs(ours / plain - 1), 1e-5, "the adapter must change something")

    def test_training_follows_peft(self):
        for name, kind in CASES:
            with self.subTest(name, kind=kind):
                folder, model = self.make(name, kind)
                theirs = train_with_peft(model.train(), self.rows, BATCH, STEPS, RATE)
                out = self.folder / f"trained-{name}-{kind}"
                for record, (loss, norm) in zip(self.finetune(name, out, "--adapter", folder), theirs, strict=True):
                    step = record["step"]
                    self.assert_close(record["loss"], loss, LOSS_TOLERANCE, f"{name} {kind}: loss of step {step}")
                    self.assert_close(record["grad_norm"], norm, GRAD_NORM_TOLERANCE, f"{name} {kind}: norm of {step}")
                before, after = all_tensors(folder), all_tensors(out)
                self.assertEqual(set(before), set(after))
                self.assertEqual([k for k in before if torch.equal(before[k], after[k])], [], "every tensor is trained")

    def test_a_new_adapter_in_peft(self):
        for name, kind in CASES:
            if KINDS[kind][1] is None:
                continue
            with self.subTest(name, kind=kind):
                out = self.folder / f"new-{name}-{kind}"
                self.finetune(name, out, "--lora-rank", 4, "--lora-alpha", 8, *KINDS[kind][1])
                folder, _ = self.make(name, kind)
                expected, ours = all_tensors(folder), all_tensors(out)
                self.assertEqual({k: (v.shape, v.dtype) for k, v in ours.items()},
                                 {k: (v.shape, v.dtype) for k, v in expected.items()})
                theirs, mine = (json.loads((f / "adapter_config.json").read_text()) for f in (folder, out))
                for key in ("target_parameters", "target_modules"):
                    self.assertEqual(sorted(mine[key]), sorted(theirs[key]), key)
                for key in ("rank_pattern", "alpha_pattern", "use_rslora", "init_lora_weights"):
                    self.assertEqual(mine[key], theirs[key], key)
                loaded = peft.PeftModel.from_pretrained(load(self.folder / name, name), out).eval()
                state = peft.get_peft_model_state_dict(loaded)
                for key, tensor in ours.items():
                    self.assertTrue(torch.equal(tensor, state[key]), key)
                self.assert_close(hearth.evaluate(self.folder / name, self.data, out, BLOCK)["loss"],
                                  hearth.torch_loss(loaded, self.rows), 1e-6, name)

    def test_merged(self):
        for dtype, short in (("float32", "f32"), ("bfloat16", "bf16")):
            for name, kind in CASES:
                with self.subTest(name, kind=kind, dtype=dtype):
                    base = self.folder / f"{name}-{short}"
                    if not base.exists():
                        hearth.succeed("convert", "--model", self.folder / name, "--output", base, "--dtype", short,
                                       "--quiet")
                    folder, _ = self.make(name, kind)
                    out = self.folder / f"merged-{name}-{kind}-{short}"
                    hearth.succeed("merge", "--model", base, "--adapter", folder, "--output", out)
                    theirs = peft.PeftModel.from_pretrained(load(base, name), folder).merge_and_unload().state_dict()
                    ours = load(out, name).state_dict()
                    self.assertEqual(set(ours), set(theirs))
                    for key, tensor in ours.items():
                        self.assertEqual(tensor.dtype, getattr(torch, dtype), key)
                        self.assertTrue(torch.equal(tensor, theirs[key]), key)

    def test_generation_follows_peft(self):
        for name in MODELS:
            with self.subTest(name):
                folder, model = self.make(name, "both")
                ours = hearth.succeed("generate", "--model", self.folder / name, "--adapter", folder, "--prompt", PROMPT,
                                      "--max-tokens", 10, "--temperature", 0)
                tokenizer = hearth.tokenizer(self.folder / name)
                ids = torch.tensor([tokenizer.encode(PROMPT).ids])
                theirs = model.eval().generate(input_ids=ids, do_sample=False, max_new_tokens=10, eos_token_id=None,
                                               pad_token_id=0)[0].tolist()
                self.assertEqual(ours.strip(), tokenizer.decode(theirs).removeprefix(PROMPT).strip())

    def test_resume_is_bit_exact(self):
        flags = [*KINDS["both"][1], "--seed", 4, "--save-every", 2]
        self.finetune("mixtral", self.folder / "whole-run", *flags)
        self.finetune("mixtral", self.folder / "cut-run", *flags, "--stop-after", 2)
        self.finetune("mixtral", self.folder / "cut-run", *flags, "--resume")
        a, b = all_tensors(self.folder / "whole-run"), all_tensors(self.folder / "cut-run")
        self.assertEqual([key for key in a if not torch.equal(a[key], b[key])], [])

    def test_checkpointing_and_bf16(self):
        flags = ["--adapter", self.make("qwen2_moe", "both")[0], "--max-steps", 2]
        plain = self.finetune("qwen2_moe", self.folder / "plain", *flags)
        for kind, more in (("checkpointing", ["--checkpointing"]), ("bf16", ["--dtype", "bf16"])):
            for ours, theirs in zip(self.finetune("qwen2_moe", self.folder / kind, *flags, *more), plain, strict=True):
                self.assert_close(ours["loss"], theirs["loss"], 2e-2 if kind == "bf16" else 1e-6, kind)

    def refused(self, name, flags, *words):
        done = hearth.run("finetune", "--model", self.folder / name, "--data", self.data, "--output", self.folder / "no",
                          "--block-size", BLOCK, *flags)
        self.assert_refused(done, "finetune", *words)

    def test_refusals(self):
        both = KINDS["both"][1]
        self.refused("mixtral", ["--lora-experts", "up_proj"], "experts", "up_proj", "gate_up_proj and down_proj")
        self.refused("mixtral", [*both, "--lora-dropout", 0.1], "experts", "dropout")
        self.refused("mixtral", [*both, "--dora"], "experts", "plain LoRA")
        self.refused("mixtral", [*both, "--lora-init", "pissa"], "experts", "default or gaussian")
        self.refused("mixtral", ["--lora-targets", "none"], "--lora-targets", "--lora-experts")
        self.refused("mixtral", [*both, "--lora-targets", "w_proj"], "--lora-targets", "w_proj")
        self.refused("qwen2_moe", ["--adapter", self.make("mixtral", "both")[0]], "experts")
        folder, _ = self.make("mixtral", "both")
        done = hearth.run("combine", "--adapter", f"{folder},{folder}", "--output", self.folder / "never")
        self.assert_refused(done, "combine", "experts")


if __name__ == "__main__":
    unittest.main()
