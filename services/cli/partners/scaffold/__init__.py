"""A partner's consumer, as a project of its own: made from its file, run by the partner, importing nothing of ours."""

from services.cli.partners.scaffold.project import PINNED, project
from services.cli.partners.scaffold.types import Model, models

__all__ = ["PINNED", "Model", "models", "project"]
