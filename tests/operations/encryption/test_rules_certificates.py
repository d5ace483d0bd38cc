"""Until when a certificate is good is read as openssl reads it."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.operations.checks.certificates import file_validity
from models.certificate import validity_of
from tests.operations.encryption.authority import CertificateAuthority, openssl

CENTURY_DAYS = 36_525


def as_openssl_says(path: Path) -> datetime:
    printed = openssl("x509", "-in", path, "-noout", "-enddate").strip().removeprefix("notAfter=")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(printed), UTC)


@pytest.mark.parametrize("days", [1, 90, CENTURY_DAYS])
def test_the_end_of_a_certificate_is_the_one_that_openssl_prints(authority: CertificateAuthority, days: int) -> None:
    issued = authority.issue(f"for-{days}", "DNS:some.example", days=days)

    assert file_validity(issued.certificate).ends == as_openssl_says(issued.certificate)


def test_the_first_certificate_of_a_chain_is_the_server_s_own(authority: CertificateAuthority, tmp_path: Path) -> None:
    issued = authority.issue("leaf", "DNS:some.example", days=3)
    chain = tmp_path / "chain.pem"
    chain.write_text(issued.certificate.read_text() + authority.certificate.read_text())

    assert file_validity(chain).ends == as_openssl_says(issued.certificate)


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"no certificate"])
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        validity_of(data)
