#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every optimizer over 20 steps of LoRA with biases, a norm and the output layer, against torch.optim, transformers, or
the paper written out; continued from a checkpoint bit for bit; and the memory of its states."""
import contextlib
import unittest
import unittest.mock

import torch
import transformers
from transformers.trainer_pt_utils import get_parameter_names

import hearth_program as hearth
from llama_variants_test import make_model
from peft_test import all_tensors
from peft_training import shaken_adapter, train_with_peft

BLOCK, BATCH, STEPS, RATE, DECAY = 32, 2, 20, 2e-3, 0.1
NO_DECAY = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]  # transformers' Trainer


def setUpModule():
    hearth.need_program()


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, arXiv:2302.06675, algorithm 2."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                beta1, beta2 = group["betas"]
                update = torch.sign(beta1 * m + (1 - beta1) * p.grad)
                p -= group["lr"] * (update + group["weight_decay"] * p)
                m.copy_(beta2 * m + (1 - beta2) * p.grad)


def dynamic_map(signed):
    """Dettmers et al. 2022, arXiv:2110.02861, as bitsandbytes lays it out: 256 values in rising order."""
    values = [0.0, 1.0]
    for exponent in range(7):
        edges = torch.linspace(0.1, 1, 2 ** (exponent + (not signed)) + 1, dtype=torch.float64)
        middles = ((edges[1:] + edges[:-1]) / 2 * 10.0 ** (exponent - 6)).tolist()
        values += middles + ([-x for x in middles] if signed else [])
    return torch.tensor(sorted(values))


class AdamW8bit(torch.optim.Optimizer):
    """Section 2 of the same: AdamW that rounds its moments to 8 bits after each step, in blocks of 256."""

    MAPS = {name: dynamic_map(name == "m") for name in "mv"}

    def rounded(self, x, name):
        flat = torch.nn.functional.pad(x.flatten(), (0, -x.numel() % 256)).view(-1, 256).double()
        scale = flat.abs().amax(1, keepdim=True)
        values = self.MAPS[name]
        middles = (values[1:] + values[:-1]) / 2
        codes = torch.bucketize(flat / torch.where(scale > 0, scale, 1), middles, right=True)
        return (values[codes] * scale).float().flatten()[:x.numel()].view_as(x)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            group["t"] = group.get("t", 0) + 1
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                state = self.state[p]
                for name, beta, gradient in (("m", beta1, p.grad), ("v", beta2, p.grad**2)):
                    state[name] = beta * state.get(name, torch.zeros_like(p)) + (1 - beta) * gradient
                update = state["m"] / (1 - beta1**group["t"]) / ((state["v"] / (1 - beta2**group["t"])).sqrt() + 1e-8)
                p -= group["lr"] * (update + group["weight_decay"] * p)
                for name in "mv":
                    state[name] = self.rounded(state[name], name)


@contextlib.contextmanager
def muon_in_f32():
    """torch.optim.Muon rounds its matrix products to bf16; without that it is the formula that Hearth computes."""
    with unittest.mock.patch.object(torch.Tensor, "bfloat16", lambda x: x.clone()):
        yield


class Groups:
    """The trained parameters, as transformers' Trainer parts them, and with Muon's by the words of torch's document."""

    def __init__(self, model):
        decaying = set(get_parameter_names(model, [torch.nn.LayerNorm], NO_DECAY))
        self.all = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        self.decay = [p for n, p in self.all if n in decaying]
        self.still = [p for n, p in self.all if n not in decaying]
        self.hidden = [p for n, p in self.all if p.dim() == 2 and "lora_" in n]

    def of(self, maker, **options):
        return [maker([{"params": self.decay, "weight_decay": DECAY}, {"params": self.still, "weight_decay": 0}],
                      **options)]

    def muon(self, **options):
        hidden = {id(p) for p in self.hidden}
        rest = [[p for p in part if id(p) not in hidden] for part in (self.decay, self.still)]
        return [torch.optim.Muon(self.hidden, lr=RATE, weight_decay=DECAY, **options),
                torch.optim.AdamW([{"params": rest[0], "weight_decay": DECAY}, {"params": rest[1], "weight_decay": 0}],
                                  lr=RATE)]

    def by_defaults(self, cls, **defaults):
        return self.of(lambda groups: cls(groups, {"lr": RATE, "weight_decay": 0, **defaults}))


ADAFACTOR = {"lr": RATE, "relative_step": False, "warmup_init": False}
# name: (flags, how torch has it, relative tolerance of losses, and of norms). Measured on the way: at most a third.
OPTIMIZERS = {
    "adamw": (["adamw"], lambda g: g.of(torch.optim.AdamW, lr=RATE), 1e-5, 1e-4),
    "adamw-betas": (["adamw", "beta1=0.8,beta2=0.95,eps=1e-6"],
                    lambda g: g.of(torch.optim.AdamW, lr=RATE, betas=(0.8, 0.95), eps=1e-6), 1e-5, 1e-4),
    "sgd": (["sgd"], lambda g: g.of(torch.optim.SGD, lr=RATE), 1e-5, 1e-4),
    "sgd-momentum": (["sgd", "momentum=0.9,dampening=0.2"],
                     lambda g: g.of(torch.optim.SGD, lr=RATE, momentum=0.9, dampening=0.2), 1e-5, 1e-4),
    "sgd-nesterov": (["sgd", "momentum=0.9,nesterov=true"],
                     lambda g: g.of(torch.optim.SGD, lr=RATE, momentum=0.9, nesterov=True), 1e-5, 1e-4),
    "adafactor": (["adafactor"], lambda g: g.of(transformers.Adafactor, scale_parameter=False, **ADAFACTOR), 1e-5, 1e-4),
    "adafactor-scaled": (["adafactor", "scale_parameter=true,beta1=0.9,clip_threshold=0.7,decay_rate=-0.6"],
                         lambda g: g.of(transformers.Adafactor, scale_parameter=True, beta1=0.9, clip_threshold=0.7,
                                        decay_rate=-0.6, **ADAFACTOR), 1e-5, 1e-4),
    "lion": (["lion"], lambda g: g.by_defaults(Lion, betas=(0.9, 0.99)), 1e-5, 1e-4),
    "muon": (["muon"], lambda g: g.muon(), 1e-5, 1e-4),
    "muon-matched": (["muon", "nesterov=false,momentum=0.9,adjust_lr_fn=match_rms_adamw,ns_steps=4"],
                     lambda g: g.muon(nesterov=False, momentum=0.9, adjust_lr_fn="match_rms_adamw", ns_steps=4), 1e-5,
                     1e-4),
    "adamw_8bit": (["adamw_8bit", "min_8bit_size=0"], lambda g: g.by_defaults(AdamW8bit, betas=(0.9, 0.999)), 1e-5, 1e-4),
}


class Optimizers(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = cls.folder / "base"
        cls.base.mkdir()
        make_model(cls.base, 6, attention_bias=True)
        cls.rows, cls.data = hearth.training_blocks(cls.folder, cls.base, 6000, BLOCK, STEPS * BATCH)
        cls.start = cls.folder / "start"
        cls.peft_model().save_pretrained(cls.start)

    @classmethod
    def peft_model(cls):
        return shaken_adapter(cls.base, r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM",
                              bias="all", modules_to_save=["norm", "lm_head"])

    def finetune(self, out, flags, *extra, adapter=True):
        name, *arguments = flags
        hearth.succeed("finetune", "--model", self.base, *(("--adapter", self.start) if adapter else ()), "--data",
                       self.data, "--output", out, "--max-steps", STEPS, "--batch-size", BATCH, "--block-size", BLOCK, "--lr",
                       RATE, "--weight-decay", DECAY, "--no-shuffle", "--quiet", "--optimizer", name,
                       *(("--optimizer-args", *arguments) if arguments else ()), *extra)
        return hearth.step_records(out)

    def compare(self, name, records, wanted, tolerance, norm_tolerance):
        worst = [0, 0]
        for record, (loss, norm) in zip(records, wanted, strict=True):
            self.assert_close(record["loss"], loss, tolerance, f"{name}: loss of step {record['step']}")
            self.assert_close(record["grad_norm"], norm, norm_tolerance, f"{name}: norm of step {record['step']}")
            worst = [max(worst[0], abs(record["loss"] / loss - 1)), max(worst[1], abs(record["grad_norm"] / norm - 1))]
        print(f"{name}: loss off by {worst[0]:.1e}, norm by {worst[1]:.1e}")

    def test_training_follows(self):
        plain = None
        for name, (flags, make, tolerance, norm_tolerance) in OPTIMIZERS.items():
            with self.subTest(name), muon_in_f32():
                model = self.peft_model().train()
                wanted = train_with_peft(model, self.rows, BATCH, STEPS, RATE, optimizers=make(Groups(model)))
                self.compare(name, self.finetune(self.folder / name, flags), wanted, tolerance, norm_tolerance)
                plain = plain or wanted
                if name != "adamw":
                    self.assertGreater(abs(wanted[-1][0] / plain[-1][0] - 1), 2e-5 if "8bit" in name else 1e-4,
                                       "as if it were adamw")

    def test_muon_of_torch_in_bf16_is_near(self):
        model = self.peft_model().train()
        wanted = train_with_peft(model, self.rows, BATCH, STEPS, RATE, optimizers=Groups(model).muon())
        for extra, tolerance in (((), 3e-3), (("--dtype", "bf16"), 1e-2)):
            for record, (loss, _) in zip(self.finetune(self.folder / f"muon{len(extra)}", ["muon"], *extra), wanted):
                self.assert_close(record["loss"], loss, tolerance, f"step {record['step']} {extra}")

    def test_continued_bit_for_bit(self):
        """Accumulating and not, with dropout, across an epoch."""
        for name, (flags, *_) in OPTIMIZERS.items():
            if "-" in name and name != "sgd-momentum":
                continue
            for extra in (["--grad-accum", "2"], ["--save-every", "4"]):
                with self.subTest(f"{name} {extra}"):
                    more = [*extra, "--lora-dropout", 0.1, "--seed", 3, "--lora-rank", 16, "--max-steps", 9]
                    whole, parts = (self.folder / f"{kind}-{name}{extra[0]}" for kind in ("whole", "parts"))
                    records = self.finetune_new(whole, flags, more)
                    self.finetune_new(parts, flags, [*more, "--stop-after", 5])
                    again = self.finetune_new(parts, flags, [*more, "--resume"])
                    keys = ("step", "loss", "grad_norm", "learning_rate")
                    self.assertEqual(*([[r[k] for k in keys] for r in run] for run in (records, again)))
                    before, after = all_tensors(whole), all_tensors(parts)
                    self.assertEqual([k for k in before if not torch.equal(before[k], after[k])], [])

    def finetune_new(self, out, flags, more):
        name, *arguments = flags
        hearth.succeed("finetune", "--model", self.base, "--data", self.data, "--output", out, "--batch-size", BATCH,
                       "--block-size", BLOCK, "--lr", RATE, "--weight-decay", DECAY, "--quiet", "--optimizer", name,
                       *(("--optimizer-args", *arguments) if arguments else ()), *more)
        return hearth.step_records(out)

    def test_another_optimizer_cannot_go_on(self):
        out = self.folder / "changed"
        self.finetune(out, ["lion"], "--stop-after", 2)
        for flags in (["adamw"], ["lion", "beta1=0.8"]):
            done = hearth.run("finetune", "--model", self.base, "--adapter", self.start, "--data", self.data, "--output",
                              out, "--max-steps", STEPS, "--batch-size", BATCH, "--block-size", BLOCK, "--lr", RATE,
                              "--weight-decay", DECAY, "--no-shuffle", "--quiet", "--optimizer", flags[0],
                              *(("--optimizer-args", flags[1]) if flags[1:] else ()), "--resume")
            self.assert_refused(done, "finetune", "optimizer")

    def test_memory_of_the_states(self):
        """What --dry-run says, and what a checkpoint holds: bytes a number."""
        sizes = {}
        for name in ("adamw", "sgd", "adafactor", "lion", "muon", "adamw_8bit"):
            out = self.folder / f"memory-{name}"
            words = ("finetune", "--model", hearth.PROSE, "--data", hearth.TEXT, "--output", out, "--max-steps", 1,
                     "--batch-size", 1, "--block-size", 32, "--lora-rank", 64, "--lora-targets", "all-linear", "--optimizer",
                     name, "--quiet")
            plan = hearth.succeed_json(*words, "--dry-run")
            hearth.succeed(*words)
            states = sum(t.numel() * t.element_size() for t in self.states(out / "checkpoint-1").values())
            self.assertEqual(plan["memory"]["optimizer"], states + 4 * plan["trainable_parameters"], name)
            sizes[name] = states / plan["trainable_parameters"]
        self.assertEqual({name: sizes[name] for name in ("adamw", "sgd", "lion", "muon")},
                         {"adamw": 8, "sgd": 0, "lion": 4, "muon": 4})
        self.assertLess(sizes["adafactor"], 0.1)
        self.assertLess(sizes["adamw_8bit"], 2.04)

    @staticmethod
    def states(checkpoint):
        from safetensors.torch import load_file
        return load_file(checkpoint / "optimizer.safetensors")


if __name__ == "__main__":
    unittest.main()
