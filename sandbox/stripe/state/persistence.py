"""Keeps what the sandbox knows in a file, so that a stack which is started again goes on with the same gateway."""

import copyreg
import logging
import pickle
from pathlib import Path

import orjson

from sandbox.stripe.core import Sandbox, SandboxConfig

log = logging.getLogger(__name__)


def _reduce_fragment(fragment: orjson.Fragment) -> tuple[type[orjson.Fragment], tuple[bytes]]:
    return orjson.Fragment, (orjson.dumps(fragment),)


copyreg.pickle(orjson.Fragment, _reduce_fragment)


class UnreadableStateError(RuntimeError):
    """A file that this version of the sandbox cannot read; the message says what to do."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} was not written by this version of the sandbox; remove it to begin anew")


def load_sandbox(path: Path, config: SandboxConfig) -> Sandbox:
    """Return the sandbox as it was kept, or a new one. Its secrets, limits and webhook endpoints are this start's."""
    if not path.exists():
        return Sandbox(config)
    try:
        # The file is our own: it lies in the stack's data folder, which only its owner may read.
        sandbox = pickle.loads(path.read_bytes())  # noqa: S301
    except (pickle.UnpicklingError, AttributeError, EOFError, ImportError, IndexError) as error:
        raise UnreadableStateError(path) from error
    if not isinstance(sandbox, Sandbox):
        raise UnreadableStateError(path)
    sandbox.begin_again(config)
    return sandbox


class StateFile:
    """Writes the sandbox to its file whenever requests have come in since the last time."""

    def __init__(self, sandbox: Sandbox, path: Path) -> None:
        self._sandbox = sandbox
        self._path = path
        self._saved_at = -1

    def save(self) -> None:
        """Write the file anew, whole or not at all."""
        requests = self._sandbox.requests.total()
        if requests == self._saved_at:
            return
        new = self._path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_bytes(pickle.dumps(self._sandbox))
        new.replace(self._path)
        self._saved_at = requests
