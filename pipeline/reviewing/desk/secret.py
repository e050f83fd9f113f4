"""The secret by which the review screen of a workspace seals its sessions."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from hilt.files import sentences
from hilt.pipeline.workspace.lock import NOT_WRITABLE

SECRET = ".review-secret"
SECRET_BYTES = 32


def read_secret(folder: Path) -> bytes:
    """Read the secret of a workspace, made when it is first asked for."""
    path = folder / SECRET
    with sentences(path, NOT_WRITABLE):
        if not path.exists() or path.stat().st_size != SECRET_BYTES:  # torn by a lost disk
            handle, made = tempfile.mkstemp(dir=path.parent, prefix=f"{SECRET}.")
            with os.fdopen(handle, "wb") as file:  # nobody else can read it
                file.write(secrets.token_bytes(SECRET_BYTES))
            Path(made).replace(path)
        if path.stat().st_mode & 0o077:  # a copied workspace may have opened it to others
            path.chmod(0o600)
        return path.read_bytes()
