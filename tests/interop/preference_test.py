# SPDX-License-Identifier: Apache-2.0
"""Preference tuning against PyTorch and PEFT: the losses of Rafailov et al. 2023 (sigmoid, with and without label
smoothing), Azar et al. 2023 (ipo, mean log-probabilities as TRL has it) and Zhao et al. 2023 (hinge), written here from
the papers; the same pairs, step by step."""
import json
import random
import shutil
import unittest

import peft
import torch
import torch.nn.functional as F
from transformers import AutoTokenizer

import hearth_program as hearth
from hearth_program import PROSE

WORDS = ["the", "king", "said", "go", "café", "dark", "river", "of", "time", "and", "never", "home", "I", "am", "not"]
TEMPLATE = "{%- for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
RATE, BETA = 1e-3, 0.3
# A loss is made of differences of log-probabilities near -50, each good to 1e-6 of itself: measured 1.1e-5 of 0.75.
LOSS_TOLERANCE, GRAD_NORM_TOLERANCE = 3e-5, 1e-4


def setUpModule():
    hearth.need_program()


def log_probs(model, answers, mean=False):
    """Of each (ids, prompt length): the sum (or mean) of the answer's log-probabilities."""
    longest = max(len(ids) for ids, _ in answers)
    rows = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in answers])  # padded behind: causal
    picked = torch.log_softmax(model(input_ids=rows).logits[:, :-1], -1).gather(2, rows[:, 1:, None])[..., 0]
    counts = torch.tensor([[start - 1 <= i < len(ids) - 1 for i in range(longest - 1)] for ids, start in answers])
    sums = (picked * counts).sum(1)
    return sums / counts.sum(1) if mean else sums


def pair_loss(d, kind, smoothing):
    if kind == "ipo":
        return (d - 1 / (2 * BETA)) ** 2
    if kind == "hinge":
        return F.relu(1 - BETA * d)
    return -(1 - smoothing) * F.logsigmoid(BETA * d) - smoothing * F.logsigmoid(-BETA * d)


class Preferences(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.folder / "model"
        shutil.copytree(PROSE, cls.model)
        (cls.model / "chat_template.jinja").write_text(TEMPLATE)
        cls.real = AutoTokenizer.from_pretrained(cls.model)
        cls.rng = random.Random(3)
        torch.manual_seed(4)
        model = peft.get_peft_model(hearth.load(PROSE), peft.LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]))
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.02)  # an adapter that says something: the reference has it too
        cls.adapter = cls.folder / "adapter"
        model.save_pretrained(cls.adapter)

    def text(self, most):
        return " ".join(self.rng.choice(WORDS) for _ in range(self.rng.randrange(2, most)))

    def pairs(self, count):
        return [{"prompt": self.text(12), "chosen": " " + self.text(14), "rejected": " " + self.text(14)} for _ in range(count)]

    def tokens(self, row):
        """[(ids, prompt length)] of chosen and rejected."""
        prompt = len(self.real(row["prompt"])["input_ids"])
        return [(self.real(row["prompt"] + row[name] + "</s>")["input_ids"], prompt) for name in ("chosen", "rejected")]

    def chat(self, row):
        """The same pair as conversations."""
        begin = [{"role": "user", "content": row["prompt"]}]
        return {"prompt": begin, **{name: [{"role": "assistant", "content": row[name]}] for name in ("chosen", "rejected")}}

    def chat_tokens(self, row):
        prompt = len(self.real.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False))
        return [(self.real.apply_chat_template(row["prompt"] + row[name], return_dict=False), prompt) for name in ("chosen", "rejected")]

    def write(self, rows, name="pairs.jsonl"):
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    def torch_run(self, pairs, batch, steps, kind="sigmoid", smoothing=0.0):
        """Loss, gradient norm and metrics of each step; pairs are lists of two answers."""
        model = peft.PeftModel.from_pretrained(hearth.load(PROSE), self.adapter, is_trainable=True)
        parameters = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0)
        with torch.no_grad():
            reference = [log_probs(model, pair, kind == "ipo") for pair in pairs]
        records = []
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = RATE * (1 - step / steps)
            part = range(step * batch, (step + 1) * batch)
            policy = log_probs(model, [answer for i in part for answer in pairs[i]], kind == "ipo").view(-1, 2)
            ratios = policy - torch.stack([reference[i] for i in part])
            loss = pair_loss(ratios[:, 0] - ratios[:, 1], kind, smoothing).mean()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            rewards = BETA * ratios.detach()
            clear = float(rewards.diff(dim=1).abs().min()) > 1e-4  # before the first step all are 0 but for rounding
            records.append({"clear": clear, "loss": float(loss.detach()), "grad_norm": float(norm),
                            "rewards/accuracies": float((rewards[:, 0] > rewards[:, 1]).float().mean()),
                            "rewards/margins": float((rewards[:, 0] - rewards[:, 1]).mean()),
                            "rewards/chosen": float(rewards[:, 0].mean()), "rewards/rejected": float(rewards[:, 1].mean()),
                            "logps/chosen": float(policy[:, 0].mean()), "logps/rejected": float(policy[:, 1].mean())})
        return records

    def words(self, output, data, steps, *flags):
        return ("finetune", "--model", self.model, "--adapter", self.adapter, "--data", data, "--output", self.folder / output, "--objective", "dpo",
                "--beta", BETA, "--lr", RATE, "--max-steps", steps, "--no-shuffle", "--quiet", *flags)

    def compare(self, name, rows, pairs, batch, steps, *flags, **kind):
        hearth.succeed(*self.words(name, self.write(rows, name + ".jsonl"), steps, "--batch-size", batch, *flags))
        ours, theirs = hearth.step_records(self.folder / name), self.torch_run(pairs, kind.pop("torch_batch", batch), steps, **kind)
        self.assertEqual(len(ours), steps)
        for our, their in zip(ours, theirs):
            self.assert_close(our["loss"], their["loss"], LOSS_TOLERANCE, f"{name}, loss of step {our['step']}")
            self.assert_close(our["grad_norm"], their["grad_norm"], GRAD_NORM_TOLERANCE, f"{name}, gradient of step {our['step']}")
            clear = their.pop("clear")
            for metric, value in their.items():
                if metric == "rewards/accuracies" and not clear:
                    continue
                # differences of log-probabilities near -50, each good to 1e-6 of itself
                self.assertLess(abs(our[metric] - value), 1e-4 + 1e-5 * abs(value), f"{name}: {metric} of step {our['step']}")

    def test_twenty_steps_of_dpo(self):
        rows = self.pairs(80)
        self.compare("dpo", rows, [self.tokens(row) for row in rows], 4, 20)

    def test_the_other_losses_and_conversations(self):
        rows = self.pairs(12)
        plain = [self.tokens(row) for row in rows]
        self.compare("smooth", rows, plain, 4, 3, "--dpo-label-smoothing", 0.2, smoothing=0.2)
        self.compare("hinge", rows, plain, 4, 3, "--dpo-loss", "hinge", kind="hinge")
        chats = [self.chat(row) for row in rows]
        tokens = [self.chat_tokens(row) for row in chats]
        self.compare("ipo", chats, tokens, 4, 3, "--dpo-loss", "ipo", kind="ipo")
        whole = [{name: row["prompt"] + row[name] for name in ("chosen", "rejected")} for row in chats]  # no prompt named
        self.compare("accumulated", whole, tokens, 2, 3, "--grad-accum", 2, torch_batch=4)

    def test_a_new_adapter_begins_at_log_2_and_held_out_pairs_are_reported(self):
        rows = self.pairs(9)
        path = self.write(rows)
        words = ["finetune", "--model", self.model, "--data", path, "--eval-data", path, "--output", self.folder / "new", "--objective", "dpo",
                 "--batch-size", 2, "--epochs", 6, "--lr", 1e-2]
        result = hearth.succeed_json(*words, "--quiet")
        first, last = result["evaluations"][0], result["evaluations"][-1]
        self.assertAlmostEqual(first["loss"], 0.6931472, delta=1e-5)  # log 2: nothing is preferred yet
        self.assertLess(last["loss"], 0.3)
        self.assertEqual(last["accuracy"], 1.0)
        self.assertEqual(last["rewards/accuracies"], 1.0)
        self.assertGreater(last["rewards/margins"], 1)
        record = [r for r in hearth.read_log(self.folder / "new") if "eval_loss" in r][-1]
        self.assertEqual(record["eval_rewards/margins"], last["rewards/margins"])
        self.assertNotIn("perplexity", last)

    def test_resume_is_bit_exact(self):
        path = self.write(self.pairs(11))
        def words(name, *flags):
            return self.words(name, path, 9, "--batch-size", 2, "--grad-accum", 2, "--group-by-length", *flags)
        hearth.succeed(*words("whole"))
        hearth.succeed(*words("parts", "--stop-after", 4))
        hearth.succeed(*words("parts", "--resume"))
        whole, parts = self.folder / "whole", self.folder / "parts"
        self.assertEqual((whole / "adapter_model.safetensors").read_bytes(), (parts / "adapter_model.safetensors").read_bytes())
        self.assertEqual([r["rewards/margins"] for r in hearth.step_records(whole)], [r["rewards/margins"] for r in hearth.step_records(parts)])
        done = hearth.run(*words("parts", "--resume", "--dpo-loss", "hinge"))
        self.assert_refused(done, "finetune", "dpo-loss")

    def test_what_is_cut_off_is_counted(self):
        rows = self.pairs(4) + [{"prompt": "the king " * 40, "chosen": "a", "rejected": "b"}]
        plan = hearth.succeed_json(*self.words("cut", self.write(rows), 1, "--max-length", 48, "--dry-run"))
        self.assertEqual((plan["examples"], plan["left_out_pairs"]), (8, 1))

    def test_what_is_refused(self):
        good = {"prompt": "a", "chosen": "b", "rejected": "c"}
        def refused(row, *words):
            path = self.folder / "bad.jsonl"
            path.write_text(json.dumps(good) + "\n" + json.dumps(row) + "\n")
            self.assert_refused(hearth.run(*self.words("bad", path, 1)), "finetune", *words)
        refused({"prompt": "a", "chosen": "b"}, "line 2: a preference needs 'rejected'")
        refused(good | {"chosen": 3}, "line 2: a preference needs 'chosen'")
        refused({"chosen": "b", "rejected": "c"}, "line 2: a preference of texts needs 'prompt'")
        refused(good | {"prompt": [{"role": "user", "content": "a"}]}, "line 2: 'prompt' and 'chosen' must both be")
        same = [{"role": "user", "content": "a"}]
        refused({"chosen": same, "rejected": same}, "line 2: 'chosen' and 'rejected' hold the same messages")
        refused([1], "line 2: a preference must be an object")
        text = hearth.text_file(self.folder, 500)
        self.assert_refused(hearth.run(*self.words("bad", text, 1)), "finetune", "pairs of answers come in a .jsonl or .json file")
        path = self.write([good])
        for words, message in (((*self.words("bad", path, 1), "--packing"), "--packing does not go with --objective dpo"),
                               ((*self.words("bad", path, 1), "--label-smoothing", 0.1), "; --dpo-label-smoothing smooths those"),
                               ((*self.words("bad", path, 1), "--z-loss", 0.1), "--z-loss does not go with --objective dpo"),
                               ((*self.words("bad", path, 1), "--loss-on", "all"), "--loss-on does not go with --objective dpo"),
                               ((*self.words("bad", path, 1, "--dpo-loss", "ipo"), "--dpo-label-smoothing", 0.1), "belongs to --dpo-loss sigmoid"),
                               (("finetune", "--model", PROSE, "--data", path, "--output", self.folder / "bad", "--beta", 1), "--beta belongs to --objective dpo")):
            done = hearth.run(*words)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(message, done.stderr)
        self.assertFalse((self.folder / "bad").exists())


if __name__ == "__main__":
    unittest.main()
