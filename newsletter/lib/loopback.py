"""Whether a host is this machine, by its name or address."""

from ipaddress import IPv6Address, ip_address


def is_loopback(host: str) -> bool:
    """True for `localhost` and for addresses of the loopback interface, also IPv4 in IPv6 and with a zone."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
