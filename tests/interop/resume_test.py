#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training that is killed at any moment continues bit for bit: same losses, same adapter.

  resume_test.py           three kills
  resume_test.py --long    100
The random points come from HEARTH_SEED (default 0), which a failure names.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

import hearth_program as hearth
from hearth_program import PROSE

LONG = "--long" in sys.argv
KILLS = 100 if LONG else 3
SEED = int(os.environ.get("HEARTH_SEED", "0"))
STEPS, SAVE_EVERY = 12, 2
COMPARED = ("loss", "grad_norm", "learning_rate")


def setUpModule():
    hearth.need_program()


def words(data, output, *extra):
    """Dropout, shuffling and accumulation on; 12 steps cross an epoch (about 9 of them) in the middle of a group."""
    return ("finetune", "--model", PROSE, "--data", data, "--output", output, "--block-size", 32, "--batch-size", 2,
            "--grad-accum", 2, "--max-steps", STEPS, "--lora-dropout", 0.1, "--lr", 1e-3, "--seed", 7,
            "--warmup-steps", 3,
            "--schedule", "cosine", "--save-every", SAVE_EVERY, "--quiet", *extra)


# What a run may do with examples; each with accumulation and dropout.
EXAMPLES = {"packing": ("--packing",), "grouping": ("--group-by-length",), "completions": ("--loss-on", "completion"),
            "checkpointing": ("--packing", "--checkpointing"), "bf16": ("--packing", "--dtype", "bf16")}
EXAMPLE_STEPS = 10


def write_examples(path):
    """Prompts and completions of many lengths, so that rows, groups and labels differ from batch to batch."""
    chance = random.Random(3)
    text = hearth.TEXT.read_text(encoding="utf-8").replace("\n", " ")
    rows = []
    for _ in range(50):
        begin, first, second = chance.randrange(100000), chance.randrange(4, 60), chance.randrange(4, 90)
        rows.append({"prompt": text[begin:begin + first], "completion": text[begin + first:begin + first + second]})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def example_words(data, output, *extra):
    """An epoch ends in the middle of a group of micro-batches."""
    return ("finetune", "--model", PROSE, "--data", data, "--output", output, "--max-length", 48, "--batch-size", 2,
            "--grad-accum", 3, "--max-steps", EXAMPLE_STEPS, "--lora-dropout", 0.1, "--lr", 1e-3, "--seed", 5,
            "--save-every", SAVE_EVERY, "--quiet", *extra)


def log_lines(output):
    path = output / "log.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def start_and_kill(command, output, step, delay_s):
    """Kills -9 delay_s after the log has so many lines. Returns False when the run ended before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + hearth.LIMIT_S
    while process.poll() is None and log_lines(output) < step and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    if process.returncode not in (0, -signal.SIGKILL):
        raise AssertionError(f"exit code {process.returncode} before the kill: {errors}")
    return process.returncode != 0


class Resume(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = hearth.text_file(cls.folder, 3100)
        cls.whole = cls.folder / "whole"
        begin = time.monotonic()
        hearth.succeed(*words(cls.data, cls.whole))
        cls.step_s = (time.monotonic() - begin) / STEPS
        cls.losses = {r["step"]: tuple(r[key] for key in COMPARED) for r in hearth.step_records(cls.whole)}
        cls.adapter = (cls.whole / "adapter_model.safetensors").read_bytes()

    def fresh(self, name):
        output = self.folder / name
        shutil.rmtree(output, ignore_errors=True)
        return output

    def resume(self, output):
        """--resume; a run killed before its first checkpoint has nothing to resume, must say so, and starts again."""
        done = hearth.run(*words(self.data, output, "--resume"))
        if done.returncode == 1 and "resume" in done.stderr:
            steps = log_lines(output)
            self.assertLessEqual(steps, SAVE_EVERY, f"{steps} steps are logged, nothing to resume: {done.stderr}")
            shutil.rmtree(output, ignore_errors=True)
            done = hearth.run(*words(self.data, output))
        self.assertEqual(done.returncode, 0, done.stderr)

    def assert_same_run(self, output, how):
        """Every record, also of steps that were done twice, and the bytes of the adapter."""
        records = hearth.step_records(output)
        for record in records:
            got = tuple(record[key] for key in COMPARED)
            self.assertEqual(got, self.losses[record["step"]], f"{how}: step {record['step']}")
        self.assertEqual({r["step"] for r in records}, set(range(1, STEPS + 1)), how)
        self.assertTrue((output / "adapter_model.safetensors").read_bytes() == self.adapter,
                        f"{how}: other adapter bytes")

    def test_the_run_itself_repeats(self):
        output = self.fresh("repeat")
        hearth.succeed(*words(self.data, output))
        self.assert_same_run(output, "the same command again")
        self.assertEqual(len(self.losses), STEPS)

    def kill_sometimes(self, chance, output):
        """One or two kills, the second one while it continues. Returns where, and whether the last run still ended."""
        points, flags = [], []
        for _ in range(chance.choice((1, 1, 2))):
            points.append((chance.randrange(STEPS), round(chance.random() * self.step_s, 4)))
            if not start_and_kill(hearth.command(*words(self.data, output, *flags)), output, *points[-1]):
                return points, True
            if log_lines(output) <= SAVE_EVERY:  # perhaps no checkpoint yet
                break
            flags = ["--resume"]
        return points, False

    def test_killed_at_random_points(self):
        chance = random.Random(SEED)
        for kill in range(KILLS):
            output = self.fresh("killed")
            points, ended = self.kill_sometimes(chance, output)
            how = f"HEARTH_SEED={SEED}, run {kill}, killed after (lines of the log, seconds) {points}"
            with self.subTest(how):
                if not ended:
                    self.resume(output)
                self.assert_same_run(output, how)

    def test_resume_of_a_finished_run_changes_nothing(self):
        output = pathlib.Path(shutil.copytree(self.whole, self.folder / "finished"))
        done = hearth.run(*words(self.data, output, "--resume"))
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assert_same_run(output, "resumed when it was finished")

    def test_changed_configuration_is_refused(self):
        output = self.half_done("changed")
        for flag, value in (("--lr", 2e-3), ("--seed", 8), ("--batch-size", 4), ("--block-size", 64),
                            ("--lora-rank", 4),
                            ("--lora-dropout", 0.2), ("--schedule", "linear")):
            changed = list(words(self.data, output, "--resume"))
            if flag in changed:
                changed[changed.index(flag) + 1] = value
            else:
                changed += [flag, value]
            with self.subTest(flag):
                done = hearth.run(*changed)
                self.assert_refused(done, "finetune")
                self.assertIn(flag.strip("-").replace("-", "_"), done.stderr.replace("-", "_"))
        self.resume(output)
        self.assert_same_run(output, "after the refused tries")

    def test_changed_text_is_refused(self):
        output = self.half_done("text")
        other = hearth.text_file(self.folder, 3100, 5000, "other.txt")
        self.assert_refused(hearth.run(*words(other, output, "--resume")), "finetune", "data")

    def half_done(self, name):
        output = self.fresh(name)
        hearth.succeed(*words(self.data, output, "--stop-after", 5))
        return output

    def test_nothing_to_resume_is_refused(self):
        self.assert_refused(hearth.run(*words(self.data, self.folder / "none", "--resume")), "finetune", "resume")
        self.assertFalse((self.folder / "none").exists())

    def test_damaged_checkpoint_is_refused_or_passed_over(self):
        """Cutting any file of the newest checkpoint gives an error or the step before, never another result."""
        output = self.half_done("damaged")
        files = [p for p in output.rglob("*") if p.is_file() and p.parent != output]
        self.assertTrue(files, "checkpoints are kept in a folder below the output")
        largest = max(files, key=lambda p: (p.stat().st_mtime_ns, p.stat().st_size))
        largest.write_bytes(largest.read_bytes()[:largest.stat().st_size // 2])
        done = hearth.run(*words(self.data, output, "--resume"))
        if done.returncode == 0:
            self.assert_same_run(output, f"{largest.name} was cut")
        else:
            self.assert_refused(done, "finetune", largest.name)


class ResumeOfExamples(hearth.HearthTest):
    """Examples of a streamed .jsonl file: their order, rows and labels are found again."""

    def assert_same(self, got, wanted, how):
        records = [{r["step"]: tuple(r[key] for key in COMPARED) for r in hearth.step_records(run)} for run in (got, wanted)]
        self.assertEqual(records[0], records[1], how)
        self.assertEqual(set(records[1]), set(range(1, EXAMPLE_STEPS + 1)), how)
        self.assertTrue((got / "adapter_model.safetensors").read_bytes() == (wanted / "adapter_model.safetensors").read_bytes(), how)

    def test_examples_resume_anywhere(self):
        """Stopped at a step, or killed at any moment and gone on."""
        data, chance = write_examples(self.folder / "data.jsonl"), random.Random(SEED)
        for name, flags in EXAMPLES.items():
            whole, parts, killed = (self.folder / f"{name}-{what}" for what in ("whole", "parts", "killed"))
            begin = time.monotonic()
            hearth.succeed(*example_words(data, whole, *flags))
            step_s = (time.monotonic() - begin) / EXAMPLE_STEPS
            with self.subTest(name):
                stop = chance.randrange(1, EXAMPLE_STEPS)
                hearth.succeed(*example_words(data, parts, *flags, "--stop-after", stop))
                hearth.succeed(*example_words(data, parts, *flags, "--resume"))
                self.assert_same(parts, whole, f"HEARTH_SEED={SEED}, {name}: stopped after step {stop}")
            with self.subTest(name + " killed"):
                at = (chance.randrange(2 * SAVE_EVERY, EXAMPLE_STEPS), round(chance.random() * step_s, 4))
                if start_and_kill(hearth.command(*example_words(data, killed, *flags)), killed, *at):
                    hearth.succeed(*example_words(data, killed, *flags, "--resume"))
                self.assert_same(killed, whole, f"HEARTH_SEED={SEED}, {name}: killed at {at}")

    def test_changed_examples_are_refused(self):
        data, output = write_examples(self.folder / "change.jsonl"), self.folder / "changed"
        hearth.succeed(*example_words(data, output, "--packing", "--stop-after", 2))
        for flags in ((), ("--group-by-length",), ("--packing", "--loss-on", "all"), ("--packing", "--weight-decay", 0.1)):
            self.assert_refused(hearth.run(*example_words(data, output, *flags, "--resume")), "finetune", "resume")
        rows = data.read_text().splitlines()
        data.write_text("\n".join(rows[1:] + rows[:1]) + "\n")  # the same examples in another order
        self.assert_refused(hearth.run(*example_words(data, output, "--packing", "--resume")), "finetune", "data")


if __name__ == "__main__":
    unittest.main(argv=[word for word in sys.argv if word != "--long"])
