#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The recorded run of the real PEFT (tests/assets/reference/reference_run.json), reproduced from its starting adapter.

  reference_test.py            the first steps, the first and last evaluation loss, both greedy texts
  reference_test.py --long     all 555 steps, the four evaluation losses, and the run in bf16
  reference_test.py --steps N  another prefix
"""
import json
import pathlib
import re
import shutil
import sys
import unittest

import hearth_program as hearth
from hearth_program import PROSE, REFERENCE

RUN = json.loads((REFERENCE / "reference_run.json").read_text())
LORA = RUN["lora"]
PROMPT = RUN["base"]["prompt"]
STEPS = len(LORA["loss_gradnorm"])
STEPS_PER_EPOCH = STEPS // LORA["epochs"]
LOSS_TOLERANCE, GRAD_NORM_TOLERANCE = 1e-5, 1e-4
ROUNDING = 5e-7  # the record has six decimals
LONG = "--long" in sys.argv
PREFIX = 6


def setUpModule():
    hearth.need_program()


def training_text(folder):
    """The first train_chars characters without what the recorded run left out: it dropped the batch that was not full.

    A cut in the text would be a cut in the last token, so it falls in the middle of the first block that is not used,
    and the ids before it are checked to be the same.
    """
    text = hearth.TEXT.read_bytes().decode("utf-8")[:LORA["train_chars"]]
    used = STEPS_PER_EPOCH * LORA["batch"] * LORA["block"]
    words = hearth.tokenizer(PROSE)
    whole = words.encode(text, add_special_tokens=False)
    cut = whole.offsets[used + LORA["block"] // 2][0]
    ids = words.encode(text[:cut], add_special_tokens=False).ids
    assert ids[:used] == whole.ids[:used] and used <= len(ids) + 1 < used + LORA["block"]
    path = pathlib.Path(folder) / "train.txt"
    path.write_bytes(text[:cut].encode("utf-8"))
    return path


class Reference(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = training_text(cls.folder)
        cls.held_out = hearth.text_file(cls.folder, None, LORA["train_chars"], "held_out.txt")

    def finetune(self, name, *extra):
        output = self.folder / name
        hearth.succeed("finetune", "--model", PROSE, "--data", self.data, "--output", output, "--adapter",
                       REFERENCE / "lora_init", "--epochs", LORA["epochs"], "--lr", LORA["lr"], "--schedule", "linear",
                       "--block-size", LORA["block"], "--batch-size", LORA["batch"], "--no-shuffle", "--clip",
                       LORA["clip"],
                       "--weight-decay", 0, "--quiet", *extra, limit_s=4 * 3600)
        return output

    def assert_follows(self, output, steps):
        records = hearth.step_records(output)
        self.assertEqual([r["step"] for r in records], list(range(1, steps + 1)))
        for record, (loss, norm) in zip(records, LORA["loss_gradnorm"]):
            step = record["step"]
            self.assertLessEqual(abs(record["loss"] - loss), LOSS_TOLERANCE * loss + ROUNDING, f"loss of step {step}")
            self.assertLessEqual(abs(record["grad_norm"] - norm), GRAD_NORM_TOLERANCE * norm + ROUNDING,
                                 f"norm of step {step}")
            rate = LORA["lr"] * (1 - (step - 1) / STEPS)
            self.assertAlmostEqual(record["learning_rate"], rate, delta=1e-6 * LORA["lr"], msg=f"rate of step {step}")

    def steps(self):
        found = re.search(r"--steps[ =](\d+)", " ".join(sys.argv))
        return int(found.group(1)) if found else PREFIX

    @unittest.skipIf(LONG, "the long run has the prefix in it")
    def test_prefix_of_the_run(self):
        output = self.finetune("prefix", "--stop-after", self.steps())
        self.assert_follows(output, self.steps())

    def test_first_evaluation_loss(self):
        ours = hearth.evaluate(PROSE, self.held_out, REFERENCE / "lora_init", LORA["block"])
        self.assert_close(ours["loss"], LORA["eval_loss_before_and_after_each_epoch"][0], LOSS_TOLERANCE,
                          "before training")

    def test_last_evaluation_loss(self):
        ours = hearth.evaluate(PROSE, self.held_out, REFERENCE / "lora_trained", LORA["block"])
        self.assert_close(ours["loss"], LORA["eval_loss_before_and_after_each_epoch"][-1], LOSS_TOLERANCE,
                          "trained by PEFT")

    def greedy_equals(self, adapter, ids, text):
        prompt_ids = RUN["base"]["prompt_ids"]
        new = ids[len(prompt_ids):]
        self.assert_same_greedy(hearth.greedy(PROSE, PROMPT, len(new), adapter), (new, text.removeprefix(PROMPT)),
                                str(adapter))

    def test_greedy_text_before(self):
        self.greedy_equals(None, RUN["base"]["greedy_ids"], RUN["base"]["greedy_text"])

    def test_greedy_text_after(self):
        self.greedy_equals(REFERENCE / "lora_trained", LORA["greedy_ids_after"], LORA["greedy_text_after"])

    @unittest.skipUnless(LONG, "--long only")
    def test_whole_run(self):
        output = self.finetune("whole", "--eval-data", self.held_out)
        self.assert_follows(output, STEPS)
        losses = {r["step"]: r["eval_loss"] for r in hearth.read_log(output) if "eval_loss" in r}
        wanted = LORA["eval_loss_before_and_after_each_epoch"]
        for epoch, theirs in enumerate(wanted):
            self.assertIn(epoch * STEPS_PER_EPOCH, losses, "log.jsonl must hold eval_loss before and after each epoch")
            self.assert_close(losses[epoch * STEPS_PER_EPOCH], theirs, LOSS_TOLERANCE, f"after epoch {epoch}")
        self.greedy_equals(output, LORA["greedy_ids_after"], LORA["greedy_text_after"])
        keep_result("f32", output)

    @unittest.skipUnless(LONG, "--long only")
    def test_whole_run_in_bf16(self):
        output = self.finetune("bf16", "--dtype", "bf16")
        ours = hearth.evaluate(PROSE, self.held_out, output, LORA["block"])["loss"]
        self.assert_close(ours, LORA["eval_loss_before_and_after_each_epoch"][-1], 1e-2, "bf16")
        keep_result("bf16", output)


def keep_result(name, output):
    """Prints the largest deviations, for BENCHMARKS.md, and keeps the log beside the program."""
    pairs = list(zip(hearth.step_records(output), LORA["loss_gradnorm"]))
    loss = max(abs(r["loss"] / l - 1) for r, (l, _) in pairs)
    norm = max(abs(r["grad_norm"] / n - 1) for r, (_, n) in pairs)
    print(f"reference run in {name}: {len(pairs)} steps, largest deviation: loss {loss:.1e}, gradient norm {norm:.1e}")
    shutil.copyfile(output / "log.jsonl", hearth.HEARTH.parent / f"reference_{name}.jsonl")


def unittest_arguments():
    """sys.argv without the flags of this file."""
    return re.sub(r" --long| --steps[ =]\d+", "", " ".join(sys.argv)).split(" ")


if __name__ == "__main__":
    unittest.main(argv=unittest_arguments())
