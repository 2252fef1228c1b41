#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads Hearth's event files, log and chart with the libraries that users have.

HEARTH_BUILD names the folder with hearth_metrics. Run: HEARTH_BUILD=build python3 -m unittest tests/interop/tensorboard_test.py
"""
import glob
import json
import math
import os
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

from tensorboard.backend.event_processing import event_accumulator, event_file_loader


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-6)  # simple_value is a 32-bit float


def check_accumulator(folder):
    events = event_accumulator.EventAccumulator(folder, size_guidance={event_accumulator.SCALARS: 0})
    events.Reload()
    tags = set(events.Tags()["scalars"])
    assert tags == {"train/loss", "train/learning_rate", "größe/π", "large/step", "train/grad_norm"}, tags
    loss = events.Scalars("train/loss")
    # the resumed run replaces steps 11 to 20 of the killed one
    assert [e.step for e in loss] == list(range(1, 31)), [e.step for e in loss]
    for e in loss:
        assert close(e.value, (100 if e.step <= 10 else 200) + 1 / e.step), e
    assert all(close(e.value, 2e-4) for e in events.Scalars("train/learning_rate"))
    assert [e.value for e in events.Scalars("größe/π")] == [-float(s) for s in range(1, 31)]
    assert [e.step for e in events.Scalars("large/step")] == [1 << 40]
    assert math.isnan(events.Scalars("train/grad_norm")[-1].value)
    times = [e.wall_time for e in loss]
    assert times == sorted(times) and abs(times[-1] - os.path.getmtime(folder)) < 3600, times[-1]


def check_raw_files(folder):
    files = sorted(glob.glob(folder + "/events.out.tfevents.*"))
    assert len(files) == 2, files
    for path in files:  # the loader checks every checksum
        events = list(event_file_loader.EventFileLoader(path).Load())
        assert events[0].file_version == "brain.Event:2", events[0]
    assert [len(list(event_file_loader.EventFileLoader(p).Load())) for p in files] == [1 + 22, 2 + 22]


def check_log(path):
    lines = [json.loads(line) for line in open(path)]
    assert [line["step"] for line in lines] == list(range(1, 31))
    assert all(line["loss"] == (100 if line["step"] <= 10 else 200) + 1 / line["step"] for line in lines)


class TensorBoard(unittest.TestCase):
    def test_real_libraries_read_what_is_written(self):
        tool = os.path.join(os.environ["HEARTH_BUILD"], "hearth_metrics")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([tool, folder], check=True, timeout=60)
            check_accumulator(folder + "/runs")
            check_raw_files(folder + "/runs")
            check_log(folder + "/log.jsonl")
            root = ElementTree.parse(folder + "/loss.svg").getroot()
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")


if __name__ == "__main__":
    unittest.main()
