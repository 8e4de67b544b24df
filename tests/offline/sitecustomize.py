"""Python imports this module as it starts: every process of the tests refuses the network.

``conftest.py`` puts this folder on ``PYTHONPATH``, so that notebook kernels and commands that
tests start run it too. Loopback and local sockets stay open: Jupyter talks through them.
"""

import os
import socket

LOCAL = ("127.", "::1", "localhost", "0.0.0.0")
# What is not Python (TensorFlow, HDF5, curl) is sent to a port where nothing listens.
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def _refuse_unless_local(host) -> None:
    host = host.decode() if isinstance(host, bytes) else host
    if host and not str(host).startswith(LOCAL):
        raise ConnectionRefusedError(f"The tests run without a network, and {host} was asked for.")


def _guarded(method):
    def call(self, address, *rest):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_unless_local(address[0])
        return method(self, address, *rest)

    return call


def refuse_network() -> None:
    """Make this process refuse every connection and look-up that is not local."""
    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    look_up = socket.getaddrinfo

    def getaddrinfo(host, *rest, **options):
        _refuse_unless_local(host)
        return look_up(host, *rest, **options)

    socket.getaddrinfo = getaddrinfo
    for name in PROXIES:
        os.environ[name] = os.environ[name.upper()] = "http://127.0.0.1:9"
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost,::1"


refuse_network()
