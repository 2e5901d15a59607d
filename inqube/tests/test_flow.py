"""Flow control of streamed answers; with a real daphne, an export's tests have it (telemetry/tests)."""

from functools import partial
from typing import Any

import pytest
from daphne.http_protocol import WebRequest

from inqube import flow
from inqube.flow import with_flow_control

START = {"type": "http.response.start", "status": 200, "headers": []}
PIECE = {"type": "http.response.body", "body": b"piece", "more_body": True}
END = {"type": "http.response.body", "body": b""}
SCOPE = {"type": "http", "path": "/"}


class Transport:
    aborted = False

    def abortConnection(self) -> None:  # noqa: N802
        self.aborted = True


class Channel:
    def __init__(self) -> None:
        self.transport = Transport()
        self.producer: Any = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        self.producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802
        self.producer = None


@pytest.fixture
def request_() -> WebRequest:
    """Of daphne's class, but not of a connection; what it is sent is in `sent`."""
    request = WebRequest.__new__(WebRequest)
    request.channel, request.producer, request.sent = Channel(), None, []
    return request


async def reply(request: WebRequest, message: dict[str, Any]) -> None:
    request.sent.append(message)


async def run(application: Any, request: WebRequest) -> None:
    await with_flow_control(application)(SCOPE, None, partial(reply, request))


async def test_it_lets_go_of_the_connection_before_the_end(request_: WebRequest) -> None:
    producers = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        for message in (START, PIECE, END):
            await send(message)
            producers.append(request_.channel.producer)

    await run(application, request_)
    assert request_.sent == [START, PIECE, END]
    assert [producer is not None for producer in producers] == [False, True, False]
    assert not request_.channel.transport.aborted


async def test_it_gives_up_a_client_that_does_not_read(request_: WebRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "STALLED_S", 0.01)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(PIECE)
        request_.channel.producer.pauseProducing()
        await send(PIECE)
        await send(END)

    await run(application, request_)
    assert END not in request_.sent
    assert request_.channel.transport.aborted


async def test_it_breaks_the_connection_off_when_an_answer_fails_that_has_begun(request_: WebRequest) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        raise RuntimeError

    await run(application, request_)
    assert request_.channel.transport.aborted


async def test_it_leaves_failures_before_the_answer_to_the_server(request_: WebRequest) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await run(application, request_)
    assert not request_.channel.transport.aborted


async def test_it_leaves_other_servers_as_they_are() -> None:
    given = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        given.append(send)

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError

    await with_flow_control(application)(SCOPE, None, send)
    assert given == [send]
