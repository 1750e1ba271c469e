"""Mail and short texts to one person, sent once: nothing here tries again, and nothing here logs.

A message has no other fields than those that must be on the wire. Whoever sends one decides first that it may be sent
(an advocate's act for a message to her, the duty roster for an alert) and records what came of it.
"""

from services.common.messaging.headers import mail_message
from services.common.messaging.message import DUTY_ALERT, Mail, Mailer, Messenger, NotSent, NotSentError, ShortText
from services.common.messaging.serverless import ConsoleMailer, ConsoleMessenger, NoServer
from services.common.messaging.settings import MailSettings, mailer, messenger
from services.common.messaging.smtp import MailMessenger, SmtpMailer, is_loopback

__all__ = [
    "DUTY_ALERT",
    "ConsoleMailer",
    "ConsoleMessenger",
    "Mail",
    "MailMessenger",
    "MailSettings",
    "Mailer",
    "Messenger",
    "NoServer",
    "NotSent",
    "NotSentError",
    "ShortText",
    "SmtpMailer",
    "is_loopback",
    "mail_message",
    "mailer",
    "messenger",
]
