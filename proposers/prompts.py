"""What stands before every text that an encoder reads, as E5, BGE and their like want it.

The prompts are kept where sentence-transformers keeps them, in the opened model: so whoever holds
the model puts the same words before a text, and a model that is saved gives the same vectors
without hilt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TEXT = "text"  # the names under which a model is given the two
DESCRIPTION = "label_description"


@dataclass(frozen=True, slots=True)
class Prompts:
    """What a configuration wants before texts.

    Attributes:
        text: Before every text; None for what the model's own files say, which is mostly nothing.
        description: Before the description of a label; None for the same as before a text.
    """

    text: str | None = None
    description: str | None = None

    def put_into(self, model: SentenceTransformer) -> None:
        """Let an opened model use them; what is None stays as the model has it."""
        if self.text is not None:
            model.prompts[TEXT] = self.text
            model.default_prompt_name = TEXT if self.text else None
        if self.description is not None:
            model.prompts[DESCRIPTION] = self.description


AS_THE_MODEL_SAYS = Prompts()


def text_prompt(model: SentenceTransformer) -> str:
    """Say what a model puts before a text."""
    return model.prompts.get(model.default_prompt_name or "") or ""


def description_prompt(model: SentenceTransformer) -> str:
    """Say what a model puts before the description of a label."""
    own = model.prompts.get(DESCRIPTION)
    return text_prompt(model) if own is None else own


def leaves_prompt_out(model: SentenceTransformer) -> bool:
    """Tell whether the tokens of a prompt are read, but do not count in the vector."""
    return any(not getattr(module, "include_prompt", True) for module in model.children())
