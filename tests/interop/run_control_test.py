#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a run is steered: evaluations by steps, early stopping, the best kept, --fit, f16 with loss scaling; against
transformers' Trainer where it does the same."""
import unittest

import hearth_program as hearth
import torch
import transformers
from llama_variants_test import make_model
from peft_test import all_tensors

BLOCK, BATCH = 32, 4


def setUpModule():
    hearth.need_program()
    torch.set_num_threads(1)


class Control(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = cls.folder / "base"
        cls.base.mkdir()
        make_model(cls.base, 6)
        cls.data = hearth.text_file(cls.folder, 3000)
        cls.eval = hearth.text_file(cls.folder, 1500, start=20000, name="eval.txt")

    def finetune(self, name, *flags):
        out = self.folder / name
        result = hearth.succeed_json("finetune", "--model", self.base, "--data", self.data, "--output", out,
                                     "--block-size", BLOCK, *flags)
        return out, result

    # A rate so high that the model learns the text by heart: the other text's loss falls, then rises.
    RISING = ("--eval-every", 4, "--epochs", 12, "--lr", 3e-3, "--batch-size", BATCH, "--full", "--schedule", "constant")

    def steered(self, name, *flags):
        return self.finetune(name, "--eval-data", self.eval, *self.RISING, *flags)

    def test_early_stopping_is_that_of_transformers(self):
        out, free = self.steered("free")
        losses = {e["step"]: e["loss"] for e in free["evaluations"] if e["step"]}
        self.assertGreater(list(losses.values())[-1], min(losses.values()) + 0.1, "the loss must rise in the end")
        for patience, threshold in ((2, 0.0), (3, 0.05)):
            _, ours = self.steered(f"early-{patience}", "--early-stop-patience", patience, "--early-stop-threshold", threshold)
            stop = self.theirs(losses, patience, threshold)
            self.assertTrue(ours["stopped_early"])
            self.assertEqual(ours["steps"], stop, f"patience {patience}, threshold {threshold}")

    @staticmethod
    def theirs(losses, patience, threshold):
        """Where transformers' own callback ends a run with these losses."""
        callback = transformers.EarlyStoppingCallback(patience, threshold)
        args = transformers.TrainingArguments(output_dir="unused", metric_for_best_model="loss", greater_is_better=False,
                                              use_cpu=True)
        state, control = transformers.TrainerState(), transformers.TrainerControl()
        for step, loss in losses.items():
            callback.on_evaluate(args, state, control, {"eval_loss": loss})
            if state.best_metric is None or loss < state.best_metric:  # as Trainer does after its callbacks
                state.best_metric = loss
            if control.should_training_stop:
                return step
        return None

    def test_the_best_is_kept(self):
        out, result = self.steered("best", "--keep-best", "--save-every", 3)
        losses = {e["step"]: e["loss"] for e in result["evaluations"] if e["step"]}
        best = min(losses, key=losses.get)
        self.assertEqual(result["best_step"], best)
        self.assertLess(best, result["steps"])
        kept, saved = all_tensors(out / f"checkpoint-{best}" / "model"), all_tensors(out / "model")
        for key, tensor in saved.items():
            self.assertTrue(torch.equal(tensor, kept[key]), key)
        measured = hearth.evaluate(out / "model", self.eval, None, BLOCK)["loss"]
        self.assert_close(measured, losses[best], 1e-6, "loss of what was saved")
        self.assertLessEqual(len(list(out.glob("checkpoint-*"))), 3, "the best and the newest two")

    def test_resumed_runs_decide_alike(self):
        flags = ("--keep-best", "--early-stop-patience", 3, "--save-every", 2)
        whole, result = self.steered("whole", *flags)
        self.steered("cut", *flags, "--stop-after", 10)
        cut, resumed = self.steered("cut", *flags, "--resume")
        self.assertEqual((result["steps"], result["best_step"]), (resumed["steps"], resumed["best_step"]))
        again, ended = self.steered("cut", *flags, "--resume")
        self.assertEqual(ended["steps"], result["steps"], "a run that has ended early stays ended")
        a, b = all_tensors(whole / "model"), all_tensors(again / "model")
        for key, tensor in a.items():
            self.assertTrue(torch.equal(tensor, b[key]), key)

    def test_adapters_are_kept_alike(self):
        out, result = self.finetune("adapter", "--eval-data", self.eval, "--eval-every", 3, "--max-steps", 30, "--lr", 0.1,
                                    "--keep-best", "--lora-targets", "all-linear")
        best = all_tensors(out / f"checkpoint-{result['best_step']}")
        for key, tensor in all_tensors(out).items():
            self.assertTrue(torch.equal(tensor, best[key]), key)

    def test_what_needs_evaluations(self):
        for flags in (("--keep-best",), ("--early-stop-patience", 2), ("--eval-every", 5)):
            done = hearth.run("finetune", "--model", self.base, "--data", self.data, "--output", self.folder / "no", *flags)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{flags[0]} needs --eval-data", done.stderr)

    # ------------------------------------------------------------------------------------------------------------- fit
    def fit_words(self, limit, *flags):
        return ("--batch-size", 4, "--grad-accum", 4, "--full", "--max-steps", 3, "--lr", 1e-3, "--no-shuffle", *flags,
                *(("--fit", limit) if limit else ()))

    def test_fit_keeps_the_steps(self):
        _, whole = self.finetune("unfitted", *self.fit_words(None, "--dry-run"))
        big = int(whole["memory_bytes"])
        losses, chosen = {}, {}
        for name, limit in (("all", "8GB"), ("some", big), ("little", self.least() + (1 << 18))):
            out, dry = self.finetune(f"fit-{name}", *self.fit_words(limit, "--dry-run"))
            configuration = dry["configuration"]
            chosen[name] = (configuration["batch-size"], configuration["grad-accum"], configuration["checkpointing"])
            self.assertEqual(chosen[name][0] * chosen[name][1], 16)
            if isinstance(limit, int):
                self.assertLessEqual(dry["memory_bytes"], limit)
            self.finetune(f"fit-{name}", *self.fit_words(limit))
            losses[name] = [r["loss"] for r in hearth.step_records(out)]
        self.assertEqual(chosen["all"], (16, 1, False))
        self.assertTrue(chosen["little"][2] or chosen["little"][0] == 1, chosen)
        for name in ("some", "little"):
            for ours, theirs in zip(losses[name], losses["all"], strict=True):
                self.assert_close(ours, theirs, 1e-6, f"{name}: {chosen}")

    def least(self):
        done = hearth.run("finetune", "--model", self.base, "--data", self.data, "--output", self.folder / "no",
                          "--block-size", BLOCK, *self.fit_words(1000))
        self.assert_refused(done, "finetune", "fit: no way", "the least is", "--block-size")
        return int(done.stderr.split("the least is ")[1].split(" ")[0])

    def test_a_resumed_run_keeps_what_was_chosen(self):
        small = self.least() + (1 << 18)
        _, first = self.finetune("fit-resumed", *self.fit_words(small, "--stop-after", 1))
        out, _ = self.finetune("fit-resumed", *self.fit_words("8GB", "--resume"))
        whole, _ = self.finetune("fit-whole", *self.fit_words(small))
        a, b = all_tensors(out / "model"), all_tensors(whole / "model")
        for key, tensor in a.items():
            self.assertTrue(torch.equal(tensor, b[key]), key)

    # ------------------------------------------------------------------------------------------------------------- f16
    def test_f16_comes_close_to_f32(self):
        for name, flags in (("lora", ("--lora-targets", "all-linear", "--lr", 1e-2)), ("full", ("--full", "--lr", 1e-3))):
            exact, _ = self.finetune(f"{name}-f32", *flags, "--max-steps", 12)
            half, result = self.finetune(f"{name}-f16", *flags, "--max-steps", 12, "--dtype", "f16")
            ours, theirs = hearth.step_records(half), hearth.step_records(exact)
            self.assertEqual(result["skipped_steps"], 0)
            for a, b in zip(ours, theirs, strict=True):
                self.assert_close(a["loss"], b["loss"], 1e-2, f"{name}: step {a['step']}")
                self.assert_close(a["grad_norm"], b["grad_norm"], 2e-2, f"{name}: norm of step {a['step']}")
            self.assertLess(ours[-1]["loss"], ours[0]["loss"])

    def test_f16_scale_adapts_and_resumes(self):
        # Weights so large that gradients overflow f16 at the first scales.
        loud = self.folder / "loud"
        loud.mkdir()
        make_model(loud, 7, initializer_range=0.6)
        words = ("finetune", "--model", loud, "--data", self.data, "--block-size", BLOCK, "--full", "--dtype", "f16",
                 "--max-steps", 16, "--lr", 1e-4, "--save-every", 1)
        whole = hearth.succeed_json(*words, "--output", self.folder / "loud-whole")
        self.assertGreater(whole["skipped_steps"], 0)
        scales = [r["loss_scale"] for r in hearth.step_records(self.folder / "loud-whole")]
        self.assertEqual(scales[0], 65536)
        self.assertEqual(scales[0] / scales[-1], 2 ** whole["skipped_steps"])
        hearth.succeed_json(*words, "--output", self.folder / "loud-cut", "--stop-after", 2)
        hearth.succeed_json(*words, "--output", self.folder / "loud-cut", "--resume")
        a, b = (all_tensors(self.folder / f"loud-{name}" / "model") for name in ("whole", "cut"))
        for key, tensor in a.items():
            self.assertTrue(torch.equal(tensor, b[key]), key)


if __name__ == "__main__":
    unittest.main()
