"""Options that are set once, on the socket that listens."""

import socket

from fechatter.notify.sockets import KERNEL_BYTES, tune


def test_a_connection_is_bounded_and_watched_as_the_socket_that_accepted_it() -> None:
    with socket.socket() as listening, socket.socket() as client:
        tune(listening)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        client.connect(listening.getsockname())
        accepted, _ = listening.accept()
        with accepted:
            assert KERNEL_BYTES <= accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * KERNEL_BYTES
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
