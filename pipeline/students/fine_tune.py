"""What every fine-tuning of an encoder shares: the steps, early stop, chance and precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from hilt.distributions import log_of
from hilt.pipeline.students.base import Examples
from hilt.progress import Advance
from hilt.proposers.models.encoder import resolve_precision
from hilt.types import Floats, Integers

PATIENCE = 2  # epochs without a lower validation loss before training stops
WARM_UP = 0.1  # share of the steps in which the rates rise


def fine_tune(
    model: torch.nn.Module,
    groups: list[dict[str, Any]],
    *,
    epochs: int,
    batches: Callable[[], list[Integers]],
    loss: Callable[[Integers], torch.Tensor],
    validate: Callable[[], float] | None = None,
    advance: Advance | None = None,
) -> int:
    """Train a model in place, and leave it as it was after its best epoch.

    Args:
        model: What is trained and put back.
        groups: Its parameters with their learning rates, as an optimiser takes them.
        epochs: Calls of `batches`, at most.
        batches: Deals the examples into batches of rows; always into as many.
        loss: The loss of the examples at some rows.
        validate: The loss on examples that are held out, after an epoch; stop when it has not
            fallen for two epochs. Without it, run all epochs.
        advance: Called with 1 after every epoch.

    Returns:
        The number of epochs that made the model.
    """
    trained = [parameter for group in groups for parameter in group["params"]]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    rates = [float(group["lr"]) for group in groups]
    best: dict[str, torch.Tensor] | None = None
    best_loss, best_epoch = np.inf, epochs
    for epoch in range(1, epochs + 1):
        dealt = batches()
        for step, rows in enumerate(dealt, start=(epoch - 1) * len(dealt)):
            _set_rates(optimiser, rates, step, epochs * len(dealt))
            loss(rows).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            optimiser.zero_grad()
        if advance is not None:
            advance(1)
        if validate is None:
            continue
        if (held_out := validate()) < best_loss:
            best_loss, best_epoch = held_out, epoch
            best = {name: value.clone() for name, value in model.state_dict().items()}
        elif epoch - best_epoch >= PATIENCE:
            break
    if best is not None:
        model.load_state_dict(best)
    return best_epoch


def average_weights(models: Sequence[torch.nn.Module]) -> None:
    """Put the mean of the weights of models of one shape into the first of them."""
    first, *others = [model.state_dict() for model in models]
    for name, weights in first.items():
        if weights.is_floating_point():
            weights.copy_(torch.stack([weights, *(each[name] for each in others)]).mean(dim=0))


def log_loss(probabilities: Floats, examples: Examples) -> float:
    """The weighted mean of the cross-entropies of predictions and targets, in nats."""
    losses = -(examples.targets.rows.values * log_of(probabilities)).sum(axis=1)
    return float(np.average(losses, weights=examples.targets.weights))


def shuffled_batches(n: int, size: int, rng: np.random.Generator) -> list[Integers]:
    """Deal n rows into batches at random."""
    order = rng.permutation(n)
    return [order[start : start + size] for start in range(0, n, size)]


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch's global generators, for a head and dropout know no others; then restore them."""
    with torch.random.fork_rng(devices=[device] if device.startswith("cuda") else []):
        torch.manual_seed(seed)
        yield


def autocast(device: str) -> torch.autocast:
    """Compute in bfloat16 where the processor has it."""
    native = resolve_precision("auto", device) == torch.bfloat16
    return torch.autocast(device, dtype=torch.bfloat16, enabled=native)


def _set_rates(
    optimiser: torch.optim.Optimizer, rates: Sequence[float], step: int, steps: int
) -> None:
    """Let the learning rates rise, and then fall.

    A schedule of torch's and its optimiser refer to each other, which keeps twice the weights in
    memory until Python looks for such cycles.
    """
    share = min((step + 1) / max(WARM_UP * steps, 1), 1 - step / (steps + 1))
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate * share
