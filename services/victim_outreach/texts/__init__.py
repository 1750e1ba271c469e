"""Texts for victims: written information, rights, resources, the start of a safety plan; on paper, by mail, by SMS.

No text can name the offender, a tier or an incident: `VictimText` has no field for them. What shows before a message is
opened (the SMS, a mail's subject, sender and first lines) tells nothing to whoever else may see it: `neutral.py`.
"""

from services.victim_outreach.texts.book import TextBook, Written, load_texts
from services.victim_outreach.texts.neutral import telling_sender
from services.victim_outreach.texts.text import Kind, TextError, VictimText, mailing_address

__all__ = ["Kind", "TextBook", "TextError", "VictimText", "Written", "load_texts", "mailing_address", "telling_sender"]
