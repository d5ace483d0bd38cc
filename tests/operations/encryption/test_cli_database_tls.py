"""The database is spoken to with TLS, and who answers is who was meant."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from activities.connecting import ConnectionRule, rule_of
from tests.operations.encryption.authority import CertificateAuthority, Issued, postgresql_with_tls
from tests.operations.encryption.conftest import at_port
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine, CommandResult

CHECK = "database encryption"


def finding(result: CommandResult, check: str = CHECK) -> tuple[str, str, str]:
    found = next(one for one in result.document["checks"] if one["check"] == check)
    return found["verdict"], found["found"], found["advice"]


async def test_a_certificate_of_the_authority_is_verified_and_its_end_is_shown(
    with_database_tls: CommandLine, authority: CertificateAuthority
) -> None:
    result = await with_database_tls("doctor", "--json", DULY_DATABASE_TLS_CA=str(authority.certificate))

    end = (datetime.now(UTC) + timedelta(days=90)).date()
    message = f"encrypted, certificate verified (verify-full), the server's good until {end}"
    assert finding(result) == ("ok", message, "")


async def test_commands_and_migrations_go_over_tls(
    with_database_tls: CommandLine, authority: CertificateAuthority
) -> None:
    settings = {"DULY_DATABASE_TLS": "verify-full", "DULY_DATABASE_TLS_CA": str(authority.certificate)}

    listed = await with_database_tls("runs", "list", "--json", **settings)
    migrated = await with_database_tls("migrate", "--json", **settings)

    assert (listed.exit_code, migrated.exit_code) == (0, 0)


async def test_an_address_can_say_it_itself(with_database_tls: CommandLine, authority: CertificateAuthority) -> None:
    address = with_database_tls.environment["DULY_DATABASE_URL"]
    encrypted = f"{address}?sslmode=verify-ca&sslrootcert={authority.certificate}"

    result = await with_database_tls("doctor", "--json", DULY_DATABASE_URL=encrypted)

    verdict, found, _ = finding(result)
    assert verdict == "ok"
    assert "certificate verified (verify-ca)" in found


async def test_saying_it_twice_is_refused(with_database_tls: CommandLine, authority: CertificateAuthority) -> None:
    address = f"{with_database_tls.environment['DULY_DATABASE_URL']}?sslmode=disable"

    result = await with_database_tls("runs", "list", "--json", DULY_DATABASE_URL=address, DULY_DATABASE_TLS="require")

    assert (result.exit_code, result.rules) == (2, [("DULY_DATABASE_URL", "value_error")])
    assert "says sslmode" in result.error["problems"][0]["message"]


async def test_encryption_that_verifies_nobody_is_a_warning(with_database_tls: CommandLine) -> None:
    preferred = await with_database_tls("doctor", "--json")
    required = await with_database_tls("doctor", "--json", DULY_DATABASE_TLS="require")

    assert [finding(one)[:2] for one in (preferred, required)] == [
        ("warning", "encrypted, and nobody looks whose certificate it is (prefer)"),
        ("warning", "encrypted, and nobody looks whose certificate it is (require)"),
    ]
    assert "DULY_DATABASE_TLS_CA" in finding(required)[2]


async def test_a_database_on_this_machine_needs_none(cli: CommandLine, merchant: Merchant) -> None:
    assert finding(await cli("doctor", "--json"))[:2] == ("ok", "none: the server is on this machine")


async def test_a_certificate_that_ends_soon_is_a_warning(
    cli: CommandLine, merchant: Merchant, authority: CertificateAuthority
) -> None:
    ending = authority.issue("ending", "IP:127.0.0.1", days=20)
    address = cli.environment["DULY_DATABASE_URL"]

    async with postgresql_with_tls(make_url(address).port or 0, ending) as port:
        moved = {"DULY_DATABASE_URL": at_port(address, port), "DULY_DATABASE_TLS_CA": str(authority.certificate)}
        result = await cli("doctor", "--json", **moved)

    verdict, _, advice = finding(result)
    assert verdict == "warning"
    assert advice.startswith("renew the server's certificate")


async def test_a_certificate_of_somebody_else_is_refused(
    with_database_tls: CommandLine, stranger: CertificateAuthority
) -> None:
    believed = str(stranger.certificate)

    result = await with_database_tls("runs", "list", "--json", DULY_DATABASE_TLS_CA=believed)
    examined = await with_database_tls("doctor", "--json", DULY_DATABASE_TLS_CA=believed)

    assert (result.exit_code, result.rules) == (2, [("DULY_DATABASE_URL", "database_encryption")])
    assert "certificate verify failed" in result.error["problems"][0]["message"]
    verdict, _, advice = finding(examined, "database")
    assert (verdict, advice) == ("wrong", "set DULY_DATABASE_TLS and DULY_DATABASE_TLS_CA to what the server does")


@pytest.mark.parametrize(
    ("shown", "advice"),
    [("expired", "renew the server's certificate: it was good until"), ("early", "set the clock right that is wrong")],
)
async def test_a_certificate_that_is_not_valid_now_is_refused_and_the_doctor_says_what_ails_it(
    cli: CommandLine, merchant: Merchant, authority: CertificateAuthority, request: Any, shown: str, advice: str
) -> None:
    address = cli.environment["DULY_DATABASE_URL"]
    async with postgresql_with_tls(make_url(address).port or 0, request.getfixturevalue(shown)) as port:
        moved = {"DULY_DATABASE_URL": at_port(address, port), "DULY_DATABASE_TLS_CA": str(authority.certificate)}

        result = await cli("runs", "list", "--json", **moved)
        examined = await cli("doctor", "--json", **moved)

    assert (result.exit_code, result.rules) == (2, [("DULY_DATABASE_URL", "database_encryption")])
    assert finding(examined, "database")[2].startswith(advice)


@pytest.mark.parametrize(("ours", "meaning"), [("expired", "was good until"), ("early", "is good from")])
async def test_our_own_certificate_that_is_not_valid_now_is_named_with_its_file(
    cli: CommandLine,
    merchant: Merchant,
    authority: CertificateAuthority,
    here: Issued,
    request: Any,
    ours: str,
    meaning: str,
) -> None:
    address, own = cli.environment["DULY_DATABASE_URL"], request.getfixturevalue(ours)
    async with postgresql_with_tls(make_url(address).port or 0, here, authority) as port:
        moved = {
            "DULY_DATABASE_URL": f"{at_port(address, port)}?sslcert={own.certificate}&sslkey={own.key}",
            "DULY_DATABASE_TLS_CA": str(authority.certificate),
        }
        result = await cli("runs", "list", "--json", **moved)
        examined = await cli("doctor", "--json", **moved)

    assert result.exit_code in {2, 3}
    assert finding(examined, "database")[2].startswith(
        f"renew our certificate, or set a clock right: {own.certificate} {meaning}"
    )


WRONG_KEYS = {
    "readable by others": (0o644, "has group or world access"),
    "of another certificate": (0o600, "key values mismatch"),
    "not there": (None, "but not private key file"),
}


@pytest.mark.parametrize(("mode", "meaning"), WRONG_KEYS.values(), ids=WRONG_KEYS)
async def test_a_key_of_ours_that_is_of_no_use_is_named_and_not_taken_for_a_server_that_is_down(
    with_database_tls: CommandLine,
    authority: CertificateAuthority,
    worker_certificate: Issued,
    here: Issued,
    tmp_path: Path,
    mode: int | None,
    meaning: str,
) -> None:
    key = tmp_path / "our.key"
    if mode is not None:
        key.write_bytes((here if mode == 0o600 else worker_certificate).key.read_bytes())
        key.chmod(mode)
    address = with_database_tls.environment["DULY_DATABASE_URL"]
    moved = {
        "DULY_DATABASE_URL": f"{address}?sslcert={worker_certificate.certificate}&sslkey={key}",
        "DULY_DATABASE_TLS_CA": str(authority.certificate),
    }

    result = await with_database_tls("runs", "list", "--json", **moved)
    examined = await with_database_tls("doctor", "--json", **moved)

    assert (result.exit_code, result.rules) == (2, [("DULY_DATABASE_URL", "database_certificate")])
    assert meaning in result.error["problems"][0]["message"]
    assert "its key (sslkey)" in finding(examined, "database")[2]


# A server of another build than the embedded one has said these, where its pg_hba.conf wants a certificate.
@pytest.mark.parametrize(
    "words",
    [
        "FATAL:  connection requires a valid client certificate",
        'FATAL:  certificate authentication failed for user "duly_runtime"',
        "SSL error: tlsv13 alert certificate required",
        "SSL error: tlsv1 alert unknown ca",
    ],
)
def test_a_server_that_wants_another_certificate_of_ours_is_no_server_that_is_down(words: str) -> None:
    assert rule_of(words) is ConnectionRule.CERTIFICATE


async def test_a_certificate_of_another_name_is_refused(
    cli: CommandLine, merchant: Merchant, authority: CertificateAuthority, elsewhere: Issued
) -> None:
    address = cli.environment["DULY_DATABASE_URL"]
    async with postgresql_with_tls(make_url(address).port or 0, elsewhere) as port:
        moved = {"DULY_DATABASE_URL": at_port(address, port), "DULY_DATABASE_TLS_CA": str(authority.certificate)}

        result = await cli("runs", "list", "--json", **moved)

    assert (result.exit_code, result.rules) == (2, [("DULY_DATABASE_URL", "database_encryption")])
    assert 'for "db.example"' in result.error["problems"][0]["message"]


async def test_a_server_without_tls_is_refused_where_it_is_required(cli: CommandLine, merchant: Merchant) -> None:
    result = await cli("migrate", "--json", DULY_DATABASE_TLS="require")

    assert (result.exit_code, result.rules) == (2, [("DULY_MIGRATION_DATABASE_URL", "database_encryption")])
    assert "server does not support SSL" in result.error["problems"][0]["message"]


async def test_an_authority_must_be_a_file_with_a_certificate(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("bought in May")

    missing = await cli("runs", "list", DULY_DATABASE_TLS_CA=str(tmp_path / "nowhere.pem"))
    other = await cli("runs", "list", DULY_DATABASE_TLS_CA=str(tmp_path / "notes.txt"))

    assert (missing.exit_code, other.exit_code) == (2, 2)
    assert missing.stderr.startswith("error: DULY_DATABASE_TLS_CA: must name a PEM file: No such file or directory")
    assert other.stderr.startswith("error: DULY_DATABASE_TLS_CA: must name a PEM file")


@pytest.mark.parametrize("mode", ["on", "full", "VERIFY-FULL"])
async def test_a_mode_that_libpq_does_not_know_is_refused(cli: CommandLine, mode: str) -> None:
    result = await cli("runs", "list", "--json", DULY_DATABASE_TLS=mode)

    assert (result.exit_code, [field for field, _ in result.rules]) == (2, ["DULY_DATABASE_TLS"])
