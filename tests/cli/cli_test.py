#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line as Unix users expect it: help, dry runs, configuration files, JSON, quiet, completion, signals."""
import json
import math
import re
import signal
import subprocess
import time
import unittest

from cli_program import CliTest, find_key, hearth

PROSE = hearth.PROSE
COMMANDS = ("finetune", "generate", "chat", "evaluate", "merge", "combine", "convert", "info", "inspect")
FINETUNE_DEFAULTS = {"lora-rank": "8", "lora-alpha": "16", "lora-dropout": "0", "lora-targets": "PEFT's for the",
                     "blocks": "stream", "block-size": "256", "batch-size": "8", "grad-accum": "1", "epochs": "3",
                     "lr": "2e-4|0.0002|2e-04", "schedule": "linear", "warmup-steps": "0", "weight-decay": "0",
                     "clip": "1", "seed": "0", "dtype": "f32"}
FINETUNE_FLAGS = (*FINETUNE_DEFAULTS, "model", "data", "output", "adapter", "max-steps", "no-shuffle", "eval-data",
                  "save-every", "resume", "threads", "checkpointing", "config", "dry-run", "quiet", "json")
CRASHES = {-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL, 134, 139}


def setUpModule():
    hearth.need_program()


class Help(CliTest):
    def entry(self, text, flag):
        """The help of one flag: from its name to the next line that begins with a flag."""
        found = re.search(rf"^\s+(?:-\w, ?)?--{flag}\b.*(?:\n(?!\s+-).*)*", text, re.M)
        self.assertIsNotNone(found, f"--{flag} is not in --help")
        return found.group(0)

    def test_every_command_has_help(self):
        top = hearth.succeed("--help")
        for name in COMMANDS:
            with self.subTest(name):
                self.assertIn(name, top)
                done = hearth.run(name, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertGreater(len(done.stdout.splitlines()), 3)

    def test_finetune_shows_its_defaults(self):
        text = hearth.succeed("finetune", "--help")
        for flag in FINETUNE_FLAGS:
            self.entry(text, flag)
        for flag, value in FINETUNE_DEFAULTS.items():
            with self.subTest(flag):
                self.assertRegex(self.entry(text, flag), rf"(?<![\w.])({value})(?![\w])")

    def test_generate_evaluate_merge_have_their_flags(self):
        flags = {"generate": ("model", "adapter", "prompt", "max-tokens", "temperature", "top-k", "top-p", "seed",
                              "json"),
                 "evaluate": ("model", "adapter", "compare", "data", "questions", "details", "delimiter",
                              "mutual-information", "loss-on", "block-size", "json"),
                 "merge": ("model", "adapter", "output"),
                 "convert": ("model", "output", "dtype", "format", "max-shard-size", "quiet", "json")}
        for name, names in flags.items():
            text = hearth.succeed(name, "--help")
            for flag in names:
                self.entry(text, flag)

    def test_version(self):
        self.assertRegex(hearth.succeed("--version"), r"\d+\.\d+")


class DryRun(CliTest):
    def dry(self, *words):
        return hearth.succeed_json(*words, "--dry-run")

    def test_says_what_would_happen_and_does_nothing(self):
        output = self.folder / "dry"
        words = ("finetune", "--model", PROSE, "--data", self.data, "--output", output, "--block-size", 64,
                 "--batch-size", 4,
                 "--grad-accum", 2, "--epochs", 3)
        plan = self.dry(*words)
        blocks = len(hearth.blocks(PROSE, self.data, 64))
        self.assertEqual(find_key(plan, "steps"), 3 * math.ceil(math.ceil(blocks / 4) / 2))
        self.assertEqual(find_key(plan, "trainable_parameters"), 81920)
        self.assertAlmostEqual(find_key(plan, "trainable_percent"), 100 * 81920 / (15735168 + 81920), delta=0.01)
        self.assertGreater(find_key(plan, "tokens"), 0)
        self.assertEqual(find_key(plan, "lora_rank"), 8)
        self.assertFalse(output.exists())
        text = hearth.succeed(*words, "--dry-run")
        for word in ("81920", "%", "steps", "memory", "lora"):
            self.assertIn(word, text.lower().replace(",", "").replace("81 920", "81920"))

    def test_memory_is_within_a_tenth_of_the_peak(self):
        jobs = {"f32": ("--batch-size", 8, "--block-size", 256),
                "bf16": ("--batch-size", 4, "--block-size", 128, "--dtype", "bf16", "--lora-targets", "all-linear"),
                "checkpointing": ("--batch-size", 8, "--block-size", 256, "--checkpointing"),
                "accumulation": ("--batch-size", 2, "--block-size", 128, "--grad-accum", 2, "--lora-dropout", 0.1)}
        data = hearth.text_file(self.folder, 60000, 0, "longer.txt")
        for name, flags in jobs.items():
            with self.subTest(name):
                output = self.folder / f"memory-{name}"
                words = ("finetune", "--model", PROSE, "--data", data, "--output", output, "--max-steps", 4, *flags)
                said = find_key(self.dry(*words), "memory_bytes")
                hearth.succeed(*words, "--quiet")
                peaks = [record["memory_bytes"] for record in hearth.step_records(output)]
                self.assertLessEqual(abs(said / max(peaks) - 1), 0.1,
                                     f"said {said / 2**20:.1f} MiB, took {max(peaks) / 2**20:.1f} MiB")
                self.assertLessEqual(peaks[-1], peaks[1] * 1.01, "memory grows after step 2")


class Output(CliTest):
    def test_finetune_leaves_its_files(self):
        output = self.folder / "files"
        hearth.succeed(*self.finetune_words(output))
        for name in ("adapter_config.json", "adapter_model.safetensors", "log.jsonl"):
            self.assertTrue((output / name).is_file(), name)
        pictures = [p for p in output.rglob("*.svg")]
        self.assertTrue(pictures and pictures[0].read_text().lstrip().startswith(("<svg", "<?xml")))
        self.assertTrue(list(output.rglob("events.out.tfevents.*")))
        self.assertEqual([p.name for p in output.rglob("*") if ".tmp" in p.name], [])
        for step, record in enumerate(hearth.step_records(output), 1):
            keys = {"step", "loss", "grad_norm", "learning_rate", "tokens_per_second", "memory_bytes"}
            self.assertLessEqual(keys, set(record))
            self.assertEqual(record["step"], step)

    def test_quiet_is_quiet(self):
        done = hearth.run(*self.finetune_words(self.folder / "quiet", "--quiet"))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_json_parses(self):
        adapter = self.folder / "for-json"
        self.assertIsInstance(hearth.succeed_json(*self.finetune_words(adapter)), dict)
        info = hearth.succeed_json("info", "--model", self.tiny)
        self.assertIn("llama", json.dumps(info))
        result = hearth.succeed_json("evaluate", "--model", self.tiny, "--adapter", adapter, "--data", self.data,
                                     "--block-size", 32)
        self.assertAlmostEqual(math.exp(result["loss"]), result["perplexity"], delta=1e-4 * result["perplexity"])
        self.assertEqual(result["tokens"], len(hearth.blocks(self.tiny, self.data, 32)) * 31)
        result = hearth.succeed_json("generate", "--model", self.tiny, "--prompt", "To be", "--max-tokens", 5,
                                     "--temperature", 0)
        for key in ("text", "token_ids", "prefill_tokens_per_second", "decode_tokens_per_second"):
            self.assertIn(key, result)
        self.assertLessEqual(len(result["token_ids"]), 5)

    def test_json_alone_on_stdout(self):
        for words in (("info", "--model", self.tiny),
                      ("evaluate", "--model", self.tiny, "--data", self.data, "--block-size", 32)):
            out = hearth.succeed(*words, "--json")
            self.assertIsInstance(json.loads(out), dict)

    def test_same_seed_same_text(self):
        words = ("generate", "--model", PROSE, "--prompt", "The night", "--max-tokens", 16, "--temperature", 0.9,
                 "--top-p", 0.95,
                 "--top-k", 50)
        texts = [hearth.succeed_json(*words, "--seed", seed)["text"] for seed in (1, 1, 2, 3)]
        self.assertEqual(texts[0], texts[1])
        self.assertGreater(len(set(texts)), 1)


class Config(CliTest):
    def resolved(self, *words):
        return hearth.succeed_json("finetune", *words, "--dry-run")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def files(self, rank):
        values = {"model": str(self.tiny), "data": str(self.data), "output": str(self.folder / "out"),
                  "lora-rank": rank,
                  "block-size": 32, "lora-targets": "all-linear", "no-shuffle": True, "lr": 1e-3}
        lines = [f"{k}: {json.dumps(v) if isinstance(v, bool) else v}\n" for k, v in values.items()]
        yaml = "# a comment\n" + "".join(lines)
        return self.write("c.json", json.dumps(values)), self.write("c.yaml", yaml)

    def test_json_and_yaml(self):
        for path in self.files(5):
            with self.subTest(path.suffix):
                plan = self.resolved("--config", path)
                self.assertEqual((find_key(plan, "lora_rank"), find_key(plan, "block_size")), (5, 32))
                self.assertEqual(find_key(plan, "lora_targets"), "all-linear")

    def test_the_command_line_wins(self):
        for path in self.files(5):
            self.assertEqual(find_key(self.resolved("--config", path, "--lora-rank", 3), "lora_rank"), 3)

    def test_unknown_key_is_refused(self):
        for name, text in (("bad.json", '{"lora-rnak": 4}'), ("bad.yaml", "lora-rnak: 4\n")):
            self.refused(("finetune", "--config", self.write(name, text)), "lora-rnak", "lora-rank", usage=True)

    def test_broken_file_is_refused(self):
        for name, text in (("broken.json", '{"lora-rank": '), ("broken.yaml", "a: [1, 2\nb: {"),
                           ("list.json", "[1, 2]"),
                           ("type.json", '{"lora-rank": {"a": 1}}')):
            with self.subTest(name):
                self.refused(("finetune", "--config", self.write(name, text)),
                             name if "type" not in name else "lora-rank",
                             usage=True)
        self.refused(("finetune", "--config", self.folder / "none.yaml"), "none.yaml", usage=True)


class Shell(CliTest):
    def test_completion(self):
        script = hearth.succeed("completion", "bash")
        path = self.folder / "completion.bash"
        path.write_text(script)
        shell = f"source {path} && complete -p hearth"
        done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in (*COMMANDS, "--lora-rank", "--prompt"):
            self.assertIn(word, script)
        for other in ("zsh", "fish"):
            self.assertIn("finetune", hearth.succeed("completion", other))

    def test_reader_that_goes_away(self):
        """hearth generate | head: no crash, no message."""
        process = subprocess.Popen(hearth.command("generate", "--model", PROSE, "--prompt", "The", "--max-tokens", 200),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(1)
        process.stdout.close()
        errors = process.stderr.read().decode()
        self.assertNotIn(process.wait(60), CRASHES)
        self.assertNotRegex(errors, "terminate|please report")
        process.stderr.close()

    def test_interrupt(self):
        """Control-C ends a run at once, and what was written can be resumed or started again."""
        output = self.folder / "interrupted"
        words = ["finetune", "--model", PROSE, "--data", hearth.TEXT, "--output", output, "--block-size", 64, "--quiet"]
        process = subprocess.Popen(hearth.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 120
        while not (output / "log.jsonl").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertIsNone(process.poll(), process.stderr.read() if process.poll() is not None else "")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertIn(process.returncode, (130, -signal.SIGINT))


if __name__ == "__main__":
    unittest.main()
