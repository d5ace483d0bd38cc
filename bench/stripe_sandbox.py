"""How many charges a second one core of the Stripe sandbox answers: `python -m bench.stripe_sandbox`.

The sandbox runs as a process pinned to one core. Keep-alive connections post `/v1/payment_intents` (create and
confirm, off session, with an idempotency key) from another core, and read whole answers.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import psutil
import stripe
import typer

from sandbox.stripe.control.client import SandboxControl

API_KEY = "sk_test_bench"
START_TIMEOUT_SECONDS = 15.0
SECONDS_MAX = 120


@dataclass(frozen=True)
class Measured:
    """One run: what was answered, how fast, and what it cost the server."""

    charges: int
    seconds: float
    per_second: float
    server_cpu_ms_per_charge: float
    server_resident_mib: float
    succeeded_in_books: int


@contextlib.contextmanager
def sandbox_on_core(core: int) -> Iterator[tuple[str, psutil.Process]]:
    """Start the sandbox on a core of its own, and yield its address and process."""
    with tempfile.TemporaryDirectory() as folder:
        address = Path(folder) / "address"
        argv = (sys.executable, "-m", "sandbox.stripe", f"--api-key={API_KEY}", f"--address-file={address}")
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as server:
            try:
                process = psutil.Process(server.pid)
                process.cpu_affinity([core])
                yield _address_in(address), process
            finally:
                server.terminate()


def _address_in(file: Path) -> str:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if file.exists() and file.read_text().endswith("\n"):
            return file.read_text().strip()
        time.sleep(0.05)
    raise TimeoutError(f"the sandbox did not start within {START_TIMEOUT_SECONDS} seconds")


def charge_request(url: str, customer: str, method: str, number: int) -> bytes:
    """One HTTP request, as the SDK would send it."""
    body = urlencode(
        {
            "amount": 1999,
            "currency": "eur",
            "customer": customer,
            "payment_method": method,
            "off_session": "true",
            "confirm": "true",
            "automatic_payment_methods[enabled]": "true",
            "automatic_payment_methods[allow_redirects]": "never",
            "metadata[duly_request]": f"req_{number}",
            "metadata[duly_account]": f"acc_{number}",
        }
    ).encode()
    head = (
        f"POST /v1/payment_intents HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {API_KEY}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nIdempotency-Key: req_{number}:1\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def charge_until(deadline: float, url: str, customer: str, method: str, numbers: Iterator[int]) -> int:
    """Charge over one connection until the deadline; the count of answers, each of which must be a success."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    answered = 0
    while time.monotonic() < deadline:
        writer.write(charge_request(url, customer, method, next(numbers)))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        answered += 1
    writer.close()
    return answered


async def measure(url: str, process: psutil.Process, *, seconds: int, connections: int) -> Measured:
    """Load the server for that long and read its clock of CPU time before and after."""
    client = stripe.StripeClient(API_KEY, base_addresses={"api": url}, max_network_retries=0)
    customer = client.v1.customers.create({"name": "Bench"}).id
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    numbers = iter(range(1, sys.maxsize))
    await charge_until(time.monotonic() + 1, url, customer, method, numbers)
    before, started = _cpu_seconds(process), time.monotonic()
    deadline = started + seconds
    loads = (charge_until(deadline, url, customer, method, numbers) for _ in range(connections))
    charges = sum(await asyncio.gather(*loads))
    elapsed, cpu = time.monotonic() - started, _cpu_seconds(process) - before
    return Measured(
        charges=charges,
        seconds=round(elapsed, 2),
        per_second=round(charges / elapsed, 1),
        server_cpu_ms_per_charge=round(cpu * 1000 / charges, 3),
        server_resident_mib=round(process.memory_info().rss / 2**20, 1),
        succeeded_in_books=_charges_in_books(url),
    )


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _charges_in_books(url: str) -> int:
    with SandboxControl(url) as control:
        return sum(total.charges.count for total in control.movements().totals)


def main(
    seconds: Annotated[int, typer.Option(min=1, max=SECONDS_MAX)] = 10,
    connections: Annotated[int, typer.Option(min=1, max=256)] = 16,
) -> None:
    """Measure charges per second on one core and print them as JSON."""
    with sandbox_on_core(0) as (url, process):
        psutil.Process().cpu_affinity([max(psutil.Process().cpu_affinity() or [0])])
        measured = asyncio.run(measure(url, process, seconds=seconds, connections=connections))
    print(json.dumps(asdict(measured), indent=2))


if __name__ == "__main__":
    typer.run(main)
