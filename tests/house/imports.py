"""Which module may import which: entries -> workflows -> activity classes -> models, never back."""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.house.source import Module, is_within

ENTRIES = ("console", "portal", "starter", "webhook", "worker")
DRIVERS = ("psycopg", "psycopg_pool", "sqlalchemy", "stripe", "structlog")
OUTSIDE_WORLD = (
    "asyncio",
    "http",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "uuid",
)


@dataclass(frozen=True)
class Rule:
    """Modules below `importers`, save those below `excepted`, import nothing below `forbidden`."""

    importers: tuple[str, ...]
    forbidden: tuple[str, ...]
    reason: str
    excepted: tuple[str, ...] = ()

    def covers(self, module: Module) -> bool:
        """Tell whether the rule speaks of this module."""
        return is_within(module.name, self.importers) and not is_within(module.name, self.excepted)


EVERYTHING = (
    "activities",
    "bench",
    "commands",
    "migrations",
    "models",
    "sandbox",
    "settings",
    "telemetry",
    "web",
    "workflows",
    *ENTRIES,
)
INSIDE = ("activities", "models", "workflows")
# The adapter of Stripe. Beside it are the port's own: attempts, clocks, pace; and other adapters, each a folder.
STRIPE = (
    "activities.gateway.clocked_http",
    "activities.gateway.connected",
    "activities.gateway.evidence",
    "activities.gateway.stripe_cards",
    "activities.gateway.stripe_disputes",
    "activities.gateway.stripe_events",
    "activities.gateway.stripe_gateway",
    "activities.gateway.stripe_movements",
    "activities.gateway.stripe_pages",
    "activities.gateway.stripe_refunds",
    "activities.gateway.translation",
)

RULES = (
    Rule(("models",), OUTSIDE_WORLD, "models know no clock, no chance and no outside world"),
    Rule(("models",), ("models.tables",), "rules know no tables", excepted=("models.tables",)),
    Rule(("activities",), ("workflows",), "activities do not know who calls them"),
    Rule(
        EVERYTHING,
        ("stripe",),
        "Stripe is spoken below activities/gateway/ only",
        excepted=(
            "activities.gateway",
            "bench",
            "sandbox",
        ),
    ),
    Rule(
        ("activities.gateway",),
        ("stripe", *STRIPE),
        "what every provider is called through, and any other provider's adapter, knows nothing of Stripe",
        excepted=STRIPE,
    ),
    Rule(
        EVERYTHING,
        STRIPE,
        "whoever asks a provider knows the port alone; what starts a process, or checks it, chooses the adapter",
        excepted=(
            "activities.gateway",
            "bench",
            "commands.gateway_session",
            "commands.operations.checks.connect",
            "commands.recovery.recover",
            "sandbox",
            "webhook",
            "worker",
        ),
    ),
    Rule(("workflows",), DRIVERS, "workflows are deterministic; the outside world is behind activities"),
    Rule(
        ("workflows",),
        tuple(name for name in OUTSIDE_WORLD if name != "asyncio"),
        "workflows know no chance and no outside world, and what is shared among them is not watched by the sandbox",
    ),
    Rule(
        ("workflows",),
        ("temporalio.client",),
        "a workflow calls no client: that is an activity's or an entry's",
        excepted=(
            "workflows.client",
            "workflows.namespace",
            "workflows.reports.schedules",
            "workflows.runs.calendar_spec",
            "workflows.runs.schedules",
            "workflows.supervision.schedule",
        ),
    ),
    Rule(
        ("workflows",),
        ("activities.database", "activities.gateway", "models.tables"),
        "workflows know the activity classes, not what they are made of",
    ),
    Rule(
        (*INSIDE, "migrations", "settings"),
        ("telemetry", "prometheus_client", "opentelemetry.sdk", "opentelemetry.exporter"),
        "what does the work knows nothing of what is told of it: entries put the two together",
    ),
    Rule(INSIDE, ("settings",), "entries read the settings and pass values on"),
    Rule(
        (
            "activities",
            "migrations",
            "models",
            "settings",
            "telemetry",
            "web",
            "webhook",
            "worker",
            "workflows",
            "console",
            "portal",
        ),
        ("sandbox",),
        "the sandbox is for development and not installed in production",
    ),
    Rule(
        ("activities", "commands", "migrations", "models", "settings", "telemetry", "web", "workflows", *ENTRIES),
        ENTRIES,
        "an entry is started, not imported",
    ),
    Rule(
        EVERYTHING,
        ("commands",),
        "the use cases belong to starter.py and to the console, which asks for the same",
        excepted=("commands", "starter", "web"),
    ),
    Rule(
        EVERYTHING,
        ("web",),
        "the pages belong to console.py and portal.py, and are measured by bench.console",
        excepted=("bench.console", "console", "portal", "web"),
    ),
    Rule(
        ("web",),
        ("psycopg", "activities.gateway"),
        "pages read the database through its room, and never wait for the gateway",
    ),
    Rule(EVERYTHING, ("tests",), "only tests import tests"),
    Rule((*EVERYTHING, "tests"), ("localstripe",), "it is GPL: started as a process, and never imported"),
    Rule(EVERYTHING, ("bench",), "only the bench imports the bench", excepted=("bench",)),
    Rule(
        ("migrations",),
        ("activities", "commands", "workflows"),
        "a migration must run the same years later: it knows the tables alone",
    ),
)


def imports_of(module: Module) -> Iterator[tuple[int, str]]:
    """Yield line and full dotted name of everything the module imports, wherever it does."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def forbidden_imports(modules: Iterable[Module]) -> list[str]:
    """Return a line for each import that a rule forbids."""
    return [
        module.at(line, f"imports {imported}: {rule.reason}")
        for module in modules
        for rules in [[rule for rule in RULES if rule.covers(module)]]
        for line, imported in imports_of(module)
        for rule in rules
        if is_within(imported, rule.forbidden)
    ]


def foreign_imports_of_models(modules: Iterable[Module]) -> list[str]:
    """Return a line for each import of models beyond the standard library; tables may use SQLAlchemy."""
    return [
        module.at(line, f"imports {imported}: models need the standard library only")
        for module in modules
        if is_within(module.name, ("models",))
        for line, imported in imports_of(module)
        if imported.partition(".")[0] not in _allowed_in(module)
    ]


def _allowed_in(module: Module) -> frozenset[str]:
    ours = {"models", "sqlalchemy"} if is_within(module.name, ("models.tables",)) else {"models"}
    return sys.stdlib_module_names | ours


def parts_of_workflows(modules: Iterable[Module]) -> list[str]:
    """Return the modules of `workflows` that neither define a workflow nor bring one in, nor hold one that does."""
    loaded = {module.name: module for module in modules if is_within(module.name, ("workflows",))}
    inside = {name for name, module in loaded.items() if defines_a_workflow(module)}
    coming = set(inside)
    while coming:
        coming = {name for name, module in loaded.items() if _imported_modules(module, loaded) & coming} - inside
        inside |= coming
    return sorted(name for name in loaded if not any(is_within(one, (name,)) for one in inside))


def defines_a_workflow(module: Module) -> bool:
    """Tell whether the module has a class that `workflow.defn` marks."""
    return any(
        ast.unparse(mark).startswith("workflow.defn")
        for node in module.nodes
        if isinstance(node, ast.ClassDef)
        for mark in node.decorator_list
    )


def _imported_modules(module: Module, known: Mapping[str, Module]) -> set[str]:
    names = {name for _, imported in imports_of(module) for name in (imported, imported.rpartition(".")[0])}
    return names & set(known)
