"""Telling systemd how we are: ``sd_notify(3)``, a datagram to ``$NOTIFY_SOCKET``. Nothing happens without it."""

from __future__ import annotations

import logging
import os
import socket

log = logging.getLogger(__name__)


def tell(state: str) -> bool:
    """Send ``READY=1``, ``WATCHDOG=1``, ``STOPPING=1`` or ``STATUS=…``; False when nobody asked to be told."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return False
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.connect(address)
            sock.sendall(state.encode())
    except OSError as error:  # systemd is being restarted, or no descriptor is free; it is told again
        log.warning("systemd was not told", extra={"state": state, "error": str(error)})
        return False
    return True
