"""Whether the ports we are about to use are free, before anything is started."""

from __future__ import annotations

import socket

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings


class PortTaken(AnomalyOSError):
    """Another program listens where one of our services should."""


def is_free(host: str, port: int) -> bool:
    """Whether ``host:port`` can be listened on now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # what the servers do as well: a connection that lingers after a restart is no obstacle
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def wanted_ports(settings: Settings) -> list[tuple[str, str, int, str]]:
    """(service, host, port, name of the setting) of everything that listens."""
    return [
        ("the console", settings.console_host, settings.console_port, "ANOMALYOS_CONSOLE_PORT"),
        ("Airflow", settings.airflow_host, settings.airflow_port, "ANOMALYOS_AIRFLOW_PORT"),
    ]


def require_free_ports(settings: Settings) -> None:
    """Raises ``PortTaken`` naming the first port in use and the setting that moves it."""
    for service, host, port, setting in wanted_ports(settings):
        if not is_free(host, port):
            raise PortTaken(
                f"Port {port} on {host}, where {service} should listen, is in use.",
                f"Stop the program that uses it, or choose another port: {setting}={port + 1} anomalyos up",
            )
