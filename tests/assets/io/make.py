# SPDX-License-Identifier: Apache-2.0
"""Writes the fixtures of src/io's tests with the real safetensors and PEFT. Run in this folder; needs torch and peft."""

import itertools
import json

import torch
from peft import LoraConfig
from peft.tuners.tuners_utils import check_target_module_exists
from safetensors.torch import save_file

# Every element type that Hearth reads, names that need escapes, a scalar and an empty tensor.
tensors = {
    "b.f16": torch.arange(3, dtype=torch.float16),
    "a.f32": torch.arange(4.0).reshape(2, 2),
    "z.f64": torch.arange(2, dtype=torch.float64),
    "m.i64": torch.arange(2),
    "q.bool": torch.tensor([True, False, True]),
    "c.bf16": torch.arange(5, dtype=torch.bfloat16),
    "u8": torch.arange(3, dtype=torch.uint8),
    "i8": torch.arange(3, dtype=torch.int8),
    "i32": torch.arange(3, dtype=torch.int32),
    "i16": torch.arange(3, dtype=torch.int16),
    "u16": torch.arange(3).to(torch.uint16),
    "u32": torch.arange(3).to(torch.uint32),
    "u64": torch.arange(3).to(torch.uint64),
    "scalar": torch.tensor(3.5),
    "empty": torch.zeros(0, 4),
    'quote " back \\ line\n tab\t bell\x07 \x7f \u00e9 \U0001f600': torch.zeros(1),
}
save_file(tensors, "all_types.safetensors", metadata={"format": "pt"})
save_file(tensors, "no_metadata.safetensors")
save_file({}, "no_tensors.safetensors", metadata={"format": "pt"})
save_file({}, "nothing.safetensors")
save_file({"w": torch.zeros(4).to(torch.float8_e4m3fn)}, "float8.safetensors", metadata={"format": "pt"})

# What PEFT answers for target_modules x exclude_modules x module.
modules = [
    "model.layers.0.self_attn.q_proj", "model.layers.10.self_attn.v_proj", "model.layers.1.mlp.gate_proj", "lm_head",
    "model.layers.1.mlp.xq_proj", "q_proj", "model.layers.1.self_attn.q_proj.inner", "model.embed_tokens", "",
]
targets = [
    ["q_proj", "v_proj"], ["self_attn.q_proj"], ["model.layers.0.self_attn.q_proj"], ["proj"], [".q_proj"], ["lm_head"],
    r".*\.(q|v)_proj", r"model\.layers\.\d+\.self_attn\.q_proj", "q_proj", r".*layers\.(?P<i>[01])\..*", "(?i).*Q_PROJ",
    r"(a|b|.*)_proj", r".*q_proj$",
]
excludes = [None, ["layers.10.self_attn.v_proj"], ["q_proj"], r".*layers\.1\..*", r".*mlp.*", [""]]
cases = []
for target, exclude in itertools.product(targets, excludes):
    config = LoraConfig(target_modules=target, exclude_modules=exclude)
    cases.append({
        "target_modules": target,
        "exclude_modules": exclude,
        "matches": [m for m in modules if check_target_module_exists(config, m)],
    })
with open("target_matches.json", "w") as f:
    json.dump({"modules": modules, "cases": cases}, f, indent=1)
    f.write("\n")
