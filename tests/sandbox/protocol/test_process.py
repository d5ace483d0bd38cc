"""The sandbox as a process: `python -m sandbox.stripe`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stripe import StripeClient

ROOT = Path(__file__).parents[3]


def start(address: Path, *options: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "sandbox.stripe", f"--address-file={address}", *options]
    environment = os.environ | {"STRIPE_API_KEY": "sk_test_of_a_process"}
    return subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def address_in(file: Path) -> str:
    while not file.exists() or not file.read_text().endswith("\n"):
        time.sleep(0.02)
    return file.read_text().strip()


@pytest.mark.nightly
def test_it_tells_its_address_answers_and_ends_cleanly(tmp_path: Path) -> None:
    with start(tmp_path / "address") as server:
        base_url = address_in(tmp_path / "address")
        client = StripeClient("sk_test_of_a_process", base_addresses={"api": base_url}, max_network_retries=0)

        customer = client.v1.customers.create({"name": "Ada"})
        server.send_signal(signal.SIGTERM)
        printed, _ = server.communicate(timeout=15)

    assert customer.name == "Ada"
    assert printed.strip() == base_url
    assert server.returncode in {0, -signal.SIGTERM}
