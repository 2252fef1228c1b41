# SPDX-License-Identifier: Apache-2.0
"""Training with the real PEFT as hearth finetune trains."""
import warnings

import peft
import torch

import hearth_program as hearth


def train_with_peft(model, rows, batch_size, steps, rate, groups=None, optimizers=None, loss_of=None):
    """(loss, gradient norm) of each step: AdamW, linear schedule to 0, norm clipped at 1, as hearth finetune's flags.
    groups: the optimizer's, with learning rates of their own; without, all trained parameters at `rate`. optimizers:
    those instead, each with its part of the parameters. loss_of: (model, batch) -> what is learnt instead of its loss."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizers = optimizers or [torch.optim.AdamW(groups or [{"params": parameters}], lr=rate, weight_decay=0)]
    every_group = [group for optimizer in optimizers for group in optimizer.param_groups]
    base_rates = [group["lr"] for group in every_group]
    result = []
    for step in range(steps):
        for group, base_rate in zip(every_group, base_rates):
            group["lr"] = base_rate * (1 - step / steps)
        batch = rows[step * batch_size:(step + 1) * batch_size]
        loss = loss_of(model, batch) if loss_of else model(input_ids=batch, labels=batch).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        result.append((float(loss.detach()), float(norm)))
    return result


def shake(model):
    """Numbers of every trained tensor that show whether it is used."""
    torch.manual_seed(11)
    for name, weight in model.named_parameters():
        if not weight.requires_grad:
            continue
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
        elif "lora_embedding" in name:
            torch.nn.init.normal_(weight, std=0.2)
        elif "lora_A" not in name:
            weight.data.mul_(1 + 0.1 * torch.randn_like(weight)).add_(0.01 * torch.randn_like(weight))


def shaken_adapter(base, dtype="float32", **settings):
    """A new adapter of the model in `base`, shaken; settings: of peft.LoraConfig."""
    torch.manual_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = peft.get_peft_model(hearth.load_fresh(base, dtype), peft.LoraConfig(**settings))
    shake(model)
    return model
