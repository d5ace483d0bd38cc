"""The two shapes that pass between the modules of the sandbox."""

from collections.abc import Callable
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""An object as it stands on the wire: no private field is ever kept in one."""

Handler: TypeAlias = Callable[..., Json]
"""An operation: `(world, parameters, *ids of the path)` to the object that answers it."""
