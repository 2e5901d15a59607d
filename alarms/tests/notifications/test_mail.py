import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest

from alarms.notifications.mail import send
from alarms.tests.notifications.servers import MailServer
from alarms.tests.notifications.test_messages import ALARM, NOTICE


def messages(server: MailServer) -> list[EmailMessage]:
    return [email.message_from_bytes(content, policy=email.policy.default) for _, content in server.received]


def test_it_sends_each_address_a_message_of_its_own(mail_server: MailServer) -> None:
    outcome, told = send(NOTICE, ["nuwan@kandy.example", "night@kandy.example"])
    assert outcome == (True, "The mail server took it for 2 addresses.", False)
    assert told == ["nuwan@kandy.example", "night@kandy.example"]
    first, second = messages(mail_server)
    assert first["To"] == "nuwan@kandy.example"
    assert first["From"] == "InQube <alarms@kandy.example>"
    assert first["Subject"] == "[High] Roller 2: bearing temperature high-high"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["References"] == first["In-Reply-To"] == f"<alarm.{ALARM.id}@kandy.example>"
    assert first["Message-ID"] == f"<{NOTICE.id}.1@kandy.example>"
    assert second["Message-ID"] == f"<{NOTICE.id}.2@kandy.example>"
    plain, rich = (first.get_body((form,)) for form in ("plain", "html"))
    assert plain is not None
    assert rich is not None
    assert "Value: 96.4 °C, limit 95 °C" in plain.get_content()
    assert "<td>96.4 °C, limit 95 °C</td>" in rich.get_content()


def test_it_keeps_the_messages_of_an_alarm_in_one_thread(mail_server: MailServer) -> None:
    send(NOTICE, ["nuwan@kandy.example"])
    send(NOTICE._replace(id="another", kind="cleared"), ["nuwan@kandy.example"])
    first, second = messages(mail_server)
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]


def test_it_tells_the_others_when_one_is_refused(mail_server: MailServer) -> None:
    mail_server.refused = {"gone@kandy.example": b"550 No such user here\r\n"}
    outcome, told = send(NOTICE, ["gone@kandy.example", "night@kandy.example"])
    assert outcome == (False, "gone@kandy.example: 550 No such user here", False)
    assert told == ["night@kandy.example"]


def test_it_says_when_a_server_refuses_to_talk(mail_server: MailServer) -> None:
    mail_server.greeting = b"421 too busy\r\n"
    outcome, told = send(NOTICE, ["nuwan@kandy.example"])
    assert outcome == (False, "The mail server refuses: 421 too busy", False)
    assert told == []


def test_it_waits_no_longer_than_its_limit(mail_server: MailServer, settings: Any) -> None:
    mail_server.hangs = True
    settings.EMAIL_TIMEOUT = 0.5
    outcome, _ = send(NOTICE, ["nuwan@kandy.example"])
    assert not outcome.is_success
    assert outcome.words.startswith("The mail server cannot be reached")
    assert outcome.words.endswith("timed out")


@pytest.mark.parametrize(("url", "words"), [("", "EMAIL_URL is not set"), ("smtp://127.0.0.1:1", "Connection refused")])
def test_it_says_when_there_is_no_server(settings: Any, url: str, words: str) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_URL, settings.EMAIL_HOST, settings.EMAIL_PORT = url, "127.0.0.1", 1
    outcome, _ = send(NOTICE, ["nuwan@kandy.example"])
    assert not outcome.is_success
    assert words in outcome.words
