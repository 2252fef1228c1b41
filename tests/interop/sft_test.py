# SPDX-License-Identifier: Apache-2.0
"""Examples of jsonl files against the real tokenizer and chat template, by the rules of TRL's SFTTrainer: the same
tokens and the same labels; packed rows whose losses are those of the examples alone; large files in little memory.

HEARTH_BUILD names the folder with hearth_examples.
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

from transformers import AutoTokenizer

import hearth_program as hearth
from hearth_program import PROSE

MARKED = """{%- for m in messages %}{{ '<|' + m.role + '|>\\n' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content + eos_token }}{% endgeneration %}{{ '\\n' }}{% else %}{{ m.content + '\\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"""
PLAIN = MARKED.replace("{% generation %}", "").replace("{% endgeneration %}", "")
WORDS = ["the", "king", "said", "Go!", "café", "日本", "\n", "\n\n", " ", "😀", "I'm", "1984", "<s>", "…", "e\u0301", "tab\t", "--"]


def setUpModule():
    hearth.need_program()


def examples(model, file, check=True, **options):
    tool = os.path.join(os.environ["HEARTH_BUILD"], "hearth_examples")
    done = subprocess.run([tool, model, file, json.dumps(options)], capture_output=True, encoding="utf-8")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if check and (done.returncode or "error" in lines[0]):
        raise AssertionError(f"{lines[:1]} {done.stderr}")
    return lines[0], lines[1:]


class Examples(hearth.HearthTest):
    def setUp(self):
        super().setUp()
        self.rng = random.Random(5)
        self.model = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "model"
        shutil.copytree(PROSE, self.model)
        self.real = AutoTokenizer.from_pretrained(self.model)

    def template(self, text):
        (self.model / "chat_template.jinja").write_text(text, encoding="utf-8")
        self.real.chat_template = text

    def text(self, most=12):
        return self.rng.choice(["", " "]).join(self.rng.choice(WORDS) for _ in range(self.rng.randrange(1, most)))

    def messages(self):
        turns = [{"role": "system", "content": self.text()}] if self.rng.random() < 0.3 else []
        for _ in range(self.rng.randrange(1, 4)):
            turns += [{"role": "user", "content": self.text()}, {"role": "assistant", "content": self.text()}]
        return turns

    def write(self, rows, name="data.jsonl"):
        path = self.folder / name
        path.write_text("".join(json.dumps(row, ensure_ascii=self.rng.random() < 0.5) + "\n" for row in rows), encoding="utf-8")
        return path

    def compare(self, rows, wanted, max_length=4096, **options):
        """wanted: (ids, counts) of each row; a label is the next token, -100 where that does not count."""
        _, batches = examples(self.model, self.write(rows), max_length=max_length, **options)
        wanted = [(ids[:max_length], counts[:max_length]) for ids, counts in wanted if len(ids) > 1]
        self.assertEqual(len(batches), len(wanted))
        for batch, (ids, counts) in zip(batches, wanted):
            n = len(ids)
            labels = [token if count else -100 for token, count in zip(ids[1:], counts[1:])] + [-100]
            self.assertEqual(batch["tokens"][:n], ids)
            self.assertEqual(batch["labels"][:n], labels, self.real.decode(ids))
            self.assertEqual(set(batch["labels"][n:]), set() if batch["width"] == n else {-100})

    def test_texts_get_an_end(self):
        rows = [{"text": self.text()} for _ in range(200)] + [{"text": "already there</s>"}]
        eos = self.real.eos_token
        ids = [self.real(row["text"] if row["text"].endswith(eos) else row["text"] + eos)["input_ids"] for row in rows]
        self.compare(rows, [(i, [1] * len(i)) for i in ids])
        self.compare(rows, [(i, [1] * len(i)) for i in ids], max_length=9)
        head, _ = examples(self.model, self.write(rows), max_length=9)
        self.assertEqual(head["truncated"], sum(len(i) > 9 for i in ids))
        self.assertEqual(head["truncated_tokens"], sum(max(0, len(i) - 9) for i in ids))

    def test_completions_are_learnt_not_prompts(self):
        rows = [{"prompt": self.text() + self.rng.choice(["", ":", "\n"]), "completion": self.rng.choice(["", " "]) + self.text()} for _ in range(200)]
        wanted, whole = [], []
        for row in rows:
            prompt = self.real(row["prompt"])["input_ids"]
            text = row["prompt"] + row["completion"]
            ids = self.real(text if text.endswith("</s>") else text + "</s>")["input_ids"]
            wanted.append((ids, [0] * len(prompt) + [1] * (len(ids) - len(prompt))))
            whole.append((ids, [1] * len(ids)))
        self.compare(rows, wanted)
        self.compare(rows, whole, loss_on="all")

    def test_messages_and_their_assistant(self):
        rows = [{"messages": self.messages()} for _ in range(150)]
        for template in (MARKED, PLAIN):
            self.template(template)
            ids = [self.real.apply_chat_template(row["messages"], return_dict=False) for row in rows]
            self.compare(rows, [(i, [1] * len(i)) for i in ids])
        self.template(MARKED)
        masked = [self.real.apply_chat_template(row["messages"], return_dict=True, return_assistant_tokens_mask=True) for row in rows]
        self.compare(rows, [(m["input_ids"], m["assistant_masks"]) for m in masked], loss_on="assistant")

    def test_prompts_of_messages(self):
        self.template(PLAIN)
        rows = []
        for _ in range(100):
            turns = self.messages()
            rows.append({"prompt": turns[:-1], "completion": turns[-1:]})
        wanted = []
        for row in rows:
            prompt = self.real.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False)
            ids = self.real.apply_chat_template(row["prompt"] + row["completion"], return_dict=False)
            wanted.append((ids, [0] * len(prompt) + [1] * (len(ids) - len(prompt))))
        self.compare(rows, wanted)

    def test_packed_rows_hold_every_example_once(self):
        rows = [{"text": self.text(30)} for _ in range(300)]
        path = self.write(rows)
        head, batches = examples(self.model, path, max_length=64, packing=True)
        _, alone = examples(self.model, path, max_length=64)
        found = []
        for batch in batches:
            for segment in range(max(batch["segments"]) + 1):
                at = [i for i, s in enumerate(batch["segments"]) if s == segment]
                self.assertEqual([batch["positions"][i] for i in at], list(range(len(at))))
                found.append(([batch["tokens"][i] for i in at], [batch["labels"][i] for i in at]))
        wanted = []
        for batch in alone:
            n = max(i for i, label in enumerate(batch["labels"]) if label != -100) + 2
            wanted.append((batch["tokens"][:n], batch["labels"][:n]))
        self.assertEqual(sorted(found), sorted(wanted))
        self.assertLess(head["rows"] * 64 * 0.9, head["tokens"])  # rows are at least 90 % full

    def test_length_grouping_and_order(self):
        path = self.write([{"text": self.text(60)} for _ in range(400)])
        def padding(**options):
            _, batches = examples(self.model, path, max_length=256, batch_size=8, shuffle=True, **options)
            return sum(b["width"] * 8 for b in batches), [b["tokens"] for b in batches]
        mixed, one = padding()
        grouped, _ = padding(group_by_length=True)
        self.assertLess(grouped, mixed * 0.9)
        self.assertEqual(padding()[1], one)
        self.assertNotEqual(padding(epoch=1)[1], one)

    def test_errors_name_file_and_line(self):
        for rows, options, message in (
                (['{"text": "a b"}', '{"text": '], {}, "line 2"),
                (['{"text": 3}'], {}, "line 1: 'text' must be a text"),
                (['{"other": "x"}'], {}, "line 1: an example needs 'messages'"),
                (['{"messages": []}'], {}, "line 1: messages need a chat template"),
                (['[1]'], {}, "line 1: an example must be an object"),
                (['{"text": "a b"}'], {"loss_on": "assistant"}, "line 1: a plain text has no completion"),
                (['', ' '], {}, "has no example")):
            path = self.folder / "bad.jsonl"
            path.write_text("\n".join(rows), encoding="utf-8")
            head, _ = examples(self.model, path, check=False, **options)
            self.assertIn(message, head.get("error", ""), rows)

    def test_json_lists_and_field_names(self):
        rows = [{"body": self.text(30)} for _ in range(5)]
        (self.folder / "list.json").write_text(json.dumps(rows), encoding="utf-8")
        head, _ = examples(self.model, self.folder / "list.json", text_field="body")
        self.assertEqual(head["examples"], 5)

    def test_large_files_are_not_read_into_memory(self):
        line = "It was the best of times, it was the worst of times, it was the age of wisdom.\nAnd so on and on\n"
        sizes = {}
        for name, make in (("text.txt", lambda: line), ("rows.jsonl", lambda: json.dumps({"text": line * 8}) + "\n")):
            for megabytes in (8, 300):
                path = self.folder / name
                block = make() * (1 + (1 << 20) // len(make()))
                with open(path, "w", encoding="utf-8") as file:
                    for _ in range(megabytes):
                        file.write(block)
                head, _ = examples(self.model, path, max_length=1024, counts_only=True)
                sizes[name, megabytes] = head["memory_bytes"]
        for name in ("text.txt", "rows.jsonl"):
            # 64 MiB of tokens, 8 MB pieces and what their encoding takes; the file has 300 MB
            self.assertLess(sizes[name, 300], sizes[name, 8] + (160 << 20), sizes)

    def test_training_on_packed_rows_learns_what_examples_alone_teach(self):
        path = self.write([{"text": self.text(20)} for _ in range(24)])
        steps = {}
        for name, flags in (("packed", ("--packing", "--batch-size", 64)), ("alone", ("--batch-size", 24))):
            output = self.folder / name
            hearth.succeed("finetune", "--model", self.model, "--data", path, "--output", output, "--max-length", 64,
                           "--max-steps", 3, "--lr", 1e-2, "--no-shuffle", "--quiet", *flags)
            steps[name] = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
        for packed, alone in zip(steps["packed"], steps["alone"]):
            self.assertAlmostEqual(packed["loss"], alone["loss"], delta=2e-5 * alone["loss"])
            self.assertAlmostEqual(packed["grad_norm"], alone["grad_norm"], delta=2e-4 * alone["grad_norm"])

    def test_resume_with_packing_and_with_grouping_is_bit_exact(self):
        path = self.write([{"text": self.text(20)} for _ in range(60)])
        for name, flags in (("packing", ("--packing",)), ("grouping", ("--group-by-length",))):
            words = ("finetune", "--model", self.model, "--data", path, "--max-length", 64, "--max-steps", 9, "--batch-size", 2,
                     "--grad-accum", 2, "--lora-dropout", 0.1, "--lr", 1e-2, "--quiet", *flags)
            whole, parts = self.folder / (name + "1"), self.folder / (name + "2")
            hearth.succeed(*words, "--output", whole)
            hearth.succeed(*words, "--output", parts, "--stop-after", 4)
            hearth.succeed(*words, "--output", parts, "--resume")
            self.assertEqual((whole / "adapter_model.safetensors").read_bytes(), (parts / "adapter_model.safetensors").read_bytes(), name)


if __name__ == "__main__":
    unittest.main()
