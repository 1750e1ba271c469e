"""Tables and queries of intake's own schema."""

from services.intake.store.tables import metadata

__all__ = ["metadata"]
