"""Exports of Telegram, QQ and WeChat, and what a bot hears."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from canary.errors import OutsideError, UsageError
from canary.model.sight import Item
from canary.monitors import chat
from canary.monitors.parts import folder as files
from canary.monitors.parts.chats import plain_text, read_days
from tests.watch_tools import CannedFetch, reply

NONE = CannedFetch({})
NOW = 1_750_000_000.0
# as Telegram Desktop writes result.json: numbers and links stand apart in a text
MESSAGES = [
    {"id": 1, "type": "service", "date": "2026-01-01T08:00:00", "date_unixtime": "1767225600", "actor": "x"},
    {
        "id": 2, "type": "message", "date": "2026-01-01T09:00:00", "date_unixtime": "1767229200", "from": "料商",
        "text": ["出料 ", {"type": "phone", "text": "14000000001"}, " 张三"],
        "text_entities": [{"type": "plain", "text": "出料 "}],
    },
    {"id": 3, "type": "message", "date": "2026-01-02T09:00:00", "from": "y", "text": "次日"},
]  # fmt: skip
ONE_CHAT = {"name": "群", "type": "private_supergroup", "id": 7, "messages": MESSAGES}
QQ = """消息记录（此消息记录为文本格式，不支持重新导入）

================================================================
消息分组:我的群
================================================================
消息对象:数据交流
================================================================

2026-01-01 9:00:05 料商(12345678)
出料 14000000001
张三

2026-01-01 21:10:00 买家<a@qq.example>
多少

2026-01-02 0:00:01 料商(12345678)
一千
"""
WECHAT = """张三 (2026-01-01 09:00:05): 出料 14000000001

2026年1月2日 上午 9:10 李四
收到
王五 2026/1/2 9:11
好
"""


def days(data: bytes, name: str = "file") -> dict[tuple[str, str], tuple[str, int, tuple[str, ...]]]:
    found = read_days(data, name)
    assert found is not None
    return {(one.chat, one.day): (one.raw.decode(), one.messages, one.speakers) for one in found}


def test_a_telegram_chat_by_days() -> None:
    found = days(json.dumps(ONE_CHAT).encode())
    assert list(found) == [("群#7", "2026-01-01"), ("群#7", "2026-01-02")]
    text, messages, speakers = found["群#7", "2026-01-01"]
    assert (messages, speakers) == (2, ("x", "料商"))
    assert "出料 14000000001 张三" in text
    [first, _] = read_days(json.dumps(ONE_CHAT).encode(), "x") or []
    assert first.time_ms == 1_767_229_200_000


def test_a_whole_telegram_account() -> None:
    whole = {
        "about": "x",
        "chats": {"about": "y", "list": [ONE_CHAT, {"id": 8, "name": None, "messages": [MESSAGES[2]]}, 5]},
    }
    assert list(days(json.dumps(whole, ensure_ascii=False).encode("utf-8-sig"))) == [
        ("群#7", "2026-01-01"),
        ("群#7", "2026-01-02"),
        ("#8", "2026-01-02"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_qq_chat_by_days(encoding: str) -> None:
    found = days(QQ.replace("\n", "\r\n").encode(encoding))
    assert list(found) == [
        ("file", ""),
        ("数据交流", ""),
        ("数据交流", "2026-01-01"),
        ("数据交流", "2026-01-02"),
    ]
    text, messages, speakers = found["数据交流", "2026-01-01"]
    assert (messages, speakers) == (2, ("料商(12345678)", "买家<a@qq.example>"))
    assert "出料 14000000001\r\n张三" in text
    assert "一千" not in text


def test_a_wechat_chat_in_its_spellings() -> None:
    found = days(WECHAT.encode(), "客户")
    assert [key for key in found if key[1]] == [("客户", "2026-01-01"), ("客户", "2026-01-02")]
    assert found["客户", "2026-01-01"][1:] == (1, ("张三",))
    assert found["客户", "2026-01-02"][1:] == (2, ("李四", "王五"))
    assert "14000000001" in found["客户", "2026-01-01"][0]


def test_nothing_of_a_chat_is_left_out() -> None:
    for text in (QQ, WECHAT):
        assert "".join(raw for raw, _, _ in days(text.encode()).values()) == text


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"{", b"[" * 100_000, b'{"messages": 5}', b'{"chats": {"list": 5}}', b"a,b\n1,2\n", b"\xff" * 1000,
     b"2026-99-99 10:00:00 x\n"],
)  # fmt: skip
def test_what_is_no_export(data: bytes) -> None:
    assert read_days(data, "x") is None


def test_hostile_lines_end_in_time() -> None:
    lines = [
        "x" + " " * 390,
        "2026-1-1 " * 40,
        "a " * 100 + "2026-1-1 1:00",
        "2026-01-01 10:00:00" + " " * 300 + "x",
    ]
    began = time.process_time()
    read_days("\n".join(lines * 2_000).encode(), "x")
    assert time.process_time() - began < 5


def test_strange_messages_are_passed_over() -> None:
    told = {
        "id": 1,
        "messages": [
            5,
            None,
            {"date": 5, "text": {"a": 1}},
            {"text": [5, {"text": ["x"]}], "date_unixtime": "-1"},
        ],
    }
    found = read_days(json.dumps(told).encode(), "x") or []
    assert sum(one.messages for one in found) == 2
    assert plain_text([5, {"text": [{"text": "x"}, "y"]}, None]) == "xy"


def put(path: Path, data: bytes, age: float) -> None:
    path.write_bytes(data)
    os.utime(path, (NOW - age, NOW - age))


def test_the_next_export_tells_what_is_new(tmp_path: Path) -> None:
    monitor = chat.monitor({"path": str(tmp_path)}, lambda: NOW)
    put(tmp_path / "result.json", json.dumps({**ONE_CHAT, "messages": MESSAGES[:2]}).encode(), 60)
    first = monitor.poll(None, NONE)
    assert [item.key for item in first.items] == ["群#7/2026-01-01"]
    detail = first.items[0].detail
    assert (detail["chat"], detail["messages"], detail["speakers"]) == ("群#7", "2", "x, 料商")
    (tmp_path / "result.json").unlink()
    put(tmp_path / "result (2).json", json.dumps(ONE_CHAT).encode(), 30)
    second = monitor.poll(first.cursor, NONE)
    assert [item.key for item in second.items] == ["群#7/2026-01-02"]
    assert monitor.poll(second.cursor, NONE).items == ()


def test_what_is_no_export_is_told_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CARRIED", 50)
    put(tmp_path / "messages.html", b"<html>hello</html>", 60)
    put(tmp_path / "big.json", json.dumps(ONE_CHAT).encode(), 60)
    poll = chat.monitor({"path": str(tmp_path)}, lambda: NOW).poll(None, NONE)
    assert [(item.key, item.raw) for item in poll.items] == [
        ("big.json", b""),
        ("messages.html", b"<html>hello</html>"),
    ]
    assert poll.items[0].file == str(tmp_path / "big.json")


API = "https://api.telegram.org/bot1:s3cret/getUpdates?limit=100&timeout=0"
BOT = chat.monitor({"token": "1:s3cret"})


def heard(number: int, **more: object) -> dict[str, object]:
    message = {
        "message_id": number,
        "date": 1_767_229_200,
        "chat": {"id": -5, "title": "群"},
        "from": {"username": "x"},
        **more,
    }
    return {"update_id": number, "message": message}


def updates(*told: object, offset: str = "", ok: bool = True, status: int = 200) -> CannedFetch:
    return CannedFetch({API + offset: reply(json.dumps({"ok": ok, "result": list(told)}), status)})


def test_what_a_bot_hears_is_told_once() -> None:
    edited = {
        "update_id": 3,
        "edited_channel_post": {"message_id": 1, "chat": {"id": 9}, "caption": "photo 14000000001"},
    }
    first = BOT.poll(None, updates(heard(1, text="出料 14000000001"), {"update_id": 2, "poll": {}}, edited))
    assert [item.key for item in first.items] == ["-5/1", "9/1"]
    one: Item = first.items[0]
    assert (one.time_ms, dict(one.detail)) == (1_767_229_200_000, {"chat": "群", "from": "x"})
    assert json.loads(first.items[1].raw)["text"] == "photo 14000000001"
    second = BOT.poll(first.cursor, updates(offset="&offset=4"))
    assert (second.items, second.cursor, second.gap, second.more) == ((), first.cursor, False, False)
    third = BOT.poll(second.cursor, updates(heard(9), offset="&offset=4"))
    assert third.gap


def test_a_full_answer_means_more() -> None:
    assert BOT.poll(None, updates(*(heard(n) for n in range(100)))).more


@pytest.mark.parametrize(
    "fetch",
    [updates(ok=False, status=401), updates(status=409), updates(ok=False), CannedFetch({API: reply("x")})],
)
def test_a_bot_that_may_not_listen(fetch: CannedFetch) -> None:
    with pytest.raises(OutsideError) as told:
        BOT.poll(None, fetch)
    assert "s3cret" not in f"{told.value}{told.value.hint}{BOT!r}"


def test_a_chat_is_exports_or_a_bot() -> None:
    for settings in ({}, {"path": "x", "token": "y"}):
        with pytest.raises(UsageError, match="one of path and token"):
            chat.monitor(settings)
