"""Options of the sockets that clients connect to."""

import socket

KERNEL_BYTES = 64 * 1024
"""Asked for as the socket's send buffer; the kernel doubles it for its own bookkeeping."""


def tune(listening: socket.socket) -> None:
    """Bound what the kernel buffers, and notice a peer that vanished; connections inherit it from who accepts them."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4), ("TCP_USER_TIMEOUT", 60_000)):
        if (option := getattr(socket, name, None)) is not None:
            listening.setsockopt(socket.IPPROTO_TCP, option, value)
