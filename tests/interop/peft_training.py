# SPDX-License-Identifier: Apache-2.0
"""Training with the real PEFT as hearth finetune trains."""
import torch


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
