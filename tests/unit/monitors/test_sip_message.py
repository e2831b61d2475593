"""Requests of SIP as the wire has them."""

from __future__ import annotations

import pytest

from canary.monitors.parts.sip_message import answer_port, answer_to, read_request, user_of

# RFC 4475, 3.1.1.1: a short tortuous INVITE, with the header folded and short names (its body left out)
TORTUOUS = (
    b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
    b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
    b'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
    b"MaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 150\r\n"
    b"cseq: 0009\r\n  INVITE\r\n"
    b"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
    b"s :\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
    b"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
    b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
    b'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n'
    b"  secondparam ; q = 0.33\r\n\r\n"
)


def test_a_tortuous_invite() -> None:
    request = read_request(TORTUOUS)
    assert request is not None
    assert (request.method, request.number, request.caller) == ("INVITE", "vivekg", "jdrosen")
    assert request.first("call-id") == "wsinv.ndaksdj@192.0.2.1"
    assert request.first("cseq") == "0009 INVITE"
    assert len(request.headers["via"]) == 2
    assert request.first("nothing") == ""
    assert answer_port(request, 5099) == 5060
    lines = answer_to(request, "603 Decline", "t", ("192.0.2.2", 5099)).decode().split("\r\n")
    assert [line.partition(":")[0] for line in lines[1:3]] == ["Via", "Via"]
    assert lines[-2:] == ["", ""]


@pytest.mark.parametrize(
    ("address", "user"),
    [
        ("sip:+8613900000000@x.example", "+8613900000000"),
        ("<sips:alice:secret@x>", "alice"),
        ("tel:+86-139;phone-context=x", "+86-139"),
        ("sip:1400;npdi=yes@x", "1400"),
        ("sip:x.example", ""),
        ("mailto:a@b", ""),
        ("", ""),
    ],
)
def test_who_an_address_names(address: str, user: str) -> None:
    assert user_of(address) == user


def test_a_port_no_machine_has_is_the_one_it_came_from() -> None:
    packet = TORTUOUS.replace(b"192.0.2.2;branch=390skdjuw", b"192.0.2.2:99999;branch=1")
    request = read_request(packet)
    assert request is not None
    assert answer_port(request, 5099) == 5099
