"""What the owners of connected accounts do, and what Stripe finds about them."""

from starlette.requests import Request

from sandbox.stripe.control.bodies import given
from sandbox.stripe.control.messages import AccountReview
from sandbox.stripe.core import Sandbox
from sandbox.stripe.objects import accounts


async def disconnect(sandbox: Sandbox, request: Request) -> object:
    """The owner of a connected account takes the platform's access away."""
    sandbox.disconnect(request.path_params["id"])
    return {}


async def let_in(sandbox: Sandbox, request: Request) -> object:
    """The owner of a connected account gives the platform its access back."""
    sandbox.let_in(request.path_params["id"])
    return {}


async def review(sandbox: Sandbox, request: Request) -> object:
    """Stripe, or its owner, changes where a connected account stands."""
    account = sandbox.platform.accounts.get(request.path_params["id"])
    accounts.review(sandbox.platform, account, await given(request, AccountReview))
    return account
