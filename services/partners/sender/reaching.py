"""Where a request may go: to public addresses, and to those networks that the operator has named. Nowhere else, whatever a name
resolves to: a partner's server name is the partner's to set, and must not open this county's own network.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


_LOOK_UPS = ThreadPoolExecutor(8, "look-up")
"""Of their own: a name server that never answers must hold up neither lanes nor files."""


class NotReachableError(Exception):
    """No request may go there, or the name is not known. The argument is a closed code."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a name. Raises `OSError`."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_LOOK_UPS, ask)
    return [str(each[4][0]) for each in found]


async def address_of(
    host: str, port: int, allowed: Sequence[IPv4Network | IPv6Network], look_up: Resolve = resolve
) -> str:
    """The one address to connect to, so that what was checked is what is used. One that may not be used refuses them all.

    Raises `NotReachableError`.
    """
    try:
        found = [ip_address(each.partition("%")[0]) for each in await look_up(host, port)]
    except (OSError, UnicodeError, ValueError):
        raise NotReachableError("unknown_host") from None
    if not found:
        raise NotReachableError("unknown_host")
    if not all(may_reach(each, allowed) for each in found):
        raise NotReachableError("private_address")
    return str(found[0])


def may_reach(address: Address, allowed: Sequence[IPv4Network | IPv6Network]) -> bool:
    """IPv6 forms that carry an IPv4 address count as that."""
    if isinstance(address, IPv6Address) and (inner := _carried(address)) is not None:
        return may_reach(inner, allowed)
    if any(address.version == each.version and address in each for each in allowed):
        return True
    if isinstance(address, IPv6Address) and any(address in each for each in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast


_NOT_PUBLIC = (
    IPv6Network("64:ff9b:1::/48"),  # translation within a network (RFC 8215)
    IPv6Network("::ffff:0:0:0/96"),  # translated IPv4 (RFC 2765)
    IPv6Network("::/96"),  # IPv4-compatible, deprecated (RFC 4291, 2.5.5.1)
    IPv6Network("fec0::/10"),  # site-local, deprecated (RFC 3879)
)
"""What `ipaddress` calls global, in one version or another, and is not."""
_NAT64 = IPv6Network("64:ff9b::/96")


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
