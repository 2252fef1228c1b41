#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every learning rate schedule, step by step, against transformers.get_scheduler."""
import itertools
import json
import math
import unittest

import torch
import transformers

import hearth_program as hearth
from llama_variants_test import make_model

RATE, STEPS, BATCHES_PER_EPOCH = 2e-3, 16, 4
# schedule: the parameters to try, as transformers takes them
FIXED = {
    "linear": [{}],
    "cosine": [{}, {"num_cycles": 1.25}],
    "cosine_with_restarts": [{}, {"num_cycles": 3}],
    "polynomial": [{}, {"lr_end": 1e-4, "power": 2.5}],
    "constant": [{}],
    "constant_with_warmup": [{}],
    "inverse_sqrt": [{}, {"timescale": 7}],
    "cosine_with_min_lr": [{"min_lr": 1e-4}, {"min_lr_rate": 0.3, "num_cycles": 0.75}],
    "cosine_warmup_with_min_lr": [{"min_lr": 1e-4}, {"min_lr_rate": 0.1, "warmup_lr_rate": 0.25}],
    "warmup_stable_decay": [{"num_decay_steps": 5},
                            {"num_decay_steps": 6, "decay_type": "linear", "warmup_type": "cosine", "min_lr_ratio": 0.1},
                            {"num_decay_steps": 4, "num_stable_steps": 3, "decay_type": "1-sqrt",
                             "warmup_type": "1-sqrt"}],
}
BY_LOSS = {
    "reduce_lr_on_plateau": [{"patience": 0, "factor": 0.5}, {"patience": 1, "threshold": 0.05, "cooldown": 2},
                             {"patience": 0, "threshold": 0.02, "threshold_mode": "abs", "min_lr": 5e-4}],
    "greedy": [{"patience": 1, "factor": 0.8, "max_lr": 4e-3}, {"patience": 0, "threshold": 0.1, "cooldown": 1, "warmup": 1},
               {"patience": 0, "smooth": True, "window_size": 3, "min_lr": 1.8e-3, "reset_start": 2}],
}


def setUpModule():
    hearth.need_program()


def words_of(parameters):
    if not parameters:
        return ()
    return "--schedule-args", ",".join(f"{k}={str(v).lower() if isinstance(v, bool) else v}" for k, v in parameters.items())


class Schedules(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = cls.folder / "base"
        cls.base.mkdir()
        make_model(cls.base, 6, hidden_size=16, intermediate_size=16, num_hidden_layers=1)
        cls.data = cls.folder / "data.jsonl"
        text = hearth.TEXT.read_text(encoding="utf-8")
        cls.data.write_text("".join(json.dumps({"text": text[40 * i:40 * i + 30]}) + "\n" for i in range(BATCHES_PER_EPOCH)))
        cls.runs = itertools.count()

    def words(self, output, schedule, parameters, *extra):
        return ("finetune", "--model", self.base, "--data", self.data, "--output", output, "--batch-size", 1,
                "--max-length", 16, "--max-steps", STEPS, "--lr", RATE, "--lora-rank", 1, "--schedule", schedule,
                *words_of(parameters), "--quiet", *extra)

    def run_with(self, schedule, parameters, *extra):
        output = self.folder / f"run-{next(self.runs)}"
        hearth.succeed(*self.words(output, schedule, parameters, *extra))
        return output

    def scheduler(self, schedule, parameters, warmup=0):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
        return optimizer, transformers.get_scheduler(schedule, optimizer, warmup, STEPS, parameters)

    def assert_rates(self, output, expected, what):
        rates = [record["learning_rate"] for record in hearth.step_records(output)]
        self.assertEqual(len(rates), len(expected), what)
        for step, (ours, theirs) in enumerate(zip(rates, expected)):
            self.assertLessEqual(abs(ours - theirs), 1e-14 * RATE + 1e-13 * theirs, f"{what}, step {step + 1}: {ours} {theirs}")

    def test_those_that_go_by_the_step(self):
        for schedule, choices in FIXED.items():
            warmups = (0,) if schedule == "constant" else (0, 5, 0.2)
            for index, (parameters, warmup) in enumerate(itertools.product(choices, warmups)):
                if len(choices) > 1 and index % 2 == 1 and warmup == 0.2:
                    continue
                what = f"{schedule} {parameters} warm-up {warmup}"
                with self.subTest(what):
                    output = self.run_with(schedule, parameters, "--warmup-steps", warmup)
                    steps = math.ceil(STEPS * warmup) if warmup < 1 else warmup
                    optimizer, scheduler = self.scheduler(schedule, parameters, steps)
                    expected = []
                    for _ in range(STEPS):
                        expected.append(optimizer.param_groups[0]["lr"])
                        optimizer.step()
                        scheduler.step()
                    self.assert_rates(output, expected, what)

    def expected_by_loss(self, schedule, parameters, output, evaluates):
        """The real scheduler, told the losses of the log: each step's, or those of the evaluations after each epoch."""
        optimizer, scheduler = self.scheduler(schedule, parameters)
        expected = []
        for record in hearth.read_log(output):
            if "loss" in record:
                expected.append(optimizer.param_groups[0]["lr"])
            if ("eval_loss" if evaluates else "loss") in record and record["step"] > 0:
                scheduler.step(record["eval_loss" if evaluates else "loss"])
        return expected

    def test_those_that_go_by_the_loss(self):
        for schedule, choices in BY_LOSS.items():
            changed = 0
            for parameters, evaluates in itertools.product(choices, (False, True)):
                what = f"{schedule} {parameters} {'evaluations' if evaluates else 'steps'}"
                with self.subTest(what):
                    output = self.run_with(schedule, parameters, *(("--eval-data", self.data) if evaluates else ()))
                    expected = self.expected_by_loss(schedule, parameters, output, evaluates)
                    changed += len(set(expected)) > 1
                    self.assert_rates(output, expected, what)
            self.assertGreaterEqual(changed, 3, f"{schedule}: the parameters tried change no rate")

    def test_their_state_is_in_checkpoints(self):
        for schedule, choices in BY_LOSS.items():
            for parameters, extra in itertools.product(choices, ((), ("--eval-data", self.data))):
                with self.subTest(f"{schedule} {parameters} {extra}"):
                    whole = self.run_with(schedule, parameters, *extra)
                    parts = self.run_with(schedule, parameters, *extra, "--stop-after", 7)
                    hearth.succeed(*self.words(parts, schedule, parameters, *extra, "--resume"))
                    kept = ("step", "loss", "eval_loss", "learning_rate")
                    self.assertEqual(*([{k: r[k] for k in kept if k in r} for r in hearth.read_log(folder)]
                                       for folder in (whole, parts)))

    def test_wrong_parameters_are_refused(self):
        for schedule, words, said in (
                ("linear", ("--schedule-args", "power=2"), "linear has no 'power'; it has no parameters"),
                ("cosine", ("--schedule-args", "num_cycle=2"), "did you mean num_cycles?"),
                ("cosine", ("--schedule-args", "num_cycles"), "is not like name=value"),
                ("cosine", ("--schedule-args", "num_cycles=1,num_cycles=2"), "'num_cycles' is given twice"),
                ("polynomial", ("--schedule-args", "power=0"), "must be above 0"),
                ("polynomial", ("--schedule-args", "lr_end=1"), "polynomial ends at 1"),
                ("warmup_stable_decay", ("--schedule-args", "num_decay_steps=3,decay_type=steep"), "is not one of linear"),
                ("warmup_stable_decay", (), "num_decay_steps"),
                ("cosine_with_min_lr", (), "min_lr"),
                ("cosine_with_min_lr", ("--schedule-args", "min_lr=1e-5,min_lr_rate=0.1"), "say the same"),
                ("greedy", ("--schedule-args", "factor=1"), "factor"),
                ("constant", ("--warmup-steps", 3), "constant_with_warmup"),
                ("greedy", ("--warmup-steps", 3), "no warm-up")):
            with self.subTest(f"{schedule} {words}"):
                done = hearth.run(*self.words(self.folder / "refused", schedule, {}, *words))
                self.assertIn(done.returncode, (1, 2))
                self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
