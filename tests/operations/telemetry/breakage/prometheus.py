"""What a server of Prometheus does, for a test: it asks processes, and judges what it saw by the rules."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.operations.telemetry.process_client import until_ready
from tests.operations.telemetry.test_monitoring import ALERTS, named_by_alerts

FIRING = re.compile(r'alertname=\\?"(\w+)\\?"')
# How long what was seen first has lasted, and how long what was seen last lasts, in minutes.
BEFORE, AFTER = 60, 400
Seen = Mapping[str, float]


@dataclass
class Prometheus:
    """What a server of Prometheus does: asks processes, and judges what it saw by the rules."""

    folder: Path
    clients: AsyncExitStack
    processes: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def follow(self, client: httpx.AsyncClient) -> None:
        """Ask a process as well, from when it is ready on."""
        self.processes[str(client.base_url.port)] = await self.clients.enter_async_context(client)
        await until_ready(client)

    async def once(self, holds: Callable[[Seen], bool]) -> Seen:
        """Ask until what is seen is as it must become: what is open is read now and then."""
        while not holds(seen := await self.scrape()):  # noqa: ASYNC110
            await asyncio.sleep(1)
        return seen

    async def scrape(self) -> Seen:
        """Ask every process, and return the series that rules are about."""
        seen: dict[str, float] = {}
        for instance, client in self.processes.items():
            try:
                text = (await client.get("/metrics")).raise_for_status().text
            except httpx.TransportError:
                seen[f'up{{job="duly", instance="{instance}"}}'] = 0
                continue
            seen[f'up{{job="duly", instance="{instance}"}}'] = 1
            seen |= series_of(text_string_to_metric_families(text), instance)
        return seen

    async def firing(self, before: Seen, after: Seen) -> set[str]:
        """Return the alerts that fire at any time after the change from what was seen before to what was seen then."""
        return await asyncio.to_thread(firing, self.folder, before, after)


def series_of(families: Iterable[Metric], instance: str = "here") -> Seen:
    """Return the series that rules are about, as a server of Prometheus labels those of a process."""
    return {
        f"{sample.name}{{{_shown({**sample.labels, 'job': 'duly', 'instance': instance})}}}": min(sample.value, 1e9)
        for family in families
        for sample in family.samples
        # promtool writes no endless number.
        if sample.name in named_by_alerts()
    }


def _shown(labels: Mapping[str, str]) -> str:
    return ", ".join(f'{name}="{value}"' for name, value in labels.items())


def firing(folder: Path, before: Seen, after: Seen) -> set[str]:
    """Return the alerts that fire at any time after the change from what was seen before to what was seen then."""
    if shutil.which("promtool") is None:
        pytest.skip("no promtool on this machine (Debian's package prometheus has it)")
    series = [{"series": name, "values": _values(before, after, name)} for name in sorted({*before, *after})]
    minutes = range(BEFORE + 1, BEFORE + AFTER, 10)
    asked = [
        {"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{minute}m", "exp_samples": []} for minute in minutes
    ]
    document = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": asked}],
    }
    file = folder / "seen.yml"
    file.write_text(yaml.safe_dump(document))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert "SUCCESS" in output or "got:" in output, output[:2000]
    return set(FIRING.findall(output))


def _values(before: Seen, after: Seen, name: str) -> str:
    first = f"{before[name]:g}x{BEFORE}" if name in before else f"_x{BEFORE}"
    then = f"{after[name]:g}x{AFTER}" if name in after else "stale"
    return f"{first} {then}"


def total(seen: Seen, name: str, label: str = "") -> float:
    """Return the sum of a metric's series, of those with a label's value where one is given."""
    return sum(value for series, value in seen.items() if series.startswith(f"{name}{{") and label in series)
