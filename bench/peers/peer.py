# SPDX-License-Identifier: Apache-2.0
"""What the peer programs share: flags, the model, the clock, the time limit, the one line of JSON they print."""
import argparse
import json
import os
import pathlib
import resource
import statistics
import sys
import tempfile
import threading
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import make_model  # noqa: E402

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def flags(description):
    parser = argparse.ArgumentParser(description=description)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", type=pathlib.Path, help="Hugging Face folder")
    source.add_argument("--shape", choices=sorted(make_model.SHAPES), help="random weights of this shape instead")
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32", help="weights and activations")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--compile", action="store_true", help="torch.compile instead of eager")
    parser.add_argument("--limit", type=float, default=600, help="seconds for everything; then timed_out is reported")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def watch(limit_s, measured):
    """After limit_s prints what was measured up to then, and ends the process: a matmul that hangs cannot stop it."""
    def stop():
        emit({"timed_out": True, "limit_s": limit_s, "samples": len(measured)})
        os._exit(0)
    timer = threading.Timer(limit_s, stop)
    timer.daemon = True
    timer.start()


def emit(result):
    result["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(result), flush=True)


def load(args):
    """The model in the wanted dtype; torch and transformers are imported here, after the watch has started."""
    warnings.filterwarnings("ignore")
    import torch
    import transformers
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[args.dtype]
    folder = args.model
    if folder is None:
        folder = pathlib.Path(tempfile.gettempdir()) / f"hearth-bench-{args.shape}"
        make_model.make(args.shape, folder)
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa")


def random_ids(model, *dims):
    """Token ids above the special ones, so that nothing is masked."""
    import torch
    return torch.randint(3, model.config.vocab_size, dims)


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def repeat(call, warm_up, count, measured):
    """Appends the seconds of count calls to measured, after warm_up calls not counted; returns their median."""
    for _ in range(warm_up):
        call()
    for _ in range(count):
        measured.append(timed(call))
    return statistics.median(measured)
