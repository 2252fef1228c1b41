#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad use of the command line: each mistake gets one short error that names what, where and what to do."""
import json
import os
import subprocess
import unittest

from cli_program import CliTest, hearth

PROSE, REFERENCE = hearth.PROSE, hearth.REFERENCE


def setUpModule():
    hearth.need_program()


class BadModels(CliTest):
    def every_command(self, model, *expected):
        """The same folder given to each command that opens one."""
        for words in (("info", "--model", model), ("generate", "--model", model, "--prompt", "a"),
                      ("evaluate", "--model", model, "--data", self.data),
                      ("merge", "--model", model, "--adapter", REFERENCE / "lora_init", "--output",
                       self.folder / "merged"),
                      self.finetune_words(self.folder / "out", model=model)):
            with self.subTest(words[0]):
                self.refused(words, *expected)
        for left in ("out", "merged"):
            self.assertFalse((self.folder / left).exists(), f"a refused command left {left}")

    def test_missing_folder(self):
        self.every_command(self.folder / "nowhere", self.folder / "nowhere")

    def test_folder_without_config(self):
        model = self.copy_of(self.tiny, "no-config")
        (model / "config.json").unlink()
        self.every_command(model, "config.json")

    def test_config_that_is_not_json(self):
        model = self.copy_of(self.tiny, "bad-config")
        (model / "config.json").write_text('{"model_type": "llama",')
        self.every_command(model, "config.json")

    def test_unknown_architecture(self):
        model = self.copy_of(self.tiny, "mamba")
        config = json.loads((model / "config.json").read_text())
        config |= {"model_type": "mamba", "architectures": ["MambaForCausalLM"]}
        (model / "config.json").write_text(json.dumps(config))
        self.every_command(model, "mamba")

    def test_missing_shard(self):
        model = self.copy_of(PROSE, "no-shard")
        (model / "model-00002-of-00003.safetensors").unlink()
        self.every_command(model, "model-00002-of-00003.safetensors")

    def test_no_weights(self):
        model = self.copy_of(self.tiny, "no-weights")
        (model / "model.safetensors").unlink()
        self.every_command(model, "safetensors")

    def test_truncated_weights(self):
        model = self.copy_of(self.tiny, "short")
        path = model / "model.safetensors"
        for left in (0, 4, 100, path.stat().st_size - 4):
            with self.subTest(left):
                path.write_bytes((self.tiny / "model.safetensors").read_bytes()[:left])
                self.every_command(model, "model.safetensors")

    def test_no_tokenizer(self):
        model = self.copy_of(self.tiny, "no-tokenizer")
        for path in model.glob("tokenizer*"):
            path.unlink()
        self.refused(("generate", "--model", model, "--prompt", "a"), "tokenizer")


class BadUse(CliTest):
    def test_adapter_for_another_model(self):
        adapter = REFERENCE / "lora_init"
        for words in (("generate", "--model", self.tiny, "--adapter", adapter, "--prompt", "a"),
                      ("merge", "--model", self.tiny, "--adapter", adapter, "--output", self.folder / "merged"),
                      ("evaluate", "--model", self.tiny, "--adapter", adapter, "--data", self.data),
                      self.finetune_words(self.folder / "out", "--adapter", adapter)):
            with self.subTest(words[0]):
                self.refused(words, "does not fit this model", "self_attn.q_proj")

    def test_missing_adapter(self):
        self.refused(("generate", "--model", self.tiny, "--adapter", self.folder / "none", "--prompt", "a"),
                     self.folder / "none")

    def test_text_that_is_too_short(self):
        empty, short = self.folder / "empty.txt", self.folder / "short.txt"
        empty.write_text("")
        short.write_text("To be")
        for path, words in ((empty, ("empty.txt",)), (short, ("short.txt", "32"))):
            with self.subTest(path.name):
                self.refused(("finetune", "--model", self.tiny, "--data", path, "--output", self.folder / "out",
                              "--block-size", 32), *words)
                self.refused(("evaluate", "--model", self.tiny, "--data", path, "--block-size", 32), *words)

    def test_text_that_cannot_be_read(self):
        for path in (self.folder, self.folder / "nothing.txt"):
            with self.subTest(path.name):
                self.refused(("finetune", "--model", self.tiny, "--data", path, "--output", self.folder / "out"), path)
                self.refused(("evaluate", "--model", self.tiny, "--data", path), path)

    @unittest.skipIf(os.geteuid() == 0, "root reads every file")
    def test_text_without_permission(self):
        path = hearth.text_file(self.folder, 2000, 0, "secret.txt")
        path.chmod(0)
        self.refused(("evaluate", "--model", self.tiny, "--data", path), path)

    def test_block_longer_than_the_context(self):
        for name, rest in (("finetune", ("--output", self.folder / "out")), ("evaluate", ())):
            self.refused((name, "--model", self.tiny, "--data", self.data, "--block-size", 257, *rest), "257", "256")

    def test_prompt_longer_than_the_context(self):
        self.refused(("generate", "--model", self.tiny, "--prompt", "word " * 100, "--max-tokens", 1), "256")

    def test_unknown_flag_names_the_nearest(self):
        for words, near in ((("generate", "--modle", "x"), "--model"),
                            (("finetune", "--lora-rnak", "4"), "--lora-rank"),
                            (("evaluate", "--datta=x"), "--data")):
            with self.subTest(words[1]):
                self.refused(words, words[1].split("=")[0], near, usage=True)

    def test_unknown_command(self):
        done = hearth.run("finetun")
        self.assertIn(done.returncode, (1, 2))
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, "^error: .*finetun")
        self.assertIn("finetune", done.stderr.replace("finetun'", ""))

    def test_missing_flag_is_named(self):
        for name, flag in (("finetune", "model"), ("generate", "model"), ("evaluate", "model"), ("merge", "model"),
                           ("info", "model")):
            with self.subTest(name):
                self.refused((name,), flag, usage=True)

    def test_values_that_make_no_sense(self):
        bad = {"--lora-rank": (0, -1, "x", 10**12), "--block-size": (0, 1, -5), "--batch-size": (0,),
               "--grad-accum": (0,),
               "--epochs": (0, "many"), "--lr": ("nan", -1, "inf"), "--schedule": ("steps",), "--dtype": ("int7",),
               "--lora-dropout": (1, -0.1, 2), "--max-steps": (-1,), "--threads": (-2,), "--blocks": ("lines",),
               "--lora-targets": ("nothing_proj", ""), "--clip": (-1,), "--warmup-steps": (-1,), "--save-every": (-1,),
               "--schedule-args": ("power=2", "power", "=2"), "--optimizer": ("adam",),
               "--optimizer-args": ("beta1", "beta1=2", "momentum=0.9", "eps=1,eps=1"), "--weight-decay": (-1,),
               "--label-smoothing": (1, -0.1), "--z-loss": (-1,), "--neftune-alpha": (-1,)}
        for flag, values in bad.items():
            for value in values:
                with self.subTest(f"{flag} {value}"):
                    words = list(self.finetune_words(self.folder / "out"))
                    if flag in words:
                        words[words.index(flag) + 1] = value
                    else:
                        words += [flag, value]
                    text = self.refused(words, usage=True)
                    self.assertIn(flag.strip("-").replace("-", "_"), text.replace("-", "_"))
        self.assertFalse((self.folder / "out").exists())

    def test_sampling_values_that_make_no_sense(self):
        for flag, value in (("--temperature", -1), ("--temperature", "nan"), ("--top-k", -1), ("--top-p", -0.5),
                            ("--top-p", 1.5),
                            ("--max-tokens", -1)):
            with self.subTest(f"{flag} {value}"):
                self.refused(("generate", "--model", self.tiny, "--prompt", "a", flag, value), flag.strip("-"),
                             usage=True)

    def test_output_folder_that_is_not_ours(self):
        folder = self.folder / "mine"
        folder.mkdir()
        (folder / "thesis.txt").write_text("years of work")
        self.refused(self.finetune_words(folder), folder)
        self.refused(("merge", "--model", PROSE, "--adapter", REFERENCE / "lora_init", "--output", folder), folder)
        self.assertEqual([p.name for p in folder.iterdir()], ["thesis.txt"])
        path = self.folder / "a-file"
        path.write_text("x")
        self.refused(self.finetune_words(path), path)

    def test_output_folder_that_cannot_be_made(self):
        self.refused(self.finetune_words("/proc/hearth-output"), "/proc/hearth-output")

    def test_merge_onto_the_model_itself(self):
        model = self.copy_of(PROSE, "self")
        self.refused(("merge", "--model", model, "--adapter", REFERENCE / "lora_trained", "--output", model), model)
        self.assertEqual((model / "config.json").read_bytes(), (PROSE / "config.json").read_bytes())

    def test_resume_with_nothing_to_resume(self):
        self.refused(self.finetune_words(self.folder / "none", "--resume"), "resume")

    def test_full_disk(self):
        """In a file system of 2 MiB that only this command sees."""
        mount = self.folder / "small"
        mount.mkdir()
        space = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
        script = f'mount -t tmpfs -o size=2m none {mount} && exec "$@"'
        if subprocess.run([*space, "sh", "-c", script, "sh", "true"], capture_output=True).returncode != 0:
            self.skipTest("this system lets nobody mount a small file system")
        words = ("merge", "--model", PROSE, "--adapter", REFERENCE / "lora_init", "--output", mount / "merged")
        done = subprocess.run([*space, "sh", "-c", script, "sh", *hearth.command(*words)], capture_output=True,
                              text=True)
        self.assert_refused(done, "merge", mount / "merged")
        self.assertRegex(done.stderr.lower(), "space|disk")


if __name__ == "__main__":
    unittest.main()
