#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every model family against the real transformers: small random models; logits, greedy tokens with and without the
cache, and the derivatives of LoRA matrices, whose names and shapes are those of PEFT. FAMILIES=gpt2,opt runs some."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import hearth_program as hearth
import torch
import transformers
from hearth_program import PROSE
from safetensors.torch import load_file, save_file

CHECK = pathlib.Path(os.environ.get("HEARTH_BUILD", hearth.ROOT / "build")) / "hearth_model_check"
PROMPT = "My lord, the king is dead, and we must go away from here before the night comes down on us all, said he."
TOKENS = 12
LOGITS_TOLERANCE = 1e-4  # absolute, of f32 logits of a size of about 10
# Of the largest derivative of a matrix. Measured: 1e-5 at most, where the router of experts picks; else 3e-6.
GRADIENT_TOLERANCE = 5e-5

SIZES = dict(vocab_size=4096, hidden_size=64, intermediate_size=56, num_hidden_layers=3, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0)
GPT = dict(vocab_size=4096, n_embd=48, n_layer=3, n_head=4, n_positions=128, bos_token_id=1, eos_token_id=2,
           resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
BLOOM = dict(vocab_size=4096, hidden_size=48, n_layer=3, n_head=4)
FALCON = dict(vocab_size=4096, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, bos_token_id=1,
              eos_token_id=2, max_position_embeddings=128)
OPT = dict(vocab_size=4096, hidden_size=48, ffn_dim=56, num_hidden_layers=3, num_attention_heads=4, dropout=0,
           max_position_embeddings=128)
EXPERTS = dict(num_experts=6, num_experts_per_tok=2, moe_intermediate_size=24)


def rope(kind, **settings):
    return {"rope_type": kind, "rope_theta": 10000.0} | settings


LLAMA3 = rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
YARN = rope("yarn", factor=4.0, original_max_position_embeddings=32)


def longrope(pairs, original):
    return dict(original_max_position_embeddings=original, rope_parameters=rope(
        "longrope", short_factor=[1.0 + 0.05 * i for i in range(pairs)],
        long_factor=[2.0 + 0.3 * i for i in range(pairs)]))


# name: (model_type, settings)
MODELS = {
    "llama": ("llama", SIZES),
    "llama yarn": ("llama", SIZES | dict(rope_parameters=YARN)),
    "llama yarn, every setting": ("llama", SIZES | dict(rope_parameters=YARN | dict(
        beta_fast=16.0, beta_slow=2.0, mscale=1.5, mscale_all_dim=0.7, truncate=False))),
    "llama llama3": ("llama", SIZES | dict(rope_parameters=LLAMA3)),
    "llama dynamic, short": ("llama", SIZES | dict(rope_parameters=rope("dynamic", factor=4.0))),
    "llama dynamic, grows": ("llama", SIZES | dict(max_position_embeddings=24,
                                                   rope_parameters=rope("dynamic", factor=4.0))),
    "llama longrope": ("llama", SIZES | longrope(8, 64)),
    "mistral": ("mistral", SIZES | dict(sliding_window=7)),
    "mistral, no window": ("mistral", SIZES | dict(sliding_window=None, head_dim=16)),
    "mixtral": ("mixtral", SIZES | dict(num_local_experts=5)),
    "mixtral, window": ("mixtral", SIZES | dict(num_local_experts=3, sliding_window=9, num_experts_per_tok=1)),
    "qwen2": ("qwen2", SIZES),
    "qwen2, window, tied": ("qwen2", SIZES | dict(use_sliding_window=True, sliding_window=8, max_window_layers=1,
                                                  tie_word_embeddings=True)),
    "qwen3": ("qwen3", SIZES | dict(head_dim=16)),
    "qwen3, biases": ("qwen3", SIZES | dict(head_dim=16, attention_bias=True, use_sliding_window=True,
                                            sliding_window=8, max_window_layers=2)),
    "qwen2_moe": ("qwen2_moe", SIZES | EXPERTS | dict(shared_expert_intermediate_size=40)),
    "qwen2_moe, some layers": ("qwen2_moe", SIZES | EXPERTS | dict(
        shared_expert_intermediate_size=40, decoder_sparse_step=2, norm_topk_prob=True, qkv_bias=False)),
    "qwen3_moe": ("qwen3_moe", SIZES | EXPERTS | dict(head_dim=16, norm_topk_prob=True)),
    "qwen3_moe, some layers": ("qwen3_moe", SIZES | EXPERTS | dict(head_dim=16, mlp_only_layers=[1])),
    "gemma": ("gemma", SIZES | dict(head_dim=16)),
    "gemma2": ("gemma2", SIZES | dict(head_dim=16, sliding_window=8, query_pre_attn_scalar=20,
                                      attn_logit_softcapping=3.0, final_logit_softcapping=7.0)),
    "gemma2, no caps": ("gemma2", SIZES | dict(head_dim=16, attn_logit_softcapping=None, final_logit_softcapping=None,
                                               attention_bias=True)),
    "gemma3_text": ("gemma3_text", SIZES | dict(head_dim=16, sliding_window=8, num_hidden_layers=4,
                                                _sliding_window_pattern=2, query_pre_attn_scalar=20)),
    "gemma3_text, linear, cap": ("gemma3_text", SIZES | dict(
        head_dim=16, sliding_window=8, layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        final_logit_softcapping=7.0,
        rope_parameters={"sliding_attention": rope("default"),
                         "full_attention": rope("linear", factor=8.0, rope_theta=1000000.0)})),
    "phi": ("phi", SIZES),
    "phi, norms of heads": ("phi", SIZES | dict(qk_layernorm=True, num_key_value_heads=4)),
    "phi3": ("phi3", SIZES),
    "phi3, longrope, window": ("phi3", SIZES | longrope(8, 64) | dict(sliding_window=30)),
    "phi3, longrope, crosses": ("phi3", SIZES | longrope(4, 40) | dict(partial_rotary_factor=0.5)),
    "gpt2": ("gpt2", GPT),
    "gpt2, every setting": ("gpt2", GPT | dict(n_inner=40, scale_attn_by_inverse_layer_idx=True,
                                               activation_function="relu", tie_word_embeddings=False)),
    "gpt_bigcode": ("gpt_bigcode", GPT),
    "gpt_bigcode, all heads": ("gpt_bigcode", GPT | dict(multi_query=False, scale_attn_weights=False)),
    "gpt_neox": ("gpt_neox", SIZES),
    "gpt_neox, in turn": ("gpt_neox", SIZES | dict(use_parallel_residual=False, rotary_pct=1.0, attention_bias=False,
                                                   tie_word_embeddings=True)),
    "opt": ("opt", OPT),
    "opt, as 350M": ("opt", OPT | dict(word_embed_proj_dim=20, do_layer_norm_before=False)),
    "opt, as galactica": ("opt", OPT | dict(enable_bias=False, layer_norm_elementwise_affine=False,
                                            activation_function="gelu")),
    "bloom": ("bloom", BLOOM),
    "bloom, six heads": ("bloom", BLOOM | dict(n_head=6, apply_residual_connection_post_layernorm=True)),
    "falcon, as 7B": ("falcon", FALCON),
    "falcon, as 40B": ("falcon", FALCON | dict(new_decoder_architecture=True, num_kv_heads=2)),
    "falcon, as 11B": ("falcon", FALCON | dict(new_decoder_architecture=True, num_kv_heads=2,
                                               num_ln_in_parallel_attn=1, ffn_hidden_size=40)),
    "falcon, as RW": ("falcon", FALCON | dict(alibi=True, multi_query=False, parallel_attn=False, bias=True,
                                              num_attention_heads=6)),
    "stablelm": ("stablelm", SIZES | dict(head_dim=None)),
    "stablelm, as 12B": ("stablelm", SIZES | dict(qk_layernorm=True, use_parallel_residual=True, use_qkv_bias=True,
                                                  partial_rotary_factor=0.5)),
    "olmo2": ("olmo2", SIZES),
    "smollm3": ("smollm3", SIZES | dict(no_rope_layer_interval=2)),
    "smollm3, window": ("smollm3", SIZES | dict(use_sliding_window=True, sliding_window=8, no_rope_layers=[1, 0, 1],
                                                mlp_bias=True, attention_bias=True)),
    "granite": ("granite", SIZES | dict(embedding_multiplier=3.0, logits_scaling=2.5, residual_multiplier=0.4,
                                        attention_multiplier=0.2)),
    "cohere": ("cohere", SIZES | dict(logit_scale=0.6)),
    "cohere, norms of heads": ("cohere", SIZES | dict(use_qk_norm=True, attention_bias=True, logit_scale=0.6)),
}
# In transformers 5 the experts are no modules; PEFT turns the names of their old modules into parameters.
WITHOUT_EXPERTS = ["q_proj", "k_proj", "v_proj", "o_proj"]
TARGETS = {"mixtral": WITHOUT_EXPERTS, "qwen3_moe": WITHOUT_EXPERTS}


def setUpModule():
    hearth.need_program()
    if not CHECK.is_file():
        raise AssertionError(f"no program at {CHECK}: build hearth_model_check")
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def attention_of(model_type):
    """Only the plain attention caps scores. Falcon's adds ALiBi twice, so it is not used elsewhere."""
    return {"attn_implementation": "eager"} if model_type == "gemma2" else {}


def make_model(folder, model_type, settings, seed):
    """Weights large enough that every part shows in the logits."""
    torch.manual_seed(seed)
    config = transformers.AutoConfig.for_model(model_type, **settings)
    model = transformers.AutoModelForCausalLM.from_config(config, **attention_of(model_type)).eval()
    for name, weight in model.named_parameters():
        if weight.dim() == 1 or "norm" in name:
            centre = 1.0 if name.endswith("weight") and "norm" in name and "gemma" not in model_type else 0.0
            torch.nn.init.normal_(weight, mean=centre, std=0.3)
        else:
            torch.nn.init.normal_(weight, std=1.4 / weight.shape[-1] ** 0.5)
    model.save_pretrained(folder)
    for path in PROSE.glob("tokenizer*"):
        shutil.copyfile(path, folder / path.name)
    return model


def to_version_4(config):
    """The names that transformers 4 wrote, without what has a default there."""
    rope_parameters = config.pop("rope_parameters", None)
    if rope_parameters and "full_attention" in rope_parameters:
        config["rope_theta"] = rope_parameters["full_attention"].pop("rope_theta")
        config["rope_local_base_freq"] = rope_parameters["sliding_attention"]["rope_theta"]
        rope_parameters = rope_parameters["full_attention"]
    elif rope_parameters:
        theta = "rotary_emb_base" if config["model_type"] == "gpt_neox" else "rope_theta"
        part = "rotary_pct" if config["model_type"] == "gpt_neox" else "partial_rotary_factor"
        config[theta] = rope_parameters.pop("rope_theta")
        if "partial_rotary_factor" in rope_parameters:
            config[part] = rope_parameters.pop("partial_rotary_factor")
    if rope_parameters:
        config["rope_scaling"] = rope_parameters if rope_parameters["rope_type"] != "default" else None
    config["torch_dtype"] = config.pop("dtype")
    if config.pop("layer_types", None) and config["model_type"] == "gemma3_text":
        config["sliding_window_pattern"] = config.pop("_sliding_window_pattern", 6)
    config["transformers_version"] = "4.44.0"


def check(folder, adapter="-"):
    """(tensors, printed) of hearth_model_check."""
    out = folder.parent / f"{folder.name}.out"
    done = subprocess.run([CHECK, folder, adapter, out, str(TOKENS), PROMPT], capture_output=True, text=True,
                          timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"hearth_model_check {folder.name}: {done.stderr}")
    return load_file(out), json.loads(done.stdout)


def load(folder, model_type):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, **attention_of(model_type)).eval()


def greedy_ids(model, ids, **options):
    with torch.inference_mode():
        out = model.generate(ids, **options, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=TOKENS,
                             eos_token_id=None, pad_token_id=0)
    return out[0, ids.shape[1]:].tolist()


def adapt(model, folder, targets):
    """A PEFT adapter with matrices that matter, and its derivatives: {"<module>.a": ...}, loss."""
    import peft
    torch.manual_seed(5)
    model = peft.get_peft_model(model, peft.LoraConfig(r=4, lora_alpha=6, target_modules=targets,
                                                       task_type="CAUSAL_LM"))
    for name, weight in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weight, std=0.1)
    model.save_pretrained(folder)
    return model.eval()


def peft_derivatives(model, ids):
    labels = torch.cat([ids[:, 1:], torch.full((1, 1), -100)], 1)
    logits = model(input_ids=ids).logits
    loss = torch.nn.functional.cross_entropy(logits[0].double(), labels[0], reduction="sum", ignore_index=-100)
    loss.backward()
    found = {}
    for name, weight in model.named_parameters():
        if "lora_" not in name:
            continue
        module, letter = name.removeprefix("base_model.model.").split(".lora_")
        found[f"{module}.{letter[0].lower()}"] = weight.grad
    return float(loss), logits[0].detach(), found


class Families(hearth.HearthTest):
    def compare(self, name):
        model_type, settings = MODELS[name]
        folder = self.folder / name.replace(" ", "-").replace(",", "")
        model = make_model(folder, model_type, settings, len(name))
        tensors, printed = check(folder)
        ids = torch.tensor([printed["prompt"]])
        with torch.inference_mode():
            theirs = model(input_ids=ids, use_cache=False).logits[0]
        self.assert_logits(tensors["logits"], theirs)
        if name == model_type:
            self.compare_info(model, folder)
        self.compare_greedy(model, folder, name, ids, printed)
        self.compare_version_4(folder, tensors["logits"])
        self.compare_lora(load(folder, model_type), folder, ids, TARGETS.get(model_type, "all-linear"))

    def compare_greedy(self, model, folder, name, ids, printed):
        cached = greedy_ids(model, ids)
        # Where angles depend on the text's length, keys in the cache may differ from those of the whole text made anew.
        whole = greedy_ids(load(folder, MODELS[name][0]), ids, use_cache=False) if "grows" in name else cached
        if "crosses" in name:  # transformers 5.17 drops the cache there, and then reads the last token only
            cached = whole = greedy_ids(load(folder, MODELS[name][0]), ids, use_cache=False)
        self.assertEqual(printed["cached"], cached, "with the cache")
        self.assertEqual(printed["whole"], whole, "without the cache")

    def compare_info(self, model, folder):
        info = hearth.succeed_json("info", folder)
        self.assertEqual((info["family"], info["parameters"]), (model.config.model_type, model.num_parameters()))
        self.assertGreater(len(info["memory"]), 4)
        for job in info["memory"]:
            self.assertGreater(job["memory_bytes"], 4 * model.num_parameters(), job)

    def assert_logits(self, ours, theirs):
        self.assertGreater(theirs.std(), 0.3)
        self.assertLessEqual((ours - theirs).abs().max().item(), LOGITS_TOLERANCE)

    def compare_version_4(self, folder, logits):
        """The same model with the names of version 4 gives the same bits."""
        path = folder / "config.json"
        config = json.loads(path.read_text())
        types = config.get("layer_types")
        old = json.loads(path.read_text())
        to_version_4(old)
        if types and old["model_type"] == "gemma3_text" and types != [
                "full_attention" if (i + 1) % old["sliding_window_pattern"] == 0 else "sliding_attention"
                for i in range(len(types))]:
            old["layer_types"] = types  # no pattern says this
        path.write_text(json.dumps(old))
        self.assertTrue(torch.equal(check(folder)[0]["logits"], logits), "with version 4's names")
        path.write_text(json.dumps(config))

    def compare_lora(self, model, folder, ids, targets):
        adapter = folder.parent / f"{folder.name}-adapter"
        adapted = adapt(model, adapter, targets)
        loss, logits, theirs = peft_derivatives(adapted, ids)
        ours, _ = check(folder, adapter)
        self.assert_logits(ours["logits"], logits)
        for prefix in ("", "checkpointing."):
            self.assert_close(float(ours[prefix + "loss"]), loss, 1e-5, prefix + "loss")
            names = {n for n in ours if n.endswith((".a", ".b")) and n.startswith("checkpointing.") == bool(prefix)}
            self.assertEqual(names, {prefix + n for n in theirs})
            for module, gradient in theirs.items():
                error = (ours[prefix + module] - gradient).abs().max() / gradient.abs().max().clamp_min(1e-4)
                self.assertLessEqual(error.item(), GRADIENT_TOLERANCE, prefix + module)
        self.compare_merged(adapted, folder, adapter, ids, logits)

    def compare_merged(self, adapted, folder, adapter, ids, logits):
        """hearth merge equals merge_and_unload bit for bit, and transformers loads the folder whole."""
        merged = folder.parent / f"{folder.name}-merged"
        hearth.succeed("merge", "--model", folder, "--adapter", adapter, "--output", merged)
        ours, info = transformers.AutoModelForCausalLM.from_pretrained(
            merged, output_loading_info=True, **attention_of(adapted.config.model_type))
        self.assertEqual([list(info[key]) for key in ("missing_keys", "unexpected_keys", "mismatched_keys")],
                         [[], [], []])
        theirs = adapted.merge_and_unload().state_dict()
        for key, weight in ours.state_dict().items():
            if weight.shape[0] == 1 and weight.dim() == 2:  # one row: torch adds the products in another order
                torch.testing.assert_close(weight, theirs[key], rtol=0, atol=2e-7)
            else:
                self.assertTrue(torch.equal(weight, theirs[key]), key)
        with torch.inference_mode():
            self.assert_logits(ours.eval()(input_ids=ids).logits[0], logits)


class Refused(hearth.HearthTest):
    """transformers would start from random numbers, or ignore the setting."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("gpt2", "qwen2_moe", "falcon, as 40B"):
            make_model(cls.folder / MODELS[name][0], *MODELS[name], 1)

    def refused(self, model_type, words, tensors=None, config=None):
        folder = pathlib.Path(shutil.copytree(self.folder / model_type, self.folder / "changed", dirs_exist_ok=True))
        if tensors:
            held = load_file(folder / "model.safetensors")
            tensors(held)
            save_file(held, folder / "model.safetensors")
        if config:
            path = folder / "config.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | config))
        self.assert_refused(hearth.run("info", folder), "info", *words)

    def test_missing_tensor(self):
        for model_type, name in (("gpt2", "transformer.wpe.weight"), ("gpt2", "transformer.h.2.attn.c_attn.bias"),
                                 ("qwen2_moe", "model.layers.1.mlp.experts.5.down_proj.weight"),
                                 ("falcon", "transformer.h.0.ln_mlp.bias")):
            with self.subTest(name):
                self.refused(model_type, [name], tensors=lambda held: held.pop(name))

    def test_misshapen_tensor(self):
        name = "transformer.h.1.mlp.c_fc.weight"  # stored [in,out]
        self.refused("gpt2", [name, "[192,48]", "[48,192]"], tensors=lambda held: held.update(
            {name: held[name].T.contiguous()}))

    def test_unknown_family(self):
        self.refused("gpt2", ["mamba", "gpt2, gpt_bigcode"], config={"model_type": "mamba"})

    def test_settings(self):
        for model_type, config, words in (
                ("gpt2", {"add_cross_attention": True}, ["add_cross_attention"]),
                ("gpt2", {"n_head": 5}, ["n_embd 48", "n_head 5"]),
                ("falcon", {"parallel_attn": False}, ["new_decoder_architecture"]),
                ("qwen2_moe", {"num_experts_per_tok": 7}, ["num_experts_per_tok 7", "6 experts"]),
                ("qwen2_moe", {"layer_types": ["full_attention"]}, ["layer_types has 1", "3 layers"]),
                ("qwen2_moe", {"layer_types": ["linear_attention"] * 3}, ["linear_attention"])):
            with self.subTest(str(config)):
                self.refused(model_type, words, config=config)

    def test_names_without_the_prefix(self):
        """Files of the bare model, as GPT-2's on the Hub."""
        folder = pathlib.Path(shutil.copytree(self.folder / "gpt2", self.folder / "bare"))
        before, _ = check(folder)
        held = load_file(folder / "model.safetensors")
        bare = {name.removeprefix("transformer."): tensor for name, tensor in held.items()}
        save_file(bare | {"h.0.attn.bias": torch.ones(1, 1, 128, 128)}, folder / "model.safetensors")
        self.assertTrue(torch.equal(check(folder)[0]["logits"], before["logits"]))


def add_tests():
    chosen = [name for name in os.environ.get("FAMILIES", "").split(",") if name]
    for name, (model_type, _) in MODELS.items():
        if chosen and model_type not in chosen:
            continue
        words = "".join(c if c.isalnum() else "_" for c in name)
        setattr(Families, f"test_{words}", lambda self, name=name: self.compare(name))


add_tests()

if __name__ == "__main__":
    unittest.main()
