"""Brings a message to email addresses, one by one, by Django's email backend (EMAIL_URL).

Each address gets a message of its own: people don't see each other's, and one that is refused keeps no other from
being told. Messages about an alarm refer to one id, so that mail programs show them as a thread.
"""

import smtplib
from collections.abc import Iterable
from email.utils import parseaddr
from typing import NamedTuple

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from alarms.notifications.messages import Notice, html, subject, text
from alarms.notifications.outcome import Outcome

NO_SERVER = "EMAIL_URL is not set: InQube knows no mail server."


class Mailed(NamedTuple):
    outcome: Outcome
    told: list[str]  # the addresses whose server has taken it


def send(notice: Notice, addresses: Iterable[str]) -> Mailed:
    """What came of it, and whom it has reached; raises nothing that a mail server or the network is to blame for."""
    if not settings.EMAIL_URL:
        return Mailed(Outcome(False, NO_SERVER), [])
    told: list[str] = []
    refused: list[str] = []
    try:
        with get_connection() as connection:
            for number, address in enumerate(addresses, 1):
                try:
                    _message(notice, address, number, connection).send()
                    told.append(address)
                except smtplib.SMTPRecipientsRefused as error:
                    refused += [f"{address}: {_reply(*reply)}" for reply in error.recipients.values()]
                except smtplib.SMTPServerDisconnected:
                    raise  # no other address would fare better on this connection
                except smtplib.SMTPResponseException as error:
                    refused.append(f"{address}: {_reply(error.smtp_code, error.smtp_error)}")
    except smtplib.SMTPResponseException as error:
        return Mailed(Outcome(False, f"The mail server refuses: {_reply(error.smtp_code, error.smtp_error)}"), told)
    except (OSError, smtplib.SMTPException) as error:  # a timeout too
        return Mailed(Outcome(False, f"The mail server cannot be reached: {str(error) or type(error).__name__}"), told)
    if refused:
        return Mailed(Outcome(False, "; ".join(refused)), told)
    return Mailed(Outcome(True, f"The mail server took it for {len(told)} address{'es' * (len(told) != 1)}."), told)


def _reply(code: int, said: bytes | str) -> str:
    """`550 No such user here`"""
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(words.split())}"


def _message(notice: Notice, address: str, number: int, connection: BaseEmailBackend) -> EmailMultiAlternatives:
    """Its id is the same in each attempt: a server that has it already may know it again."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "inqube"
    headers = {"Message-ID": f"<{notice.id}.{number}@{domain}>", "Auto-Submitted": "auto-generated"}
    if notice.kind in ("raised", "cleared"):
        thread = f"<alarm.{notice.alarms[0].id}@{domain}>"
        headers |= {"In-Reply-To": thread, "References": thread}
    message = EmailMultiAlternatives(subject(notice), text(notice), to=[address], headers=headers)
    message.connection = connection
    message.attach_alternative(html(notice), "text/html")
    return message
