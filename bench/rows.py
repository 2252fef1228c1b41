# SPDX-License-Identifier: Apache-2.0
"""The rows of the benchmark: for each how ours runs, how the peers run, and what the machine allows."""
import dataclasses
import functools
import json
import pathlib
import statistics
import tempfile
import time

import limits
import make_model

ROOT = limits.ROOT
TEXT = ROOT / "assets" / "tinyshakespeare.txt"
WARM_UP_STEPS = 2  # of ours: planning, page faults of the weights


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    title: str
    kind: str  # lora, decode, prefill, open
    shape: str
    dtype: str
    targets: str = "q_proj,v_proj"
    batch: int = 1
    tokens: int = 512  # per sequence; for decode those written, after a prompt of DECODE_PROMPT
    checkpointing: bool = False
    slow: bool = False
    unit: str = "tok/s"


DECODE_PROMPT = 16
ROWS = (
    Row("lora-f32", "LoRA q,v r8, prose-14m 8x256, f32", "lora", "prose-14m", "f32", batch=8, tokens=256),
    Row("lora-bf16", "LoRA q,v r8, prose-14m 8x256, bf16", "lora", "prose-14m", "bf16", batch=8, tokens=256),
    Row("lora-all-f32", "LoRA all-linear r8, prose-14m 8x256, f32", "lora", "prose-14m", "f32", "all-linear", 8, 256),
    Row("tinyllama-f32", "LoRA q,v r8, TinyLlama-1.1B shape 1x512, f32", "lora", "tinyllama-1.1b", "f32", slow=True),
    Row("tinyllama-bf16", "LoRA q,v r8, TinyLlama-1.1B shape 1x512, bf16", "lora", "tinyllama-1.1b", "bf16", slow=True),
    Row("decode", "decode, TinyLlama-1.1B shape, bf16, batch 1", "decode", "tinyllama-1.1b", "bf16", tokens=32),
    Row("prefill", "prefill 512, TinyLlama-1.1B shape, bf16", "prefill", "tinyllama-1.1b", "bf16"),
    Row("openllama-3b", "LoRA q,v r8, OpenLLaMA-3B shape 1x512, bf16, checkpointing", "lora", "openllama-3b", "bf16",
        checkpointing=True, slow=True),
    Row("openllama-3b-open", "open the OpenLLaMA-3B folder, warm", "open", "openllama-3b", "bf16", slow=True, unit="s"),
)


def model_folder(shape):
    if shape == "prose-14m":
        return ROOT / "assets" / "prose-14m"
    folder = pathlib.Path(tempfile.gettempdir()) / f"hearth-bench-{shape}"
    make_model.make(shape, folder)
    return folder


@functools.cache
def prompt_of(tokens):
    """Text that the benched tokenizers turn into exactly this many ids, BOS included."""
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(ROOT / "assets" / "prose-14m" / "tokenizer.json"))
    text = TEXT.read_text(encoding="utf-8")[:8 * tokens + 200]
    offsets = tokenizer.encode(text, add_special_tokens=False).offsets
    for end in sorted({end for _, end in offsets[max(0, tokens - 20):tokens + 20]}):
        if len(tokenizer.encode(text[:end]).ids) == tokens:
            return text[:end]
    raise RuntimeError(f"no prefix of {TEXT.name} has {tokens} tokens")


def run_ours(row, setup):
    """One measurement of Hearth: (value, peak memory in bytes or None). Raises RuntimeError with the reason."""
    if not setup.program.exists():
        raise RuntimeError(f"{setup.program} does not exist; run make build")
    model = model_folder(row.shape)
    if row.kind == "lora":
        return finetune(row, setup, model)
    if row.kind == "open":
        return open_folder(setup, model)
    decode = row.kind == "decode"
    result = limits.run_json(
        [setup.program, "generate", "--dtype", row.dtype, "--model", model, "--prompt", prompt_of(DECODE_PROMPT if decode else row.tokens),
         "--max-tokens", row.tokens if decode else 1, "--temperature", 0, "--json"],
        setup.environment, setup.threads, setup.limit_s)
    key = f"{row.kind}_tokens_per_second"
    if key not in result:
        raise RuntimeError(f"generate --json gave no {key}; it has {', '.join(sorted(result))}")
    return result[key], result.get("memory_bytes")


def finetune(row, setup, model):
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as folder:
        output = pathlib.Path(folder) / "out"
        command = [setup.program, "finetune", "--model", model, "--data", TEXT, "--output", output, "--max-steps",
                   setup.steps + WARM_UP_STEPS, "--batch-size", row.batch, "--block-size", row.tokens, "--lora-rank", 8,
                   "--lora-alpha", 16, "--lora-targets", row.targets, "--dtype", row.dtype, "--no-shuffle", "--lr",
                   1e-4,
                   "--threads", setup.threads, "--json"] + (["--checkpointing"] if row.checkpointing else [])
        limits.run_json(command, setup.environment, setup.threads, setup.limit_s)
        records = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    steps = [r for r in records if "tokens_per_second" in r and "loss" in r]
    if len(steps) <= WARM_UP_STEPS:
        raise RuntimeError(f"log.jsonl has {len(steps)} steps; {setup.steps + WARM_UP_STEPS} were asked for")
    rate = statistics.median(r["tokens_per_second"] for r in steps[WARM_UP_STEPS:])
    return rate, max(r["memory_bytes"] for r in steps)


def open_folder(setup, model):
    """Seconds of hearth info, the file's pages already in memory."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        limits.run_json([setup.program, "info", "--model", model, "--json"], setup.environment, setup.threads,
                        setup.limit_s)
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:]), None


def peer_commands(row, setup):
    """{name: command} of the peers of a row."""
    if row.kind == "open":
        return {}
    script = {"lora": "lora_step.py", "decode": "decode.py", "prefill": "prefill.py"}[row.kind]
    command = [setup.python, limits.BENCH / "peers" / script, "--model", model_folder(row.shape), "--dtype", row.dtype,
               "--tokens", row.tokens, "--threads", setup.threads, "--limit", setup.limit_s]
    if row.kind == "lora":
        command += ["--targets", row.targets, "--batch", row.batch, "--steps", setup.steps]
        command += ["--checkpointing"] if row.checkpointing else []
    if row.kind == "decode":
        command += ["--prompt", DECODE_PROMPT]
    library = "PyTorch + transformers" + (" + PEFT" if row.kind == "lora" else "")
    commands = {f"{library}, eager": command}
    if not setup.skip_compiled:
        commands[f"{library}, torch.compile"] = command + ["--compile"]
    return commands


def run_peer(command, setup):
    """One measurement of a peer: (tokens per second, peak memory). Raises RuntimeError when it does not finish."""
    result = limits.run_json(command, setup.environment, setup.threads, setup.limit_s + 60)
    if result.get("timed_out"):
        raise RuntimeError(f"not done in {result['limit_s']:.0f} s ({result['samples']} steps were)")
    return result["tokens_per_second"], result["peak_rss_bytes"]


def share_of_limit(row, value, machine):
    """(share, name of the limit) of a measured value; (None, reason) where the limit is unknown."""
    if row.kind == "open":
        return 1.0 / value, "1 s"
    if row.kind == "decode":
        rate = machine["read_gb_per_s"]
        moved = limits.decode_bytes_per_token(row.shape, DECODE_PROMPT + row.tokens / 2, row.dtype)
        return (value * moved * 1e-9 / rate, "read bandwidth") if rate else (None, "read bandwidth unknown")
    rate = limits.matmul_gflops(machine, row.dtype)
    flops = (limits.lora_flops_per_token(row.shape, row.tokens, row.targets) if row.kind == "lora"
             else limits.prefill_flops_per_token(row.shape, row.tokens))
    return (value * flops * 1e-9 / rate, "matmul rate") if rate else (None, "matmul rate unknown")
