"""Other clients than Python's: the `temporal` command line, and Node.js with Temporal's own package."""

import asyncio
import json
import os
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from sandbox.servers.temporal import program
from tests.contract.foreign import Foreign
from tests.house.source import ROOT
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly

EXAMPLE = ROOT / "docs" / "examples" / "typescript"
INSTALL_SECONDS = 100


async def output_of(*words: str, cwd: Path | None = None, **environment: str) -> tuple[int, str]:
    """Run a program to its end; return its code and all that it has said."""
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), INSTALL_SECONDS)
    return process.returncode or 0, printed.decode()


async def temporal(address: str, *words: str) -> tuple[int, str]:
    """Run Temporal's command line."""
    return await output_of(program("temporal"), *words, "--address", address)


async def test_on_temporals_command_line_a_misspelt_field_is_said_at_once(
    foreign: Foreign, temporal_address: str
) -> None:
    code, printed = await temporal(
        temporal_address,
        *("workflow", "execute", "--type", "Collection", "--task-queue", foreign.queue),
        *("--workflow-id", "collection/acc_42/2026-11"),
        *("--input", json.dumps({"acount_id": "acc_42", "period": "2026-11"})),
    )

    assert code != 0
    assert "acount_id: is no field; did you mean account_id?" in printed


async def test_on_temporals_command_line_an_update_is_refused_by_the_name_of_the_field(
    foreign: Foreign, temporal_address: str
) -> None:
    async with foreign.waiting("Dispute") as handle:
        code, printed = await temporal(
            temporal_address,
            *("workflow", "update", "execute", "--workflow-id", handle.id, "--name", "check_now"),
            *("--input", json.dumps({"actor": "maria", "raeson": "as agreed"})),
        )

    assert code != 0
    assert "reason: is missing" in printed


async def test_on_temporals_command_line_plain_json_collects_a_receivable(
    standing_duly: RunningDuly, merchant: Merchant, temporal_address: str
) -> None:
    account = await merchant.account(f"acc_{uuid4().hex}", owes_minor=2500)

    code, printed = await temporal(
        temporal_address,
        *("workflow", "execute", "--type", "Collection", "--task-queue", "duly", "--output", "json"),
        *("--workflow-id", f"collection/{account}/2026-11"),
        *("--input", json.dumps({"account_id": account, "period": "2026-11"})),
    )

    assert code == 0, printed
    assert json.loads(printed)["result"]["stage"] == "settled"
    assert await merchant.balance(account) == 0


@pytest.mark.nightly
@pytest.mark.slow
async def test_the_example_for_node_collects_a_receivable_and_is_told_what_is_wrong(
    standing_duly: RunningDuly, merchant: Merchant, temporal_address: str, tmp_path: Path
) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("there is no Node.js here")
    for name in ("package.json", "package-lock.json", "collect-now.mjs"):
        shutil.copy(EXAMPLE / name, tmp_path)
    code, printed = await output_of(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=tmp_path)
    if code:
        pytest.skip(f"npm cannot install here: {printed.strip().splitlines()[-1]}")
    account = await merchant.account(f"acc_{uuid4().hex}", owes_minor=2500)

    async def collect(period: str) -> tuple[int, str]:
        return await output_of(
            node, "collect-now.mjs", account, period, cwd=tmp_path, DULY_TEMPORAL_ADDRESS=temporal_address
        )

    refused, reason = await collect("soon")
    done, outcome = await collect("2026-11")

    assert (refused, json.loads(reason)["type"]) == (1, "period_is_a_month")
    assert (done, json.loads(outcome)["outcome"]) == (0, "settled")
    assert await merchant.balance(account) == 0


def test_the_lock_of_the_example_names_no_address_and_every_package_has_its_hash() -> None:
    locked = json.loads((EXAMPLE / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    packages = [package for place, package in locked.items() if place]
    assert [package for package in packages if "resolved" in package] == []
    assert all(package["integrity"].startswith("sha512-") for package in packages)
