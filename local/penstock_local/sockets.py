"""Proof that nothing of Penstock Local can be reached from another machine."""

from __future__ import annotations

import ipaddress

import psutil


class ExposedSocketError(RuntimeError):
    """A process of Penstock Local listens on an address that is not loopback."""


def require_loopback_only() -> None:
    """Raise ExposedSocketError if this process or a child listens outside loopback."""
    exposed = exposed_sockets(psutil.Process())
    if exposed:
        raise ExposedSocketError(
            "Penstock Local must listen on loopback only, but listens on " + ", ".join(exposed)
        )


def exposed_sockets(process: psutil.Process) -> list[str]:
    """Listening addresses of a process and its children that are not loopback."""
    addresses = []
    for one in [process, *process.children(recursive=True)]:
        try:
            connections = one.net_connections(kind="inet")
        except psutil.NoSuchProcess:
            continue  # a child that ended while we looked
        addresses += [
            f"{connection.laddr.ip}:{connection.laddr.port} (process {one.pid})"
            for connection in connections
            if connection.status == psutil.CONN_LISTEN and not _is_loopback(connection.laddr.ip)
        ]
    return addresses


def _is_loopback(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback
