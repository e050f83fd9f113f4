"""The words of all labels as one tree of tokens, so that one pass of a model scores them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hilt.types import Floats, Integers


@dataclass(frozen=True, slots=True)
class AnswerTree:
    """What has to be read after a prompt to know how likely each answer is.

    Node 0 is the prompt's last token; each node predicts the tokens after it. The last token of
    an answer is predicted but never read, so answers of one token need no node of their own.

    Attributes:
        tokens: Shape (n_nodes,), the token of each node; of node 0 it means nothing.
        depths: Shape (n_nodes,), tokens between the prompt's last token and the node.
        ancestors: Shape (n_nodes, n_nodes), whether a node (row) follows on another or is it.
        nodes: Shape (n_steps,), the node that predicts each token of each answer.
        targets: Shape (n_steps,), those tokens.
        weights: Shape (n_steps, n_answers), 1 / an answer's length at each of its tokens: times
            the tokens' log-probabilities, their mean.
    """

    tokens: Integers
    depths: Integers
    ancestors: npt.NDArray[np.bool_]
    nodes: Integers
    targets: Integers
    weights: Floats

    def __len__(self) -> int:
        return len(self.tokens)


def grow_tree(answers: Sequence[Sequence[int]]) -> AnswerTree:
    """Merge answers that begin alike.

    Args:
        answers: The tokens of each answer, one at least.
    """
    places: dict[tuple[int, ...], int] = {(): 0}  # what was read after the prompt -> node
    steps: list[tuple[int, int, int]] = []  # (node, token, answer)
    for number, answer in enumerate(answers):
        for depth, token in enumerate(answer):
            node = places.setdefault(tuple(answer[:depth]), len(places))
            steps.append((node, token, number))
    ancestors = np.zeros((len(places), len(places)), dtype=np.bool_)
    for read, node in places.items():
        ancestors[node, [places[read[:depth]] for depth in range(len(read) + 1)]] = True
    nodes, targets, numbers = np.array(steps).T
    lengths = np.bincount(numbers, minlength=len(answers))
    return AnswerTree(
        tokens=np.array([read[-1] if read else 0 for read in places]),
        depths=np.array([len(read) for read in places]),
        ancestors=ancestors,
        nodes=nodes,
        targets=targets,
        weights=(np.eye(len(answers)) / lengths)[numbers].astype(np.float32),
    )


def attention(
    mask: npt.NDArray[np.int64], n_head: int, ancestors: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Say which tokens a model may look at from which.

    A prompt's tokens see those before them; a node of the tree sees the prompt and the nodes
    that it follows on.

    Args:
        mask: Shape (n, longest), 1 for a token of a prompt, 0 for padding before it.
        n_head: Tokens that stand before all of them, seen by all.
        ancestors: Shape (n_nodes, n_nodes); node 0 is the last token of the prompt.

    Returns:
        Shape (n, n_new, n_head + n_new), where n_new is longest + n_nodes - 1.
    """
    longest, n_leaves = mask.shape[1], len(ancestors) - 1
    n_new = longest + n_leaves
    reach = np.tri(n_new, dtype=np.bool_)
    reach[longest:, longest:] = ancestors[1:, 1:]
    real = np.pad(mask.astype(np.bool_), ((0, 0), (0, n_leaves)), constant_values=True)
    # Padding sees itself: the softmax over nothing is not a number.
    seen = reach & real[:, None, :] | np.eye(n_new, dtype=np.bool_)
    return np.pad(seen, ((0, 0), (0, 0), (n_head, 0)), constant_values=True)
