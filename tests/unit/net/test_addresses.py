"""Which addresses may be called."""

from __future__ import annotations

import ipaddress

import pytest

from canary.net.guard import allowed_address, system_addresses

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1",
    "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
    "::127.0.0.1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("text", PRIVATE)
def test_special_addresses_are_refused(text: str) -> None:
    assert not allowed_address(ipaddress.ip_address(text), ())


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_allowed(text: str) -> None:
    assert allowed_address(ipaddress.ip_address(text), ())


@pytest.mark.parametrize("text", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_an_allowed_network_is_allowed_in_every_form(text: str) -> None:
    allow = [ipaddress.ip_network("127.0.0.0/8")]
    assert allowed_address(ipaddress.ip_address(text), allow)
    assert not allowed_address(ipaddress.ip_address("10.0.0.1"), allow)
    assert not allowed_address(ipaddress.ip_address("::1"), allow)


def test_numbers_in_disguise_are_resolved_before_they_are_judged() -> None:
    for spelling in ("127.1", "2130706433", "0x7f000001"):
        found = system_addresses(spelling, 80)
        assert found == ["127.0.0.1"]
        assert not allowed_address(ipaddress.ip_address(found[0]), ())
