"""Hooks that carry a token or a password instead of a signature."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlencode

import pytest

from canary.errors import OutsideError
from canary.monitors.parts.hooks import Forbidden, Posted
from canary.monitors.parts.uplinks import Aliyun, FreeSwitch, Tencent
from tests.watch_tools import NOW_MS

ALIYUN, TENCENT = Aliyun("t0ken", "14000000009"), Tencent("t0ken")
MESSAGE = {
    "send_time": "2025-06-15 23:06:39", "sign_name": "测试", "phone_number": "13900000000",
    "sequence_id": 1234567890, "content": "回T", "dest_code": "14000000001",
}  # fmt: skip


def posted(told: object, path: str = "/hooks/x?token=t0ken") -> Posted:
    return Posted(path, {}, told if isinstance(told, bytes) else json.dumps(told).encode(), NOW_MS)


def test_aliyun_tells_several_messages_at_once() -> None:
    other = {"phone_number": "13900000001", "content": "x"}
    first, second = ALIYUN.read(posted([MESSAGE, other]))
    assert (first.key, first.event, first.contact) == ("1234567890", "sms", "14000000001")
    assert first.detail == {"from": "13900000000", "sign": "测试"}
    assert first.time_ms == 1_749_999_999_000  # Beijing's time
    assert json.loads(first.raw) == MESSAGE
    assert (second.contact, second.time_ms) == ("14000000009", NOW_MS)
    assert second.key == ALIYUN.read(posted([other]))[0].key
    assert json.loads(ALIYUN.answer((first, second)))["code"] == 0
    assert ALIYUN.read(posted([])) == ()


def test_tencent_tells_one_message() -> None:
    told = {
        "extend": "14000000001",
        "mobile": "13900000000",
        "nationcode": "86",
        "text": "T",
        "time": NOW_MS // 1000,
    }
    (sms,) = TENCENT.read(posted(told))
    assert (sms.event, sms.contact, sms.time_ms, sms.detail) == (
        "sms", "14000000001", NOW_MS, {"from": "+8613900000000"},
    )  # fmt: skip
    assert json.loads(TENCENT.answer((sms,))) == {"result": 0, "errmsg": "OK"}
    assert TENCENT.read(posted(told))[0].key == sms.key
    with pytest.raises(OutsideError, match="number"):
        TENCENT.read(posted({**told, "extend": ""}))


@pytest.mark.parametrize("path", ["/hooks/x", "/hooks/x?token=", "/hooks/x?token=other", "/hooks/x?token=签"])
def test_without_the_token_nothing_is_read(path: str) -> None:
    for hook in (ALIYUN, TENCENT):
        with pytest.raises(Forbidden):
            hook.read(posted([MESSAGE], path))


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[1]", b"[" * 10_000, json.dumps([{}] * 1_001).encode()])
def test_nonsense_of_aliyun(body: bytes) -> None:
    with pytest.raises(OutsideError):
        ALIYUN.read(posted(body))


SWITCH = FreeSwitch("pbx", "pass:word")
RECORD = {
    "variables": {
        "uuid": "u-1",
        "direction": "inbound",
        "start_epoch": str(NOW_MS // 1000 - 9),
        "duration": "9",
    },
    "callflow": [
        {"caller_profile": {"caller_id_number": "13900000000", "destination_number": "14000000001"}}
    ],
}


def switch(body: bytes, word: str = "pbx:pass:word", scheme: str = "Basic") -> Posted:
    given = f"{scheme} {base64.b64encode(word.encode()).decode()}"
    return Posted("/hooks/freeswitch", {"authorization": given}, body, NOW_MS)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(RECORD).encode(),
        urlencode({"cdr": json.dumps(RECORD)}).encode(),
        b"cdr=" + base64.b64encode(json.dumps(RECORD).encode()),
    ],
)
def test_a_call_record_of_freeswitch_in_each_of_its_encodings(body: bytes) -> None:
    (call,) = SWITCH.read(switch(body))
    assert (call.key, call.event, call.contact, call.time_ms) == (
        "u-1",
        "call",
        "14000000001",
        NOW_MS - 9_000,
    )
    assert call.detail == {"from": "13900000000", "duration": "9"}
    assert call.raw == body
    assert SWITCH.answer((call,)) == "taken\n"


def test_calls_that_go_out_reach_nobody() -> None:
    assert SWITCH.read(switch(json.dumps({"variables": {"direction": "outbound"}}).encode())) == ()


@pytest.mark.parametrize(
    "one",
    [
        switch(b"{}", "pbx:other"),
        switch(b"{}", ""),
        switch(b"{}", scheme="Bearer"),
        Posted("/", {}, b"{}", NOW_MS),
    ],
)
def test_a_wrong_password(one: Posted) -> None:
    with pytest.raises(Forbidden):
        SWITCH.read(one)


@pytest.mark.parametrize("body", [b"", b"cdr=!", b"cdr=", b"{}", b'{"callflow": [], "variables": 5}'])
def test_nonsense_of_freeswitch(body: bytes) -> None:
    with pytest.raises(OutsideError):
        SWITCH.read(switch(body))
