"""Decide which addresses may be connected to; checked on the address itself, after names are resolved."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from ifmatch.errors import ConsentMissingError

__all__ = ["ConnectPolicy"]


@dataclass(frozen=True, slots=True)
class ConnectPolicy:
    """What may be connected to.

    A URL that a person typed may lead anywhere. One that stands in a file may not lead into the private
    network of whoever opens the file: only to global addresses, or to hosts that were named as allowed.

    Attributes:
        typed: whether the target came from the command line.
        allowed: lower-case host names and addresses that are allowed in any case.
    """

    typed: bool = False
    allowed: frozenset[str] = frozenset()

    def check(self, host: str, address: str) -> None:
        """Refuse an address that this policy does not allow.

        Args:
            host: name in the URL.
            address: IP address that the name led to, or that is about to be connected to.

        Raises:
            ConsentMissingError: with the option that allows it.
        """
        if self.typed or host.lower() in self.allowed or address in self.allowed:
            return
        found = ipaddress.ip_address(address.partition("%")[0])
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        if (mapped or found).is_global and not (mapped or found).is_multicast:
            return
        raise ConsentMissingError(
            f"{host} leads to {address}, which is no public address, and the target stands in a file",
            target=host,
            advice=f"If you mean it: --allow-host {host}",
        )
