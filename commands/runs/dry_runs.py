"""Dry runs and shadow runs: what would be charged or billed."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from rich.table import Table
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.runs.dry_runs import DryRunActivities
from activities.runs.queries import RunQueries
from commands.formatting import money
from commands.links import link_line, workflow_link
from commands.output import Output, Stream, table
from commands.runs.show import require_run
from commands.runs.start import follow
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders
from models.payments.hold import hold_in_words
from models.problem import refusal
from models.runs.criteria import in_words
from models.runs.dry_run import BillingDryRunMember, Difference, DryRunMember, DryRunRequest
from models.runs.process_run import RunKind, RunRequest
from models.workflow_ids import WORKFLOW_QUEUE, shadow_run_id
from workflows.visibility import run_label

PAGE = 500
CHARGED = "charged"
PAID_FROM_WALLET = "paid_from_wallet"
BILLED = "billed"
AMOUNTS = ("Net", "Tax", "Total")


async def dry_run(output: Output, definition_id: str, period: str, *, of_supplement: bool) -> None:
    """Print who would be charged and why others would not, page by page, then the totals.

    Raises RefusedError for a supplement of a period that has no certificate.
    """
    members: Counter[tuple[str, str]] = Counter()
    amounts: defaultdict[tuple[str, str], int] = defaultdict(int)
    held = _Held()
    async with reading_database_of(read_settings()) as database:
        dry_runs = DryRunActivities(database)
        request = DryRunRequest(definition_id, period, limit=PAGE)
        if of_supplement:
            number = await RunQueries(database).next_supplement(definition_id, RunKind.PAYMENT, period)
            request = replace(request, supplement=number)
        page = await dry_runs.dry_run_page(request)
        with output.stream("members") as stream:
            criteria = page.criteria
            while page.after:
                for member in page.members:
                    held.add(member)
                    for key, amount in _counted(member):
                        members[key] += 1
                        amounts[key] += amount
                stream.rows((_document(member) for member in page.members), _members(page.members))
                page = await dry_runs.dry_run_page(replace(request, after=page.after, counted=page.counted))
            totals = [
                {"outcome": outcome, "currency": currency, "members": count, "amount_minor": amounts[outcome, currency]}
                for (outcome, currency), count in sorted(members.items())
            ]
            shown = [(*key, count, money(amounts[key], key[1])) for key, count in sorted(members.items())]
            columns = ("Would be", "Currency", "Members", "Amount")
            view = table("Totals", *columns, rows=shown, right=columns[2:])
            about = [f"Criteria: {in_words(criteria)}"] if criteria else []
            stream.finish(
                {"totals": totals, "holds": held.documents(), "criteria": criteria}, view, *held.views(), *about
            )


async def billing_dry_run(output: Output, definition_id: str, period: str, *, of_supplement: bool) -> None:
    """Print what would be billed and why some would not, page by page, then the totals.

    Raises RefusedError for a supplement of a period that has no certificate.
    """
    totals = _BilledTotals()
    async with reading_database_of(read_settings()) as database:
        dry_runs, request = DryRunActivities(database), DryRunRequest(definition_id, period, limit=PAGE)
        if of_supplement:
            number = await RunQueries(database).next_supplement(definition_id, RunKind.BILLING, period)
            request = replace(request, supplement=number)
        page = await dry_runs.billing_page(request)
        with output.stream("members") as stream:
            while page:
                totals.add(page)
                stream.rows((asdict(member) for member in page), _billed_members(page))
                page = await dry_runs.billing_page(replace(request, after=page[-1].subscription_id))
            stream.finish({"totals": totals.documents()}, totals.view())


async def shadow_run(
    output: Output, definition_id: str, period: str, *, wait: bool, wait_seconds: float | None
) -> None:
    """Start a shadow run, or follow it and print what differs. Raises RefusedError while one is under way."""
    settings = read_settings()
    client = await temporal_for_orders(settings)
    run_id, request = shadow_run_id(definition_id, period), RunRequest(definition_id, period, is_shadow=True)
    async with database_of(settings) as database:
        # A definition that may not run is refused here, where somebody is listening.
        await DryRunActivities(database).dry_run_page(DryRunRequest(definition_id, period, limit=1))
        try:
            handle = await client.start_workflow(
                "PaymentRun",
                request,
                id=run_id,
                task_queue=WORKFLOW_QUEUE,
                **run_label(RunKind.PAYMENT, request, run_id),
            )
        except WorkflowAlreadyStartedError as error:
            raise refusal("run", "one_shadow_at_a_time", f"{run_id} is under way") from error
        if wait:
            await follow(client, database, handle, wait_seconds=wait_seconds)
    if wait:
        await differences(output, run_id)
        return
    link = workflow_link(settings, run_id)
    output.answer({"run_id": run_id, "link": link}, f"Started {run_id}", *link_line(link))


async def differences(output: Output, run_id: str) -> None:
    """Print in what a shadow run differs from the last certified run. Raises RefusedError when it is not done."""
    async with reading_database_of(read_settings()) as database:
        run = await require_run(RunQueries(database), run_id)
        if run.kind != "shadow" or run.certificate is None:
            raise refusal("run", "shadow_completed", f"{run_id} is no shadow run that has come to its end")
        dry_runs = DryRunActivities(database)
        with output.stream("differences") as stream:
            await _stream_differences(dry_runs, run_id, stream)
            comparison = run.certificate["comparison"]
            beside = comparison["baseline_id"] or "no certified run"
            rows = sorted(comparison["members"].items())
            view = table("", "Members are", "Number", rows=rows, right=("Number",))
            stream.finish({"run_id": run_id, "comparison": comparison}, f"{run_id} beside {beside}", view)


async def _stream_differences(dry_runs: DryRunActivities, run_id: str, stream: Stream) -> None:
    after = ""
    while page := await dry_runs.differences(run_id, after=after, limit=PAGE):
        stream.rows((asdict(one) for one in page), _differences(page))
        after = page[-1].account_id


def _counted(member: DryRunMember) -> Iterator[tuple[tuple[str, str], int]]:
    if member.from_wallet_minor:
        yield (PAID_FROM_WALLET, member.currency), member.from_wallet_minor
    if member.reason != PAID_FROM_WALLET:
        yield (member.reason or CHARGED, member.currency), member.amount_minor


def _members(page: Sequence[DryRunMember]) -> Table:
    has_wallets = any(m.from_wallet_minor for m in page)
    rows = [
        (
            m.account_id,
            *([money(m.from_wallet_minor, m.currency)] if has_wallets else []),
            money(m.amount_minor, m.currency),
            m.card,
            _would_be(m),
        )
        for m in page
    ]
    columns = ("Account", *(["From wallet"] if has_wallets else []), "Amount", "Card", "Would be")
    return table("", *columns, rows=rows, right=("From wallet", "Amount"))


def _document(member: DryRunMember) -> dict[str, object]:
    held_by, why = _hold(member)
    return {name: value for name, value in asdict(member).items() if name != "hold"} | {"held_by": held_by, "why": why}


def _would_be(member: DryRunMember) -> str:
    held_by, why = _hold(member)
    return f"{member.reason}, {held_by}: {why}" if held_by else member.reason or CHARGED


def _hold(member: DryRunMember) -> tuple[str, str]:
    """Return which rule would hold it and why, in words."""
    hold = member.hold
    if hold is None:
        return "", ""
    return hold.rule_id, hold_in_words(hold.because, hold.figures, member.amount_minor, member.currency)


def _differences(page: Sequence[Difference]) -> Table:
    rows = [
        (
            one.account_id,
            f"{one.difference} {one.reason}".strip(),
            _side(one.before_minor, one.before_currency, one.before_card),
            _side(one.amount_minor, one.currency, one.card),
        )
        for one in page
    ]
    return table("", "Account", "Difference", "Before", "Now", rows=rows)


def _side(amount_minor: int | None, currency: str | None, card: str | None) -> str:
    if amount_minor is None or currency is None:
        return ""
    return f"{money(amount_minor, currency)}, {card}"


class _Held:
    """What rules would hold for a person, by rule, limit and currency, in minor units."""

    def __init__(self) -> None:
        self._members: Counter[tuple[str, str, str]] = Counter()
        self._amounts: Counter[tuple[str, str, str]] = Counter()

    def add(self, member: DryRunMember) -> None:
        if member.hold is not None:
            key = (member.hold.rule_id, member.hold.because, member.currency)
            self._members[key] += 1
            self._amounts[key] += member.amount_minor

    def documents(self) -> list[dict[str, object]]:
        """Return a JSON object for each rule, limit and currency."""
        return [
            {
                "rule_id": rule,
                "because": because,
                "currency": currency,
                "members": count,
                "amount_minor": self._amounts[rule, because, currency],
            }
            for (rule, because, currency), count in sorted(self._members.items())
        ]

    def views(self) -> list[Table]:
        """Return the table; none where nothing would be held."""
        rows = [(*key, count, money(self._amounts[key], key[2])) for key, count in sorted(self._members.items())]
        columns = ("Held by", "Because", "Currency", "Members", "Amount")
        return [table("Would wait for a person", *columns, rows=rows, right=columns[3:])] if rows else []


class _BilledTotals:
    """Sums of a dry run by outcome and currency, in minor units."""

    def __init__(self) -> None:
        self._members: Counter[tuple[str, str]] = Counter()
        self._amounts: Counter[tuple[str, str, str]] = Counter()

    def add(self, page: Sequence[BillingDryRunMember]) -> None:
        for one in page:
            key = (one.reason or BILLED, one.currency)
            self._members[key] += 1
            for name, amount in (("net", one.net_minor), ("tax", one.tax_minor), ("total", one.total_minor)):
                self._amounts[*key, name] += amount or 0

    def documents(self) -> list[dict[str, object]]:
        """Return a JSON object for each outcome and currency; what is not billed has no tax and no total."""
        return [
            {
                "outcome": outcome,
                "currency": currency,
                "members": members,
                "net_minor": self._amounts[outcome, currency, "net"],
                "tax_minor": self._billed(outcome, currency, "tax"),
                "total_minor": self._billed(outcome, currency, "total"),
            }
            for (outcome, currency), members in sorted(self._members.items())
        ]

    def view(self) -> Table:
        rows = [
            (one["outcome"], one["currency"], one["members"], *_amounts(one, str(one["currency"])))
            for one in self.documents()
        ]
        columns = ("Would be", "Currency", "Members", *AMOUNTS)
        return table("Totals", *columns, rows=rows, right=columns[2:])

    def _billed(self, outcome: str, currency: str, name: str) -> int | None:
        return self._amounts[outcome, currency, name] if outcome == BILLED else None


def _billed_members(page: Sequence[BillingDryRunMember]) -> Table:
    rows = [
        (one.subscription_id, one.account_id, *_amounts(asdict(one), one.currency), one.reason or BILLED)
        for one in page
    ]
    return table("", "Subscription", "Account", *AMOUNTS, "Would be", rows=rows, right=AMOUNTS)


def _amounts(document: dict[str, object], currency: str) -> tuple[str, ...]:
    amounts = (document[name] for name in ("net_minor", "tax_minor", "total_minor"))
    return tuple(money(amount, currency) if isinstance(amount, int) else "" for amount in amounts)
