"""The errors that hilt raises.

    HiltError
    ├── ConfigError        (ValueError)   a configuration that cannot be used
    ├── DataError          (ValueError)   a source, batch or answer file that cannot be used
    ├── UnknownNameError   (ValueError)   a `kind` that is not registered
    ├── WorkspaceError     (RuntimeError) a workspace that is missing, locked or not far enough
    ├── OutputError        (OSError)      a place where nothing can be written, or that is taken
    ├── MissingExtraError  (ImportError)  an optional package that is not installed
    ├── ModelError         (RuntimeError) a model that cannot be loaded or was altered
    ├── RunnerError        (RuntimeError) a cluster that cannot be used, or loses its workers
    └── ExtensionError     (RuntimeError) a class, function or module of the user's own that fails

Every message says what was wrong with which value, what is allowed, and what to do.
The command line prints it and exits with 2.
"""


class HiltError(Exception):
    """Root of all errors that a user can cause and correct."""


class ConfigError(HiltError, ValueError):
    """A configuration that cannot be used."""


class DataError(HiltError, ValueError):
    """A source, a batch or a file of answers that cannot be used."""


class UnknownNameError(HiltError, ValueError):
    """A name that no registry knows."""


class WorkspaceError(HiltError, RuntimeError):
    """A workspace that is missing, locked, or not far enough for what was asked."""


class OutputError(HiltError, OSError):
    """A place where hilt cannot write, or must not, because its content is not hilt's own."""


class MissingExtraError(HiltError, ImportError):
    """An optional package that is not installed."""


class ModelError(HiltError, RuntimeError):
    """A model that cannot be loaded, or is not the one that was expected."""


class RunnerError(HiltError, RuntimeError):
    """A cluster that cannot be reached, is not safe, or loses its workers again and again."""


class ExtensionError(HiltError, RuntimeError):
    """Code of the user's own that fails, or returns something that cannot be used."""
