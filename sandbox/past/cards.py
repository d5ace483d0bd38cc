"""Cards in the past: what their issuers answer, and the new ones that customers bring."""

from collections.abc import Sequence

from models.cards.card import CardRegistration, CardRequest, ValidationResult
from models.workflow_ids import WORKFLOW_QUEUE, card_id
from sandbox.customers.generation import GeneratedAccount
from sandbox.customers.merchant import PAYMENT_METHOD, PROVIDER
from sandbox.demo.tools import Tools
from sandbox.past.lives import Incident
from sandbox.stripe.cards import AUTHENTICATE, declined
from sandbox.stripe.control.messages import CardOutcome
from workflows.cards.card_lifecycle import CardLifecycle
from workflows.visibility import card_label

_EMPTY = declined("insufficient_funds")
_ANSWERS: dict[Incident, tuple[CardOutcome, ...]] = {
    Incident.EMPTY_ONCE: (_EMPTY,),
    Incident.EMPTY_TWICE: (_EMPTY, _EMPTY),
    # As often as the policy asks.
    Incident.NEVER_PAYS: (_EMPTY,) * 4,
    Incident.PROCESSING_ERROR: (declined("processing_error"),),
    Incident.RESTRICTED: (declined("restricted_card", advice_code="do_not_try_again", network_decline_code="62"),),
    Incident.STOLEN: (declined("stolen_card"),),
    Incident.UNKNOWN_CODE: (declined("a_code_of_next_year"),),
    Incident.AUTHENTICATE: (AUTHENTICATE,),
}
# What rules a card out for good: its customer brings another one.
NEED_A_NEW_CARD = frozenset({Incident.RESTRICTED, Incident.STOLEN})

_ACTIVE = """
select distinct on (account_id) account_id, id, token from duly.cards
where account_id = any (:accounts) and state = 'active' order by account_id, fallback_order, id
"""
_NEWEST = "select id from duly.cards where account_id = :account order by created_at desc, id limit 1"
_UNATTENDED = (
    "select id, account_id from duly.cards where state = 'active' and account_id = any (:accounts) order by id"
)
_RUN_OUT = """
select id, account_id, token from duly.cards
where state = 'active' and exp_year = :year and exp_month = :month order by account_id, id
"""


class PastCards:
    """The cards of a company's customers."""

    def __init__(self, tools: Tools) -> None:
        self._client = tools.client
        self._database = tools.database
        self._gateway = tools.gateway
        self._control = tools.control

    async def start_workflows(self, accounts: list[str]) -> None:
        """Start the workflows of imported cards, as `starter.py cards adopt` does."""
        for row in await self._database.rows(_UNATTENDED, accounts=accounts):
            _ = await self._client.start_workflow(
                CardLifecycle.run,
                CardRequest(row.id, PROVIDER),
                id=card_id(row.id),
                task_queue=WORKFLOW_QUEUE,
                **card_label(row.id, account=row.account_id, provider=PROVIDER),
            )

    async def answer(self, incidents: dict[str, Incident]) -> None:
        """Let issuers answer as it happens to whom."""
        accounts = [account for account, incident in incidents.items() if incident in _ANSWERS]
        for row in await self._database.rows(_ACTIVE, accounts=accounts):
            self._control.script_card(row.token, *_ANSWERS[incidents[row.account_id]])

    async def meet_problems(self, accounts: Sequence[GeneratedAccount]) -> None:
        """Let the first card of each account answer as is generated for it from now on."""
        troubled = {account.id: account.cards[0].answers for account in accounts if account.cards}
        for row in await self._database.rows(_ACTIVE, accounts=list(troubled)):
            answers = troubled[row.account_id]
            if answers.outcomes:
                self._control.script_card(row.token, *answers.outcomes, repeat_last=answers.repeat_last)

    async def bring(self, account: str, month: int) -> None:
        """Let a customer save a new card in the place of the newest one."""
        newest = (await self._database.rows(_NEWEST, account=account))[0].id
        token = ("tok_visa", "tok_mastercard")[month % 2]
        made = await self._gateway.v1.payment_methods.create_async({"type": "card", "card": {"token": token}})
        name = f"card_{account}-{month}"
        registration = CardRegistration(name, account, PROVIDER, PAYMENT_METHOD, made.id, replaces=newest)
        started = await self._client.start_workflow(
            CardLifecycle.run,
            CardRequest(name, PROVIDER, registration),
            id=card_id(name),
            task_queue=WORKFLOW_QUEUE,
            **card_label(name, account=account, provider=PROVIDER),
        )
        _ = await started.execute_update("first_outcome", result_type=ValidationResult)

    async def run_out(self, year: int, month: int, count: int) -> list[str]:
        """Let networks reissue the cards of this last month, but for every third; return whose customers must act."""
        late = []
        for place, row in enumerate(await self._database.rows(_RUN_OUT, year=year, month=month)):
            if (place + count) % 3:
                _ = self._control.automatically_update_card(row.token)
            else:
                late.append(row.account_id)
        return late
