"""One HTTP listener for the webhooks of telephone providers: who calls or texts a canary's number is seen."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from canary.errors import CanaryError, OutsideError, UsageError
from canary.monitors.parts.binding import bind
from canary.monitors.parts.carriers import Plivo, Telnyx, Vonage
from canary.monitors.parts.hooks import Forbidden, Generic, Hook, Posted, Twilio
from canary.monitors.parts.settings import Settings
from canary.monitors.parts.uplinks import Aliyun, FreeSwitch, Tencent
from canary.ports import Desk, Known, Receiver

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MAX_BODY: Final = 1_000_000
BODY_SECONDS: Final = 10.0
MAX_CONNECTIONS: Final = 500
START_SECONDS: Final = 10.0
STOP_SECONDS: Final = 5


class HookListener:
    """Listens for POST /hooks/NAME; answers 2xx only after the commit, 403 to what is not signed."""

    def __init__(self, address: tuple[str, int], hooks: Mapping[str, Hook], now: Callable[[], float]) -> None:
        self._address, self._hooks, self._now = address, hooks, now
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._desk: Desk | None = None

    @property
    def port(self) -> int:
        """Give the port it listens on, 0 before it started."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    async def start(self, desk: Desk, known: Known) -> None:  # noqa: ARG002 - unknown numbers are no secret
        """Listen; raises OutsideError where the address is not to be had."""
        self._desk = desk
        self._socket = bind(self._address)
        self._server = _server(self._app())
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        async with asyncio.timeout(START_SECONDS):
            while not self._server.started and not self._task.done():
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Stop listening after what is being committed."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._task, STOP_SECONDS + 3)
        if self._socket is not None:
            self._socket.close()
        self._server = self._task = self._socket = None

    def _app(self) -> Starlette:
        from starlette.applications import Starlette
        from starlette.routing import Route

        return Starlette(routes=[Route("/hooks/{name}", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        from starlette.responses import PlainTextResponse, Response

        hook = self._hooks.get(request.path_params["name"])
        if hook is None:
            return PlainTextResponse("no such hook\n", 404)
        body = await _body(request)
        if body is None:
            return PlainTextResponse("the body is too big or too slow\n", 413)
        query = request.url.query
        path = request.url.path + (f"?{query}" if query else "")
        try:
            items = hook.read(Posted(path, dict(request.headers), body, int(self._now() * 1000)))
        except Forbidden as error:
            return PlainTextResponse(f"{error.message}\n", 403)
        except (OutsideError, ValueError) as error:
            return PlainTextResponse(f"{error}\n", 400)
        try:
            if self._desk is not None and items:
                await self._desk(list(items))
        except CanaryError:
            return PlainTextResponse("try again later\n", 503)
        return Response(hook.answer(items), 200, media_type=hook.media)


async def _body(request: Request) -> bytes | None:
    """Read a body within its limits of size and time, None beyond."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY:
                    return None
                parts.append(part)
    except TimeoutError:
        return None
    return b"".join(parts)


def _server(app: Starlette) -> uvicorn.Server:
    import uvicorn

    class Quiet(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # signals are the watcher's

    return Quiet(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )


def receiver(settings: Mapping[str, object], now: Callable[[], float] = time.time) -> Receiver:
    """Make the hook listener from `listen`, `public_url`, and a table for each provider that may post."""
    read = Settings(settings)
    address, public_url = read.listen(), read.text("public_url", "")
    hooks: dict[str, Hook] = {}
    for name, make in MAKERS.items():
        if (table := read.table(name)) is not None:
            hooks[name] = make(table, public_url)
            table.done()
    read.done()
    if not hooks:
        raise UsageError("no hook is set up", "add a table such as [monitors.phone.generic] with its secret")
    return HookListener(address, hooks, now)


def _public(public_url: str) -> str:
    if not public_url:
        raise UsageError("the setting 'public_url' is missing", "the provider signs it: give it as https://…")
    return public_url


MAKERS: Final[Mapping[str, Callable[[Settings, str], Hook]]] = {
    "twilio": lambda table, url: Twilio(_public(url), table.text("auth_token")),
    "plivo": lambda table, url: Plivo(_public(url), table.text("auth_token")),
    "telnyx": lambda table, _: Telnyx(table.text("public_key")),
    "vonage": lambda table, _: Vonage(table.text("signature_secret")),
    "aliyun": lambda table, _: Aliyun(table.text("token"), table.text("number", "")),
    "tencent": lambda table, _: Tencent(table.text("token"), table.text("number", "")),
    "freeswitch": lambda table, _: FreeSwitch(table.text("user"), table.text("password")),
    "generic": lambda table, _: Generic(table.text("secret")),
}
