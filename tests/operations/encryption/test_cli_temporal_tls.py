"""Temporal is spoken to with TLS, and both sides know whom they speak to."""

from pathlib import Path
from typing import Any

import pytest

from tests.operations.encryption.authority import CertificateAuthority, Issued, openssl, temporal_with_tls
from tests.operations.encryption.conftest import port_of
from tests.operations.encryption.test_cli_database_tls import finding
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

CHECK = "Temporal encryption"
LIST = ("schedule", "list", "--json")


def shown(issued: Issued) -> dict[str, str]:
    return {"DULY_TEMPORAL_TLS_CERT": str(issued.certificate), "DULY_TEMPORAL_TLS_KEY": str(issued.key)}


def believing(authority: CertificateAuthority) -> dict[str, str]:
    return {"DULY_TEMPORAL_TLS_CA": str(authority.certificate)}


async def test_a_certificate_of_the_authority_is_verified_and_its_end_is_shown(
    with_temporal_tls: CommandLine, authority: CertificateAuthority
) -> None:
    listed = await with_temporal_tls(*LIST, **believing(authority))
    examined = await with_temporal_tls("doctor", "--json", **believing(authority))

    assert listed.exit_code == 0
    verdict, found, _ = finding(examined, CHECK)
    assert verdict == "ok"
    assert found.startswith("encrypted, certificate verified by DULY_TEMPORAL_TLS_CA, the server's good until ")


async def test_a_server_that_asks_for_a_certificate_is_shown_ours(
    cli: CommandLine,
    merchant: Merchant,
    authority: CertificateAuthority,
    here: Issued,
    worker_certificate: Issued,
) -> None:
    async with temporal_with_tls(port_of(cli), here, authority) as port:
        settings = {"DULY_TEMPORAL_ADDRESS": f"127.0.0.1:{port}", **believing(authority)}
        without = await cli(*LIST, **settings)
        listed = await cli(*LIST, **settings, **shown(worker_certificate))
        examined = await cli("doctor", "--json", **settings, **shown(worker_certificate))

    assert (without.exit_code, without.rules) == (3, [("DULY_TEMPORAL_ADDRESS", "temporal_reachable")])
    assert "perhaps it wants a client certificate (DULY_TEMPORAL_TLS_CERT)" in without.stderr
    assert listed.exit_code == 0
    assert "verified by DULY_TEMPORAL_TLS_CA, ours shown, the server's good until" in finding(examined, CHECK)[1]


async def test_a_certificate_of_ours_that_the_server_does_not_believe_is_not_asked_for_again(
    cli: CommandLine, merchant: Merchant, authority: CertificateAuthority, stranger: CertificateAuthority, here: Issued
) -> None:
    unknown = stranger.issue("unknown-worker", "DNS:worker.example")

    async with temporal_with_tls(port_of(cli), here, authority) as port:
        settings = {"DULY_TEMPORAL_ADDRESS": f"127.0.0.1:{port}", **believing(authority), **shown(unknown)}
        refused = await cli(*LIST, **settings)

    # What the server says of it may come before or after the connection has ended.
    assert refused.exit_code in {2, 3}
    assert (
        "refuses our certificate" in refused.stderr or "perhaps it wants another client certificate" in refused.stderr
    )


async def test_our_own_certificate_that_ends_soon_is_a_warning(
    cli: CommandLine, merchant: Merchant, authority: CertificateAuthority, here: Issued
) -> None:
    ending = authority.issue("ending-worker", "DNS:worker.example", days=10)

    async with temporal_with_tls(port_of(cli), here, authority) as port:
        settings = {"DULY_TEMPORAL_ADDRESS": f"127.0.0.1:{port}", **believing(authority), **shown(ending)}
        examined = await cli("doctor", "--json", **settings)

    verdict, _, advice = finding(examined, CHECK)
    assert verdict == "warning"
    assert advice.startswith("renew our certificate")


async def test_a_certificate_that_nobody_we_believe_has_signed_is_refused(
    with_temporal_tls: CommandLine, stranger: CertificateAuthority
) -> None:
    by_the_system = await with_temporal_tls(*LIST, DULY_TEMPORAL_TLS="true")
    by_another = await with_temporal_tls(*LIST, **believing(stranger))
    examined = await with_temporal_tls("doctor", "--json", **believing(stranger))

    for refused in (by_the_system, by_another):
        assert (refused.exit_code, refused.rules) == (2, [("DULY_TEMPORAL_TLS_CA", "temporal_access")])
        assert "has a certificate that no authority we believe has signed" in refused.stderr
    assert finding(examined, "Temporal")[::2] == ("wrong", "set DULY_TEMPORAL_TLS_CA")


@pytest.mark.parametrize(
    ("certificate", "meaning", "advice"),
    [
        ("expired", "has a certificate that has expired", "renew it, or set a clock right"),
        ("early", "has a certificate that is not valid yet", "set a clock right, or wait"),
    ],
)
async def test_a_certificate_that_is_not_valid_now_reads_as_that(
    cli: CommandLine,
    merchant: Merchant,
    authority: CertificateAuthority,
    request: Any,
    certificate: str,
    meaning: str,
    advice: str,
) -> None:
    async with temporal_with_tls(port_of(cli), request.getfixturevalue(certificate)) as port:
        settings = {"DULY_TEMPORAL_ADDRESS": f"127.0.0.1:{port}", **believing(authority)}
        refused = await cli(*LIST, **settings)
        examined = await cli("doctor", "--json", **settings)

    assert (refused.exit_code, refused.rules) == (2, [("DULY_TEMPORAL_TLS_CA", "temporal_access")])
    assert meaning in refused.stderr
    assert finding(examined, "Temporal")[::2] == ("wrong", advice)


@pytest.mark.parametrize(("ours", "meaning"), [("expired", "was good until"), ("early", "is good from")])
async def test_our_own_certificate_that_is_not_valid_now_reads_as_that(
    cli: CommandLine,
    merchant: Merchant,
    authority: CertificateAuthority,
    here: Issued,
    request: Any,
    ours: str,
    meaning: str,
) -> None:
    async with temporal_with_tls(port_of(cli), here, authority) as port:
        settings = {"DULY_TEMPORAL_ADDRESS": f"127.0.0.1:{port}", **believing(authority)}
        settings |= shown(request.getfixturevalue(ours))
        refused = await cli(*LIST, **settings)
        examined = await cli("doctor", "--json", **settings)

    assert (refused.exit_code, refused.rules) == (2, [("DULY_TEMPORAL_TLS_CERT", "temporal_access")])
    assert f"lets nobody in whose certificate {meaning}" in refused.stderr
    assert finding(examined, "Temporal")[::2] == ("wrong", "renew it, or set a clock right")


async def test_a_certificate_of_another_name_needs_that_name_said(
    cli: CommandLine, merchant: Merchant, authority: CertificateAuthority, elsewhere: Issued
) -> None:
    async with temporal_with_tls(port_of(cli), elsewhere) as port:
        settings = {"DULY_TEMPORAL_ADDRESS": f"127.0.0.1:{port}", **believing(authority)}
        refused = await cli(*LIST, **settings)
        listed = await cli(*LIST, **settings, DULY_TEMPORAL_TLS_SERVER_NAME="db.example")

    assert (refused.exit_code, refused.rules) == (2, [("DULY_TEMPORAL_TLS_SERVER_NAME", "temporal_access")])
    assert listed.exit_code == 0


async def test_a_server_without_tls_reads_as_that(cli: CommandLine, authority: CertificateAuthority) -> None:
    result = await cli(*LIST, **believing(authority))

    assert (result.exit_code, result.rules) == (2, [("DULY_TEMPORAL_TLS", "temporal_access")])
    assert "does not speak TLS" in result.stderr


async def test_a_server_with_tls_that_is_spoken_to_without_says_what_it_may_want(
    with_temporal_tls: CommandLine,
) -> None:
    result = await with_temporal_tls(*LIST)

    assert (result.exit_code, result.rules) == (3, [("DULY_TEMPORAL_ADDRESS", "temporal_reachable")])
    assert "perhaps it wants TLS (DULY_TEMPORAL_TLS)" in result.stderr


async def test_a_temporal_on_this_machine_needs_none(cli: CommandLine, merchant: Merchant) -> None:
    assert finding(await cli("doctor", "--json"), CHECK)[:2] == ("ok", "none: the server is on this machine")


async def test_a_certificate_goes_with_its_key(
    cli: CommandLine, authority: CertificateAuthority, here: Issued, worker_certificate: Issued, tmp_path: Path
) -> None:
    locked = tmp_path / "locked.key"
    openssl("ec", "-in", worker_certificate.key, "-aes256", "-passout", "pass:secret", "-out", locked)
    certificate = shown(worker_certificate)

    alone = await cli(*LIST, **{**certificate, "DULY_TEMPORAL_TLS_KEY": ""})
    mixed = await cli(*LIST, **{**certificate, "DULY_TEMPORAL_TLS_KEY": str(here.key)})
    encrypted = await cli(*LIST, **{**certificate, "DULY_TEMPORAL_TLS_KEY": str(locked)})

    assert [one.exit_code for one in (alone, mixed, encrypted)] == [2, 2, 2]
    assert "go together: set both or neither" in alone.stderr
    for wrong in (mixed, encrypted):
        assert "must be the key of DULY_TEMPORAL_TLS_CERT, and not encrypted" in wrong.stderr


@pytest.mark.parametrize(
    "name", ["DULY_TEMPORAL_TLS_CA", "DULY_TEMPORAL_TLS_CERT", "DULY_TEMPORAL_TLS_KEY", "DULY_DATABASE_TLS_CA"]
)
async def test_a_file_that_is_not_there_is_named_by_its_setting(cli: CommandLine, tmp_path: Path, name: str) -> None:
    result = await cli(*LIST, **{name: str(tmp_path / "nowhere.pem")})

    assert result.exit_code == 2
    assert [field for field, _ in result.rules] == [name]
