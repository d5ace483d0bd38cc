#!/usr/bin/env python
"""Stands for the image `temporalio/ui`: needs a Temporal server, and serves a page."""

import os
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer


class Page(BaseHTTPRequestHandler):
    """The one page."""

    def do_GET(self) -> None:  # the name is http.server's
        """Answer that the server behind it can be reached."""
        host, _, port = os.environ["TEMPORAL_ADDRESS"].partition(":")
        socket.create_connection((host, int(port)), timeout=2).close()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Temporal UI")


HTTPServer((socket.gethostbyname("this-container"), 8080), Page).serve_forever()
