#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a Hugging Face Llama folder with random weights: the shapes that the benchmarks run.

  bench/make_model.py tinyllama-1.1b FOLDER --dtype bf16

Needs numpy only. Tensors are written one after the other from one pool of random numbers, so memory stays near 64 MiB
whatever the shape, and the time is that of the disk. The numbers are N(0, 0.02), norms are 1: speed does not depend on
the weights, but subnormals or NaN would change it.
"""
import argparse
import json
import pathlib
import shutil
import struct
import sys

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROSE = ROOT / "assets" / "prose-14m"
PROSE_VOCAB = 4096
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json")

# C width, L layers, H heads, G kv heads, F ffn width, V vocab, context, eps
SHAPES = {
    "prose-14m": dict(C=384, L=8, H=6, G=2, F=1024, V=4096, context=1024, eps=1e-5),
    "tinyllama-1.1b": dict(C=2048, L=22, H=32, G=4, F=5632, V=32000, context=2048, eps=1e-5),
    "openllama-3b": dict(C=3200, L=26, H=32, G=32, F=8640, V=32000, context=2048, eps=1e-6),
    "tiny": dict(C=64, L=2, H=4, G=2, F=128, V=300, context=256, eps=1e-5),
}
DTYPES = {"f32": ("F32", 4, "float32"), "bf16": ("BF16", 2, "bfloat16"), "f16": ("F16", 2, "float16")}


def config(shape, dtype):
    s = SHAPES[shape]
    return {
        "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 1,
        "dtype": DTYPES[dtype][2], "eos_token_id": 2, "head_dim": s["C"] // s["H"], "hidden_act": "silu",
        "hidden_size": s["C"], "initializer_range": 0.02, "intermediate_size": s["F"],
        "max_position_embeddings": s["context"], "mlp_bias": False, "model_type": "llama",
        "num_attention_heads": s["H"], "num_hidden_layers": s["L"], "num_key_value_heads": s["G"],
        "pad_token_id": None, "pretraining_tp": 1, "rms_norm_eps": s["eps"],
        "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}, "tie_word_embeddings": False,
        "transformers_version": "5.17.0", "use_cache": True, "vocab_size": s["V"],
    }


def tensors(shape):
    """Yields (name, dims) in file order."""
    s = SHAPES[shape]
    kv = s["G"] * (s["C"] // s["H"])
    yield "lm_head.weight", (s["V"], s["C"])
    yield "model.embed_tokens.weight", (s["V"], s["C"])
    for layer in range(s["L"]):
        p = f"model.layers.{layer}."
        yield p + "input_layernorm.weight", (s["C"],)
        yield p + "mlp.down_proj.weight", (s["C"], s["F"])
        yield p + "mlp.gate_proj.weight", (s["F"], s["C"])
        yield p + "mlp.up_proj.weight", (s["F"], s["C"])
        yield p + "post_attention_layernorm.weight", (s["C"],)
        yield p + "self_attn.k_proj.weight", (kv, s["C"])
        yield p + "self_attn.o_proj.weight", (s["C"], s["C"])
        yield p + "self_attn.q_proj.weight", (s["C"], s["C"])
        yield p + "self_attn.v_proj.weight", (kv, s["C"])
    yield "model.norm.weight", (s["C"],)


def encode(values, dtype):
    """f32 numbers as the bytes of dtype; bf16 is rounded to nearest even."""
    if dtype == "f32":
        return values.astype("<f4").tobytes()
    if dtype == "f16":
        return values.astype("<f2").tobytes()
    bits = values.astype("<f4").view("<u4").astype(numpy.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()


def write_weights(shape, folder, dtype, seed=0):
    tag, size, _ = DTYPES[dtype]
    rng = numpy.random.default_rng(seed)
    pool_elements = (1 << 24) + 4099  # odd on purpose: no two rows of a power-of-two width are alike
    pool = memoryview(encode(rng.standard_normal(pool_elements, dtype=numpy.float32) * 0.02, dtype))
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, dims in tensors(shape):
        size_bytes = int(numpy.prod(dims)) * size
        header[name] = {"dtype": tag, "shape": list(dims), "data_offsets": [offset, offset + size_bytes]}
        offset += size_bytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb", buffering=0) as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for name, dims in tensors(shape):
            left = int(numpy.prod(dims)) * size
            if "norm" in name:
                out.write(encode(numpy.ones(dims, numpy.float32), dtype))
                continue
            start = int(rng.integers(pool_elements)) * size
            while left:
                part = pool[start:start + left]
                start, left = 0, left - out.write(part)
    return offset


def write_tokenizer(folder, vocab):
    """The prose tokenizer when its ids fit into the vocabulary, else bytes only, filled up to vocab entries."""
    if vocab >= PROSE_VOCAB:
        for name in TOKENIZER_FILES:
            shutil.copyfile(PROSE / name, folder / name)
        return
    if vocab < 260:
        raise SystemExit(f"make_model: vocabulary {vocab} is too small: specials, bytes and a space need 260")
    data = json.loads((PROSE / "tokenizer.json").read_text(encoding="utf-8"))
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + ["\u2581"]
    names += [f"<extra_{i}>" for i in range(vocab - len(names))]
    data["model"]["vocab"] = {name: i for i, name in enumerate(names)}
    data["model"]["merges"] = []
    (folder / "tokenizer.json").write_text(json.dumps(data, indent=2, ensure_ascii=False), encoding="utf-8")
    shutil.copyfile(PROSE / "tokenizer_config.json", folder / "tokenizer_config.json")


def make(shape, folder, dtype="bf16", seed=0):
    """Writes the folder and returns the bytes of its weights; a folder that is already whole is left as it is."""
    folder = pathlib.Path(folder)
    stamp = folder / ".made"
    want = f"{shape} {dtype} {seed}\n"
    if stamp.exists() and stamp.read_text() == want:
        return (folder / "model.safetensors").stat().st_size
    folder.mkdir(parents=True, exist_ok=True)
    size_bytes = write_weights(shape, folder, dtype, seed)
    (folder / "config.json").write_text(json.dumps(config(shape, dtype), indent=2) + "\n")
    write_tokenizer(folder, SHAPES[shape]["V"])
    stamp.write_text(want)
    return size_bytes


def main():
    parser = argparse.ArgumentParser(description="Write a Llama folder with random weights.")
    parser.add_argument("shape", choices=sorted(SHAPES))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--dtype", choices=sorted(DTYPES), default="bf16")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(f"{args.folder}: {make(args.shape, args.folder, args.dtype, args.seed) / 2**20:.0f} MiB of weights")


if __name__ == "__main__":
    sys.exit(main())
