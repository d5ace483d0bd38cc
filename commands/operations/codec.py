"""`codec`: what lets the Temporal UI and Temporal's command line show payloads that are encrypted."""

from typing import Annotated

import typer

from commands.options import Json
from commands.runner import perform

app = typer.Typer(help="Show what is encrypted in Temporal.", no_args_is_help=True)


@app.command()
def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8081,
    as_json: Json = False,
) -> None:
    """Answer the Temporal UI as its codec server, until Ctrl-C: whoever has a token of DULY_CODEC_TOKENS.

    A browser logs in once at /login, with cookies of 12 hours; Temporal's command line sends
    `--codec-auth "Bearer <token>"`. The UI's codec endpoint is this address, with credentials included.
    """
    from commands.operations.codec_work import serve_codec

    perform(lambda output: serve_codec(output, host, port), as_json=as_json)
