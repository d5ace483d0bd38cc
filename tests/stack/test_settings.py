"""Settings from files, and passwords beside addresses."""

from pathlib import Path

import pytest

from settings import Settings, load_settings

REQUIRED = {
    "DULY_DATABASE_URL": "postgresql+psycopg://duly_runtime@db:5432/duly",
    "DULY_TEMPORAL_ADDRESS": "temporal:7233",
    "STRIPE_API_KEY": "sk_test_1",
}


@pytest.fixture(autouse=True)
def _required(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)


def test_a_setting_is_read_from_the_file_that_its_variable_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbfrk_test_2\r\n")
    (tmp_path / "secrets").write_text("whsec_1,whsec_2\n")
    monkeypatch.delenv("STRIPE_API_KEY")
    monkeypatch.setenv("STRIPE_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET_FILE", str(tmp_path / "secrets"))

    settings = Settings()

    assert settings.stripe_api_key.get_secret_value() == "rk_test_2"
    assert [secret.get_secret_value() for secret in settings.stripe_webhook_secrets] == ["whsec_1", "whsec_2"]


def test_an_empty_variable_or_file_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "smtp").write_text("\n")
    monkeypatch.setenv("DULY_SMTP_URL_FILE", str(tmp_path / "smtp"))
    monkeypatch.setenv("DULY_GATEWAY_RATE", "")

    settings = Settings()

    assert (settings.smtp_url, settings.gateway_rate) == ("", 20.0)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("STRIPE_API_KEY", "sk_test_2", "STRIPE_API_KEY_FILE: STRIPE_API_KEY is set as well; set one of them"),
        ("DULY_SMTP_URL", None, "DULY_SMTP_URL_FILE: "),
        ("DULY_SMTP_URL", b"\xff", "DULY_SMTP_URL_FILE: "),
        ("STRIPE_WEBHOOK_SECRET", b"whsec_1\nwhsec_2\n", "STRIPE_WEBHOOK_SECRET_FILE: "),
        ("DULY_SMTP_URL", "http://mail", "DULY_SMTP_URL: must start with smtp:// or smtps://"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key: sk_test_2", "OTEL_EXPORTER_OTLP_HEADERS: must be name=value"),
    ],
)
def test_a_file_that_cannot_be_taken_is_named_and_its_content_is_not(  # a row
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: str | bytes | None,
    complaint: str,
) -> None:
    path = tmp_path / "content"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setenv(f"{name}_FILE", str(path))

    with pytest.raises(SystemExit) as refused:
        load_settings()

    printed = capsys.readouterr().err
    assert (refused.value.code, complaint in printed) == (2, True), printed
    assert "sk_test_2" not in printed


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("postgresql+psycopg://duly_runtime@db:5432/duly", "postgresql+psycopg://duly_runtime:a%2Fb%40c@db:5432/duly"),
        ("postgresql+psycopg://duly_runtime:own@db/duly", "postgresql+psycopg://duly_runtime:own@db/duly"),
        ("postgresql+psycopg://db/duly?user=x@y", "postgresql+psycopg://db/duly?user=x@y"),
    ],
)
def test_a_password_is_put_into_an_address_that_names_a_user_without_one(
    monkeypatch: pytest.MonkeyPatch, url: str, result: str
) -> None:
    monkeypatch.setenv("DULY_MIGRATION_DATABASE_URL", url)
    monkeypatch.setenv("DULY_MIGRATION_DATABASE_PASSWORD", "a/b@c")

    assert Settings().owner_database_url == result


def test_what_is_wrong_is_named_by_its_variable_and_in_words_without_patterns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DULY_PUBLIC_URL", "DULY_PORTAL_URL", "DULY_CONSOLE_OIDC_ISSUER", "DULY_PROVIDER", "DULY_LOG_LEVEL"):
        monkeypatch.setenv(name, "4 of it")

    with pytest.raises(SystemExit):
        load_settings()
    patterns = capsys.readouterr().err.splitlines()
    for name in ("DULY_PUBLIC_URL", "DULY_PORTAL_URL", "DULY_CONSOLE_OIDC_ISSUER", "DULY_PROVIDER", "DULY_LOG_LEVEL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("STRIPE_API_KEY", "pk_test_1")
    with pytest.raises(SystemExit):
        load_settings()
    key = capsys.readouterr().err

    assert sorted(patterns) == [
        "DULY_CONSOLE_OIDC_ISSUER: must be an address, like https://login.example.com",
        "DULY_LOG_LEVEL: must be one of DEBUG, INFO, WARNING, ERROR",
        "DULY_PORTAL_URL: must be an address without a path, like https://pay.example.com",
        "DULY_PROVIDER: must begin with a letter, and have at most 32 of a-z 0-9 _ -",
        "DULY_PUBLIC_URL: must be an address without a path, like https://pay.example.com",
    ]
    assert key == "STRIPE_API_KEY: must be a secret (sk_…) or restricted (rk_…) key\n"
