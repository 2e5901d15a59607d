import hashlib
import hmac
import ssl
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from alarms.notifications import webhook
from alarms.notifications.addresses import networks
from alarms.tests.notifications.servers import WebhookServer
from plants.tests.certificates import Authority

HERE = networks(["127.0.0.0/8"])
BODY = b'{"version":1}'


def post(server: WebhookServer, **options: object) -> webhook.Outcome:
    return webhook.post(server.url, BODY, {"X-Test": "1"}, HERE, **options)  # type: ignore[arg-type]


def test_it_posts_to_a_checked_address_under_the_hosts_name(receiver: WebhookServer) -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    url = f"http://hooks.example:{receiver.port}/alarms?of=kandy"
    outcome = webhook.post(url, BODY, {"X-Test": "1"}, HERE, resolve=resolve)
    assert outcome == (True, "200 OK", False)
    (request,) = receiver.received
    assert (request.path, request.body) == ("/alarms?of=kandy", BODY)
    assert (request.headers["Host"], request.headers["X-Test"]) == (f"hooks.example:{receiver.port}", "1")
    assert asked == ["hooks.example"]


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"], []])
def test_it_connects_to_nothing_private(receiver: WebhookServer, addresses: list[str]) -> None:
    url = f"http://hooks.example:{receiver.port}/"
    outcome = webhook.post(url, BODY, {}, [], resolve=lambda host, port: addresses)
    assert (outcome.is_success, outcome.is_final) == (False, True)
    assert "hooks.example is not in the public internet" in outcome.words
    assert receiver.received == []


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0"])
def test_it_sees_through_other_ways_to_write_this_machine(receiver: WebhookServer, host: str) -> None:
    outcome = webhook.post(f"http://{host}:{receiver.port}/", BODY, {}, [])
    assert not outcome.is_success
    assert receiver.received == []


def test_it_follows_no_redirect(receiver: WebhookServer) -> None:
    receiver.statuses, receiver.headers = [307], {"Location": receiver.url}
    outcome = post(receiver)
    assert not outcome.is_success
    assert "307 Temporary Redirect: redirects are not followed" in outcome.words
    assert len(receiver.received) == 1


def test_it_says_what_a_server_says_to_an_error_in_short(receiver: WebhookServer) -> None:
    receiver.statuses, receiver.answer = [400], b"no such\n channel" + b"!" * 1_000_000
    outcome = post(receiver)
    assert outcome.words.startswith("400 Bad Request: no such channel!!!")
    assert len(outcome.words) <= webhook.MAX_ANSWER + 20


def hang(handler: BaseHTTPRequestHandler, server: WebhookServer) -> None:
    server.ended.wait()


def drip(handler: BaseHTTPRequestHandler, server: WebhookServer) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    while not server.ended.wait(0.05):
        handler.wfile.write(b"a")


def pour(handler: BaseHTTPRequestHandler, server: WebhookServer) -> None:
    handler.wfile.write(b"HTTP/1.1 500 Internal Server Error\r\n\r\n")
    while not server.ended.is_set():
        handler.wfile.write(b"a" * 65536)


@pytest.mark.parametrize("misbehaviour", [hang, drip])
def test_it_waits_no_longer_than_its_limit(receiver: WebhookServer, misbehaviour: object) -> None:
    receiver.misbehave = lambda handler: misbehaviour(handler, receiver)  # type: ignore[operator]
    assert post(receiver, total_s=0.5) == (False, "127.0.0.1 did not answer within 0.5 s.", False)


def test_it_reads_little_of_an_endless_answer(receiver: WebhookServer) -> None:
    receiver.misbehave = lambda handler: pour(handler, receiver)
    outcome = post(receiver)
    assert outcome.words.startswith("500 Internal Server Error: aaa")
    assert len(outcome.words) <= webhook.MAX_ANSWER + 40


def test_it_says_when_nobody_listens(receiver: WebhookServer) -> None:
    outcome = webhook.post("http://127.0.0.1:1/", BODY, {}, HERE)
    assert outcome == (False, "127.0.0.1: Connection refused.", False)


def test_it_says_when_a_name_means_nothing() -> None:
    outcome = webhook.post("https://nowhere.invalid/", BODY, {}, HERE)
    assert not outcome.is_success
    assert "nowhere.invalid cannot be resolved" in outcome.words


def greet(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"220 mail.example ESMTP\r\n")


def test_it_says_when_what_answers_is_no_web_server(receiver: WebhookServer) -> None:
    receiver.misbehave = greet
    assert "does not speak HTTP" in post(receiver).words


def test_it_signs_so_that_the_receiver_can_verify_it() -> None:
    header = webhook.signature("secret", 1796041781, BODY)
    parts = dict(part.split("=") for part in header.split(","))
    wanted = hmac.new(b"secret", f"{parts['t']}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert parts == {"t": "1796041781", "v1": wanted}


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", "200 OK"),
        ("hooks.example", "hooks.example: its certificate is not trusted: Hostname mismatch, certificate is not valid"),
    ],
)
def test_it_checks_the_certificate_for_the_hosts_name(tmp_path: Path, host: str, words: str) -> None:
    """The certificate is of the address to which it connects, which is not what was asked for."""
    authority = Authority.make(tmp_path, "authority")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server", "server"))
    named: list[str | None] = []
    context.sni_callback = lambda sock, name, context: named.append(name)
    trusting = ssl.create_default_context(cafile=authority.certificate)
    with WebhookServer(context) as server:
        url = f"https://{host}:{server.port}/"
        outcome = webhook.post(url, BODY, {}, HERE, resolve=lambda host, port: ["127.0.0.1"], context=trusting)
    assert outcome.words.startswith(words)
    assert len(server.received) == outcome.is_success
    assert named == [None if host == "127.0.0.1" else host]
