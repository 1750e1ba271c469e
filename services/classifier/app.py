"""Composition root: the classifier with everything it needs."""

from __future__ import annotations

from schemas.policy import Policy
from services.classifier.domain import Seal
from services.classifier.policies import usable
from services.classifier.settings import ClassifierSettings
from services.classifier.store import ClassifierStore
from services.classifier.stream import Classifier
from services.classifier.terms import terms_of
from services.common.seal import kept_key, sealer
from services.common.settings import CommonSettings, settings_or_error


def build(settings: CommonSettings, own: ClassifierSettings | None = None) -> Classifier:
    """Raises `PolicyError` where the policy cannot be used, `ConfigurationError` where the settings cannot."""
    own = own or settings_or_error(ClassifierSettings)
    key = own.seal_key.get_secret_value().encode() if own.seal_key else kept_key(settings.home)
    return compose(usable(settings.policy), sealer(key))


def compose(policy: Policy, seal: Seal) -> Classifier:
    """From a policy at hand; also what `ipvi replay` runs."""
    policies = terms_of(policy, seal)
    return Classifier(ClassifierStore(policies), policies)
