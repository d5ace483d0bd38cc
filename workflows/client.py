"""Connecting to Temporal, the same way for every process."""

from collections.abc import Mapping, Sequence

from temporalio.client import Client, Interceptor
from temporalio.common import HeaderCodecBehavior
from temporalio.runtime import Runtime
from temporalio.service import GrpcCompression, TLSConfig

from activities.connecting import problem_of_certificate
from workflows.plugin import DULY_PLUGIN, encrypting

# What the SDK's errors say (they have no codes), in the order in which they are looked for; which setting helps; and
# what it means, and what helps where that is no setting. With the first six, whatever answers is there, and one of us
# is set wrong.
_REFUSALS = (
    ("InvalidCertificate(Expired", "TLS_CA", "has a certificate that has expired: renew it, or set a clock right"),
    ("InvalidCertificate(NotValidYet", "TLS_CA", "has a certificate that is not valid yet: set a clock right, or wait"),
    ("InvalidCertificate(NotValidForName", "TLS_SERVER_NAME", "has a certificate of another name"),
    ("InvalidCertificate(", "TLS_CA", "has a certificate that no authority we believe has signed"),
    ("InvalidContentType", "TLS", "does not speak TLS"),
    ("code: Unauthenticated", "API_KEY", "refuses this key or certificate"),
    ("code: PermissionDenied", "API_KEY", "refuses this key or certificate"),
    (
        "AlertReceived(CertificateExpired",
        "TLS_CERT",
        "says that our certificate is not valid any more, or not yet: renew it",
    ),
    ("AlertReceived(", "TLS_CERT", "refuses our certificate, or wants one"),
)
_ABOUT_THE_SERVER = ("InvalidCertificate(", "InvalidContentType")
_NOBODY = ("dns error", "tcp connect error")
_ENDED = ("transport error", "connection closed")


class TemporalUnansweredError(RuntimeError):
    """Nobody answers at Temporal's address, or not for long enough to say why."""


class TemporalAccessError(RuntimeError):
    """Somebody answers at Temporal's address, and one of our settings keeps us out; `setting` names it."""

    def __init__(self, setting: str, message: str) -> None:
        self.setting = setting
        super().__init__(message)


async def connect(
    address: str,
    *,
    namespace: str,
    tls: TLSConfig | None = None,
    api_key: str | None = None,
    payload_keys: Mapping[str, bytes] | None = None,
    runtime: Runtime | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> Client:
    """Connect with Duly's converter; with keys it encrypts by the first of them.

    Raises TemporalUnansweredError, or TemporalAccessError: the settings are wrong.
    """
    try:
        return await Client.connect(
            address,
            namespace=namespace,
            tls=tls or False,
            api_key=api_key,
            plugins=[DULY_PLUGIN, *encrypting(payload_keys or {})],
            header_codec_behavior=HeaderCodecBehavior.CODEC if payload_keys else HeaderCodecBehavior.NO_CODEC,
            runtime=runtime,
            interceptors=interceptors,
            # Our messages are a few hundred bytes: packing them costs both sides more than sending them.
            grpc_compression=GrpcCompression.NONE,
        )
    except RuntimeError as error:
        ours = problem_of_certificate(tls.client_cert) if tls and tls.client_cert else ""
        raise _problem(address, str(error), ours, tls) from error


def _problem(address: str, message: str, ours: str, tls: TLSConfig | None) -> RuntimeError:
    """Say in plain words what the SDK's own error means, and what is wrong with our own certificate, if anything is."""
    if ours and not any(words in message for words in (*_ABOUT_THE_SERVER, *_NOBODY)):
        ailing = f"what answers at {address} lets nobody in whose certificate {ours}: renew it, or set a clock right"
        return TemporalAccessError("DULY_TEMPORAL_TLS_CERT", ailing)
    for words, setting, meaning in _REFUSALS:
        if words in message:
            return TemporalAccessError(f"DULY_TEMPORAL_{setting}", f"what answers at {address} {meaning}")
    if any(words in message for words in _ENDED):
        wanted = "a client certificate (DULY_TEMPORAL_TLS_CERT)" if tls else "TLS (DULY_TEMPORAL_TLS)"
        if tls and tls.client_cert:
            wanted = "another client certificate than ours (DULY_TEMPORAL_TLS_CERT)"
        return TemporalUnansweredError(f"what answers at {address} ended the connection: perhaps it wants {wanted}")
    why = ": nobody knows this host" if "dns error" in message else ""
    return TemporalUnansweredError(f"Temporal does not answer at {address}{why}")
