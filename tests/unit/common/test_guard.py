"""What a replica checks before it joins its group, as far as its own database says it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.partner_file import load_partner
from schemas.policy_file import load_policy
from services.classifier.app import compose as classifier
from services.common.database import Database, database_url
from services.common.errors import ConfigurationError
from services.common.guard import check_key
from services.common.seal import sealer
from services.common.service import Keyed
from services.common.settings import CommonSettings
from services.partners.app import compose as partner
from tests.harness.probe import Probe, make_tables

EXAMPLE = Path(__file__).parents[3] / "deploy" / "partners" / "sheriff.yaml"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    settings = CommonSettings(home=tmp_path, partitions=1)
    await make_tables(settings)
    made = Database(database_url(settings, Probe.name), Probe.name)
    yield made
    await made.close()


def marks(key: bytes) -> list[str]:
    """Of every service whose tables hold keyed hashes."""
    services = [classifier(load_policy("high-point-seed"), sealer(key)), partner(load_partner(EXAMPLE), key)]
    return [service.key_mark for service in services if isinstance(service, Keyed)]


async def test_a_database_is_worked_with_the_key_of_its_first_start(database: Database) -> None:
    first, other = marks(b"the key kept with the backups"), marks(b"the key a new machine has made")
    assert len({*first, *other}) == 4
    await check_key(database, other[0], only_look=True)  # leaves no mark
    await check_key(database, first[0])
    await check_key(database, first[0], only_look=True)
    with pytest.raises(ConfigurationError, match="IPVI_SEAL_KEY"):
        await check_key(database, other[0])
    with pytest.raises(ConfigurationError, match="another key"):
        await check_key(database, other[0], only_look=True)
