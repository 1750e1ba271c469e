"""Composition root: every partner's part, with its key and its file."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from schemas.partner_file import Partner, load_partners
from services.common.errors import ConfigurationError
from services.common.seal import kept_key
from services.common.settings import CommonSettings, settings_or_error
from services.partners.domain import Pseudonyms
from services.partners.rules import Terms
from services.partners.sender import verified_by
from services.partners.serving import PartnersService, replica_of
from services.partners.settings import PartnersSettings
from services.partners.store import PartnerStore
from services.partners.stream import PartnerCopies

log = structlog.get_logger(__name__)

KEY_FILE = "partners.key"


def build(settings: CommonSettings, own: PartnersSettings | None = None) -> PartnersService:
    """Every partner whose file can be used; of the others the log and health say so.

    Raises `ConfigurationError` where there is none, `TokensFileError`.
    """
    own = own or settings_or_error(PartnersSettings)
    verified_by(own.partners_ca_file)  # whatever is wrong with it is said before anything starts
    partners, faults = load_partners(own.partners) if own.partners is not None else ([], {})
    for name, fault in faults.items():
        log.error("partners.file_not_usable", partner=name, reason=str(fault))
    if not partners:
        why = "; ".join(str(fault) for fault in faults.values())
        raise ConfigurationError(
            why or "IPVI_PARTNERS: no partner file there; docs/partners.md says what stands in one"
        )
    key = county_key(settings.home, own)
    parts = [compose(partner, key) for partner in partners]
    return PartnersService(settings, parts, sorted(faults), partial(replica_of, own=own))


def compose(partner: Partner, key: bytes) -> PartnerCopies:
    """One partner's part, from a file at hand."""
    terms = Terms(partner, Pseudonyms.of(key, partner.id), datetime.now(UTC))
    return PartnerCopies(PartnerStore(terms), terms)


def county_key(home: Path, own: PartnersSettings) -> bytes:
    """From which every partner's pseudonyms follow. Raises `ConfigurationError`."""
    if own.partners_key is not None:
        return own.partners_key.get_secret_value().encode()
    return kept_key(home, KEY_FILE, "IPVI_PARTNERS_KEY")


def partners_of(own: PartnersSettings) -> list[Partner]:
    """Those whose files can be used: whose tables and topics are to be there."""
    return load_partners(own.partners)[0] if own.partners is not None else []
