"""Decide which addresses may be connected to; checked on the address itself, after names are resolved."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from ifmatch.errors import ConsentMissingError

__all__ = ["ConnectPolicy"]

# IPv4 in IPv6: what is connected to in the end is the IPv4 address, behind a translator or a relay.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 section 2.1
_TRANSLATED: Final = ipaddress.IPv6Network("::ffff:0:0:0/96")  # RFC 2765 section 2.1
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")  # RFC 4291 section 2.5.5.1


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
        if _is_public(ipaddress.ip_address(address.partition("%")[0])):
            return
        raise ConsentMissingError(
            f"{host} leads to {address}, which is no public address, and the target stands in a file",
            target=host,
            advice=f"If you mean it: --allow-host {host}",
        )


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inner = _embedded(address) if isinstance(address, ipaddress.IPv6Address) else None
    if inner is not None:
        return _is_public(inner)
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not address.is_multicast and not site_local


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for, None when it stands for itself."""
    if any(address in network for network in (_NAT64, _TRANSLATED, _COMPATIBLE)):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
