"""The body of a control request, read as what it must be."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from sandbox.stripe.api.errors import invalid_request

AnyModel = TypeVar("AnyModel", bound=BaseModel)


async def given(request: Request, model: type[AnyModel]) -> AnyModel:
    """The body as the model, or a 400 that names field and rule."""
    try:
        return model.model_validate_json(await request.body() or b"{}")
    except ValidationError as invalid:
        raise invalid_request(str(invalid), param=model.__name__) from invalid
