#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Full tuning and training from scratch against PyTorch and transformers: losses step by step, the folders that are
saved, and new weights drawn as _init_weights draws them."""
import json
import math
import pathlib
import tempfile
import unittest

import hearth_program as hearth
import torch
import transformers
from families_test import MODELS, load, make_model
from hearth_program import PROSE
from peft_test import all_tensors
from peft_training import train_with_peft

BLOCK, BATCH, STEPS, RATE = 32, 2, 20, 2e-3
LOSS_TOLERANCE = 1e-5
CHANGE_TOLERANCE = 1e-2  # of a weight's whole change. Measured: 5e-3 for GPT-2's c_attn.bias, else 2e-3
FAMILIES = ("llama", "gpt2", "qwen2_moe", "mixtral", "gemma2", "opt, as 350M")


def model_without_rotation(name):
    return name.startswith("opt")


def setUpModule():
    hearth.need_program()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


class Full(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rows, cls.data = hearth.training_blocks(cls.folder, PROSE, 9000, BLOCK, STEPS * BATCH)

    def finetune(self, base, name, *flags):
        out = self.folder / name
        hearth.succeed("finetune", "--model", base, "--data", self.data, "--output", out, "--batch-size",
                       BATCH, "--block-size", BLOCK, "--lr", RATE, "--no-shuffle", "--quiet", "--full", *flags)
        return out

    def make(self, name):
        folder = self.folder / "base" / name.replace(" ", "-").replace(",", "")
        folder.mkdir(parents=True, exist_ok=True)
        model_type, settings = MODELS[name]
        # PyTorch gives the row of a padding token no derivative, and OPT's is 1, with which a text begins here.
        return folder, make_model(folder, model_type, settings | dict(pad_token_id=0), len(name))

    def assert_loads(self, folder, **options):
        model, report = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, **options)
        self.assertEqual({key: list(value) for key, value in report.items() if value}, {})
        return model

    def test_losses_follow_pytorch(self):
        for name in FAMILIES:
            with self.subTest(name):
                base, start = self.make(name)
                model = load(base, MODELS[name][0]).train()
                theirs = train_with_peft(model, self.rows, BATCH, STEPS, RATE)
                out = self.finetune(base, "out-" + base.name, "--epochs", 1)
                ours = hearth.step_records(out)
                for record, (loss, norm) in zip(ours, theirs, strict=True):
                    self.assert_close(record["loss"], loss, LOSS_TOLERANCE, f"{name}: loss of step {record['step']}")
                    self.assert_close(record["grad_norm"], norm, 1e-3, f"{name}: norm of step {record['step']}")
                saved = self.assert_loads(out / "model")
                before, after = start.state_dict(), model.state_dict()
                for key, value in saved.state_dict().items():
                    if model_without_rotation(name) and key.endswith("k_proj.bias"):
                        continue  # it adds the same to all scores of a row: its derivative is rounding alone
                    # AdamW divides derivatives that are all but zero by their own size, so single numbers may differ.
                    moved = float((after[key] - before[key]).norm())
                    self.assertLess(float((value - after[key]).norm()), CHANGE_TOLERANCE * moved, f"{name}: {key}")

    def test_saved_types(self):
        base, _ = self.make("gpt2")
        half = self.folder / "half"
        hearth.succeed("convert", "--model", base, "--output", half, "--dtype", "bf16", "--quiet")
        for flags, dtype in (((), torch.bfloat16), (("--save-dtype", "f16"), torch.float16),
                             (("--save-dtype", "f32"), torch.float32)):
            out = self.finetune(half, f"saved-{dtype}", "--max-steps", 1, *flags)
            self.assertEqual({t.dtype for t in all_tensors(out / "model").values()}, {dtype})
            self.assertNotIn("lm_head.weight", all_tensors(out / "model"))
            self.assertEqual(self.assert_loads(out / "model", dtype="auto").dtype, dtype)

    def test_bf16_arithmetic(self):
        base, _ = self.make("llama")
        exact = hearth.step_records(self.finetune(base, "exact", "--max-steps", 10))
        rounded = hearth.step_records(self.finetune(base, "rounded", "--max-steps", 10, "--dtype", "bf16"))
        for ours, theirs in zip(rounded, exact, strict=True):
            self.assert_close(ours["loss"], theirs["loss"], 1e-2, f"step {ours['step']}")
        self.assertLess(exact[-1]["loss"], exact[0]["loss"] - 0.1)

    def test_resume_is_bit_exact(self):
        base, _ = self.make("qwen2, window, tied")
        flags = ["--grad-accum", 2, "--epochs", 3, "--save-every", 4]
        whole = self.finetune(base, "whole-run", *flags)
        self.finetune(base, "cut-run", *flags, "--stop-after", 14)
        cut = self.finetune(base, "cut-run", *flags, "--resume")
        a, b = all_tensors(whole / "model"), all_tensors(cut / "model")
        self.assertEqual(set(a), set(b))
        for key, tensor in a.items():
            self.assertTrue(torch.equal(tensor, b[key]), key)
        self.assert_loads(cut / "checkpoint-30" / "model")

    def test_checkpointed_and_packed(self):
        base, _ = self.make("llama")
        lines = self.data.read_text(encoding="utf-8").split("\n\n")[:40]
        data = self.folder / "lines.jsonl"
        data.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))
        runs = {}
        for name, more in (("plain", []), ("again", ["--checkpointing"])):
            out = self.folder / f"packed-{name}"
            hearth.succeed("finetune", "--model", base, "--data", data, "--output", out, "--full", "--packing",
                           "--max-length", 64, "--max-steps", 4, "--batch-size", 2, "--lr", RATE, "--quiet", *more)
            runs[name] = [(r["loss"], r["grad_norm"]) for r in hearth.step_records(out)]
        self.assertEqual(runs["plain"], runs["again"])

    def test_memory_is_as_estimated(self):
        words = ("finetune", "--model", PROSE, "--data", self.data, "--full", "--block-size", 64, "--max-steps", 3)
        for i, more in enumerate(((), ("--grad-accum", 2, "--batch-size", 4), ("--checkpointing", "--dtype", "bf16"))):
            out = ("--output", self.folder / f"memory-{i}", *more)
            expected = hearth.succeed_json(*words, *out, "--dry-run")["memory_bytes"]
            self.assert_close(hearth.succeed_json(*words, *out)["memory_bytes"], expected, 0.1, str(more))

    def test_refusals(self):
        base, _ = self.make("llama")
        for flags, words in ((("--full", "--lora-rank", 4), "--lora-rank and --full"),
                             (("--save-dtype", "f32"), "--save-dtype needs --full")):
            done = hearth.run("finetune", "--model", base, "--data", self.data, "--output", self.folder / "no", *flags)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)


class Scratch(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = hearth.text_file(cls.folder, 4000)

    def begin(self, name, seed=0, steps=1, **more):
        """A model of the family as it is before its first step."""
        model_type, settings = MODELS[name]
        config = transformers.AutoConfig.for_model(model_type, **(settings | more))
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        config.save_pretrained(folder)
        out = folder / f"out-{seed}"
        hearth.succeed("finetune", "--init", folder / "config.json", "--model", PROSE, "--data", self.data, "--output", out,
                       "--block-size", 32, "--max-steps", steps, "--seed", seed, "--lr", 1e-30, "--quiet")
        return config, out

    def test_weights_are_drawn_as_theirs(self):
        names = [name for name in MODELS if name == MODELS[name][0]] + ["gemma3_text", "olmo2", "opt, as 350M",
                                                                          "falcon, as RW", "stablelm, as 12B"]
        for name in dict.fromkeys(names):
            with self.subTest(name):
                config, out = self.begin(name, initializer_range=0.05, **({"init_std": 0.05} if "opt" in name else {}))
                ours, report = transformers.AutoModelForCausalLM.from_pretrained(out / "model", output_loading_info=True)
                self.assertEqual({key: list(value) for key, value in report.items() if value}, {})
                torch.manual_seed(1)
                theirs = transformers.AutoModelForCausalLM.from_config(config).state_dict()
                for key, mine in ours.state_dict().items():
                    self.assert_drawn_alike(f"{name}: {key}", mine.float(), theirs[key].float())

    def assert_drawn_alike(self, what, ours, theirs):
        # AdamW's first step at a rate of 1e-30 leaves its mark on zeros.
        if theirs.numel() < 2 or theirs.std() == 0:
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-20, msg=lambda m: f"{what}: {m}")
            return
        count = theirs.numel()
        self.assertEqual((ours.abs() < 1e-20).sum(), (theirs == 0).sum(), f"{what}: zeros")
        # Five standard errors of a deviation, of both; of a mean.
        self.assert_close(float(ours.std()), float(theirs.std()), 5 * math.sqrt(2) / math.sqrt(2 * count), what)
        self.assertLess(abs(float(ours.mean())), 5 * float(theirs.std()) / math.sqrt(count), what)

    def test_the_seed_decides(self):
        one, same, other = (all_tensors(self.begin("llama", seed)[1] / "model") for seed in (1, 2, 3))
        key = "model.layers.1.mlp.up_proj.weight"
        self.assertFalse(torch.equal(one[key], same[key]))
        self.assertFalse(torch.equal(same[key], other[key]))

    def test_learns_and_resumes(self):
        config = self.begin("llama")[1].parent / "config.json"
        runs = []
        for name, cuts in (("whole", [[]]), ("cut", [["--stop-after", 7], ["--resume"]])):
            out = self.folder / name
            for cut in cuts:
                hearth.succeed("finetune", "--init", config, "--model", PROSE, "--data", self.data, "--output", out,
                               "--block-size", 32, "--max-steps", 20, "--lr", 3e-3, "--quiet", *cut)
            runs.append([r["loss"] for r in hearth.step_records(out)])
        self.assertEqual(runs[0], runs[1])
        self.assertAlmostEqual(runs[0][0], math.log(4096), delta=0.2)
        self.assertLess(runs[0][-1], runs[0][0] - 1)

    def test_refuses_a_small_vocabulary(self):
        config, out = self.begin("llama", 9)
        path = self.folder / "small.json"
        path.write_text(json.dumps(config.to_dict() | {"vocab_size": 100}))
        done = hearth.run("finetune", "--init", path, "--model", PROSE, "--data", self.data, "--output", self.folder / "no")
        self.assert_refused(done, "finetune", "vocabulary of 100", "4096")


if __name__ == "__main__":
    unittest.main()
