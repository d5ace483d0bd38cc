#!/usr/bin/env python
"""Stands for `nc -z host port`."""

import socket
import sys

option, host, port = sys.argv[1:]
if option != "-z":
    sys.exit(f"nc {option} is not carried out here")
socket.create_connection((host, int(port)), timeout=2).close()
