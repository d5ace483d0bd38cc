"""A typed way to declare an asynchronous update with a description."""

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar, cast

from temporalio import workflow
from temporalio.workflow import UpdateMethodMultiParam

Params = ParamSpec("Params")
Result = TypeVar("Result")


def async_update(
    description: str,
) -> Callable[[Callable[Params, Awaitable[Result]]], UpdateMethodMultiParam[Params, Result]]:
    """Declare an update; the SDK's decorator, when described, takes an async handler's result for a coroutine."""
    decorate: Any = workflow.update(description=description)
    return cast("Callable[[Callable[Params, Awaitable[Result]]], UpdateMethodMultiParam[Params, Result]]", decorate)
