"""What passes between the modules of the sandbox, and its bytes."""

from collections.abc import Callable
from typing import Any, TypeAlias

import orjson

Json: TypeAlias = dict[str, Any]
"""An object as it stands on the wire: no private field is ever kept in one."""

Handler: TypeAlias = Callable[..., Json]
"""An operation: `(state, parameters, *ids of the path)` to the object that answers it."""


def encoded(body: Json) -> bytes:
    """JSON for keeping: orjson leaves its whole buffer behind the bytes, which is ten times what they need."""
    return bytes(memoryview(orjson.dumps(body, default=str)))
