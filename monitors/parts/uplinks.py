"""Hooks that are not signed: messages to the codes of Aliyun and Tencent, and FreeSWITCH's call records.

Aliyun and Tencent sign nothing: whoever may post knows the token in the address, `/hooks/aliyun?token=…`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

from canary.errors import OutsideError
from canary.model.sight import Item
from canary.monitors.parts.hooks import (
    TEXT_CHARS,
    Forbidden,
    Posted,
    believed_ms,
    body_key,
    check,
    json_object,
    moment_ms,
)

BATCH: Final = 1_000  # messages in one post
CHINA: Final = timezone(timedelta(hours=8))  # Aliyun writes Beijing's time without saying so


@dataclass(frozen=True, slots=True)
class Aliyun:
    """Uplink messages of Aliyun (SmsUp), some at once; `number` is reached where a message names no code."""

    token: str
    number: str = ""
    media: str = "application/json"

    def read(self, posted: Posted) -> tuple[Item, ...]:
        """Check the token and read the messages."""
        check_token(posted, self.token)
        try:
            told = json.loads(posted.body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, list) or len(told) > BATCH or not all(isinstance(one, dict) for one in told):
            raise OutsideError("the body is no JSON array of messages", "set the hook up as HTTP batch push")
        return tuple(self._message(one, posted) for one in told)

    def _message(self, told: Mapping[str, Any], posted: Posted) -> Item:
        raw = json.dumps(told, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
        try:
            sent = datetime.strptime(str(told.get("send_time")), "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
            when: int | None = int(sent.timestamp() * 1000)
        except (ValueError, OverflowError):
            when = None
        key = str(told.get("sequence_id") or body_key(raw))
        detail = {"from": str(told.get("phone_number", "")), "sign": str(told.get("sign_name", ""))}
        to = str(told.get("dest_code") or self.number)
        return message_item(key, raw, to, detail, believed_ms(when, posted.now_ms))

    def answer(self, items: tuple[Item, ...]) -> str:  # noqa: ARG002 - the same for all
        """Answer that all is taken."""
        return '{"code": 0, "msg": "ok"}'


@dataclass(frozen=True, slots=True)
class Tencent:
    """Replies to messages of Tencent; `number` is reached where a message has no extension."""

    token: str
    number: str = ""
    media: str = "application/json"

    def read(self, posted: Posted) -> tuple[Item, ...]:
        """Check the token and read one message."""
        check_token(posted, self.token)
        told = json_object(posted.body)
        sender = f"+{told.get('nationcode', '86')}{told.get('mobile', '')}"
        when = believed_ms(moment_ms(str(told.get("time", ""))), posted.now_ms)
        detail = {"from": sender, "sign": str(told.get("sign", ""))}
        to = str(told.get("extend") or self.number)
        return (message_item(body_key(posted.body), posted.body, to, detail, when),)

    def answer(self, items: tuple[Item, ...]) -> str:  # noqa: ARG002 - the same for all
        """Answer that it is taken."""
        return '{"result": 0, "errmsg": "OK"}'


@dataclass(frozen=True, slots=True)
class FreeSwitch:
    """Call records of FreeSWITCH (mod_json_cdr) under Basic authentication: plain JSON, or `cdr=` in a form."""

    user: str
    password: str
    media: str = "text/plain"

    def read(self, posted: Posted) -> tuple[Item, ...]:
        """Check user and password and read one call; calls that go out give nothing."""
        word = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        scheme, _, given = posted.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise Forbidden
        check(word, given)
        told = json_object(_record(posted.body))
        variables = _table(told.get("variables"))
        if variables.get("direction", "inbound") != "inbound":
            return ()
        profile = _profile(told)
        to = str(profile.get("destination_number") or variables.get("destination_number") or "")
        sender = str(profile.get("caller_id_number") or variables.get("caller_id_number") or "")
        detail = {"from": sender, "duration": str(variables.get("duration", ""))}
        when = believed_ms(moment_ms(str(variables.get("start_epoch", ""))), posted.now_ms)
        key = str(variables.get("uuid") or body_key(posted.body))
        return (message_item(key, posted.body, to, detail, when, "call"),)

    def answer(self, items: tuple[Item, ...]) -> str:  # noqa: ARG002 - the same for all
        """Answer that it is taken."""
        return "taken\n"


def check_token(posted: Posted, token: str) -> None:
    """Compare the token of the address in constant time; raises Forbidden where it differs."""
    query = parse_qs(urlsplit(posted.path).query, max_num_fields=50)
    check(token, query.get("token", [""])[0])


def message_item(
    key: str, raw: bytes, to: str, detail: Mapping[str, str], time_ms: int, event: str = "sms"
) -> Item:
    """Make the item of a message or call; raises OutsideError where nothing says what was reached."""
    if not to.strip():
        raise OutsideError("nothing says which number was reached", "set `number` for this hook")
    kept = {name: text[:TEXT_CHARS] for name, text in detail.items() if text}
    return Item(key, raw, time_ms, event, to.strip(), "application/json", kept)


def _record(body: bytes) -> bytes:
    """Give the JSON of a call record: the body, or `cdr` of a form, percent-encoded or in base64."""
    if not body.lstrip().startswith(b"cdr="):
        return body
    text = dict(parse_qsl(body.decode("utf-8", "replace").strip(), max_num_fields=50)).get("cdr", "")
    if text.lstrip().startswith("{"):
        return text.encode()
    try:
        return base64.b64decode(text.replace(" ", "+"), validate=True)
    except (ValueError, binascii.Error):
        return b""


def _profile(told: Mapping[str, Any]) -> dict[str, Any]:
    flow = told.get("callflow")
    first = flow[0] if isinstance(flow, list) and flow else flow
    return _table(_table(first).get("caller_profile"))


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
