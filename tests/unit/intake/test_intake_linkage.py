"""Names taken apart, what contradicts a number, what the model is, and how right links are on a small made-up county."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from services.cli.simulate.records import population
from services.intake.identity import offender_id
from services.intake.linkage.model import LinkageError, score, train
from services.intake.linkage.names import taken_apart
from services.intake.linkage.rules import Bars, Contradiction, Known, Verdict, contradiction, verdict
from tests.bench.linkage import Errors, lower_bound, trial

HIS = Known(
    "r1", "o1", "ZZ0010000", "NC:1", "F1", None, "Mills, Robert James", date(1985, 3, 14), "M", frozenset({"A1"})
)


def known(seed: int, size: int) -> list[Known]:
    return [
        Known(
            f"{number:06}", offender_id(one.known), one.known.agency, one.known.state_id, one.known.fbi_number, None,
            one.known.name, one.known.birth_date, one.known.sex,
        )
        for number, one in enumerate(population(seed, size))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "given", "surnames", "suffix"),
    [
        ("GARCIA-LOPEZ JR, JOSE MANUEL", "jose", ("garcia", "lopez"), "2"),
        ("García López, José", "jose", ("garcia", "lopez"), None),
        ("José M García López", "jose", ("garcia", "lopez"), None),
        ("de la Cruz, Juan-Carlos II", "juan-carlos", ("cruz",), "2"),
        ("O'Neil, Pat", "pat", ("oneil",), None),
        ("Cher", "cher", (), None),
        ("--, 7", None, (), None),
    ],
)
def test_a_name_is_taken_apart(written: str, given: str | None, surnames: tuple[str, ...], suffix: str | None) -> None:
    found = taken_apart(written)
    assert (found.given, found.surnames, found.suffix) == (given, surnames, suffix)
    assert written not in repr(found)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "MILLS, BOBBY"}, None),
        ({"name": "Milsl, Robert"}, None),
        ({"birth_date": date(1985, 4, 14)}, None),
        ({"birth_date": date(1985, 1, 1)}, None),
        ({"name": "Mills Jr, Robert"}, None),
        ({"name": "Rogers, Robert"}, None),
        ({"birth_date": date(1960, 7, 7)}, Contradiction.GENERATION),
        ({"name": "Mills, Ronald"}, Contradiction.GIVEN_NAME),
        ({"name": "Rogers, Robert", "birth_date": date(1979, 7, 7)}, Contradiction.NAME_AND_BIRTH_DATE),
        ({"state_number": "NC:2"}, Contradiction.STATE_NUMBERS),
        ({"state_number": "SC:2"}, None),
        ({"name": None, "birth_date": None, "sex": None}, None),
    ],
)
def test_what_contradicts_a_number(changes: dict[str, object], expected: Contradiction | None) -> None:
    other = replace(HIS, record_id="r2", offender_id="o2", **changes)  # type: ignore[arg-type]

    assert contradiction(HIS, other) == contradiction(other, HIS) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("Garcia, Daniel", "M"), ("Garcia, Daniela", "F"), Contradiction.GIVEN_NAME),
        (("Garcia, Daniel", "M"), ("Garcia, Daniela", None), None),
        (("Garcia, Daniel", "M"), ("Garcia, Daniell", "M"), None),
        (("Garcia, Daniel", "M"), ("Garcia, Daniel", "F"), None),
        (("Garcia, Patricia", "F"), ("Garcia, Pat", "M"), Contradiction.GIVEN_NAME),
        ((None, "F"), ("Garcia, Daniel", "M"), Contradiction.GIVEN_NAME),
        ((None, "F"), (None, "M"), Contradiction.GIVEN_NAME),
        (("Garcia, Juan-Carlos", "M"), ("Garcia, Juan-Pablo", "M"), Contradiction.GIVEN_NAME),
        (("Garcia, Juan-Carlos", "M"), ("Garcia, Juan-Carlo", "M"), None),
        (("Garcia, Juan-Carlos", "M"), ("Garcia, Juan", "M"), None),
    ],
)
def test_a_number_that_brother_and_sister_share_is_a_persons_to_judge(
    one: tuple[str | None, str | None], other: tuple[str | None, str | None], expected: Contradiction | None
) -> None:
    """Twins of one birth date, and one mistyped number: his charges are not hers."""
    a, b = (replace(HIS, name=name, sex=sex, arrests=frozenset()) for name, sex in (one, other))
    assert contradiction(a, b) == contradiction(b, a) == expected
    assert verdict(a, b, 0.0, Bars())[0] is (Verdict.ASK if expected else Verdict.LINK)


@pytest.mark.parametrize(
    ("changes", "probability", "expected"),
    [
        ({}, 0.999, Verdict.LINK),
        ({}, 0.98, Verdict.ASK),
        ({"arrests": frozenset()}, 0.999999, Verdict.ASK),
        ({"arrests": frozenset()}, 0.4, Verdict.SEPARATE),
        ({"name": "Mills, Robret"}, 0.999, Verdict.ASK),
        ({"name": "Mills, Robert Paul"}, 0.999, Verdict.ASK),
        ({"name": "Mills, Robert J"}, 0.999, Verdict.LINK),
        ({"name": "Mills, Robert-Lee"}, 0.999, Verdict.ASK),
        ({"sex": "F"}, 0.999, Verdict.ASK),
        ({"birth_date": None}, 0.999, Verdict.ASK),
        ({"state_number": "NC:999"}, 0.999, Verdict.SEPARATE),
        ({"state_number": "NC:2"}, 0.999, Verdict.ASK),
        ({"fbi_number": "F1"}, 0.0, Verdict.LINK),
    ],
)
def test_likeness_alone_never_links(changes: dict[str, object], probability: float, expected: Verdict) -> None:
    other = replace(HIS, record_id="r2", offender_id="o2", state_number=None, fbi_number=None)
    other = replace(other, **changes)  # type: ignore[arg-type]

    assert verdict(HIS, other, probability, Bars())[0] is expected


def test_the_same_records_give_the_same_model_and_nothing_is_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    records = known(3, 400)
    model = train(records)

    assert train(records).digest == model.digest
    pairs = list(score(model, ((each, each.record_id > "000300") for each in records), least=0.5))
    assert pairs
    assert all(pair.one < pair.other and max(pair.one, pair.other) > "000300" for pair in pairs)
    assert len({(pair.one, pair.other) for pair in pairs}) == len(pairs)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_too_few_records_are_not_trained_on() -> None:
    with pytest.raises(LinkageError, match="too few"):
        train(known(3, 20))


def test_a_fault_of_the_engine_tells_no_value() -> None:
    broken = replace(HIS, birth_date="Mills 1985-03-14")  # type: ignore[arg-type]
    with pytest.raises((LinkageError, AttributeError)) as failed:
        train([broken] * 600)
    assert "Mills" not in str(failed.value)


def test_the_bound_is_clopper_and_pearsons() -> None:
    """Where nothing is wrong it is (alpha / 2) ** (1 / n); the other value is of its table (95 of 100)."""
    assert lower_bound(3_688, 3_688) == pytest.approx(0.025 ** (1 / 3_688), abs=1e-9)
    assert lower_bound(95, 100) == pytest.approx(0.8872, abs=1e-4)


async def test_links_of_a_small_county_are_right(tmp_path: Path) -> None:
    """The figures that count are of `python -m tests.bench.linkage`, docs/identity.md."""
    report = await trial(tmp_path, 5, 500, Errors())

    assert report.wrong == 0
    assert report.links > 60
    assert report.by_number > 0
    assert report.reachable > 0.85 * report.pairs
    assert report.questions_same > 0.7 * report.questions
