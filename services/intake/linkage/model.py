"""How likely two records are one person, by name, birth date and sex: a Splink model (Fellegi and Sunter) on DuckDB, in memory.

Trained on the records there are: u by random sampling, m by expectation maximisation within three blocks, seeded. A model is
what was trained, with its digest; scoring with it again gives the same. Numbers are no part of it: they are rules (`rules.py`).
DuckDB and Splink run in the caller's thread; neither writes a file nor logs.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from services.common.errors import IpviError
from services.intake.linkage.names import Name
from services.intake.linkage.rules import Known

LEAST: Final = 500
"""Records, below which there is nothing to train on."""
_SEED: Final = 4_710
_PAIRS: Final = 2_000_000.0
"""Pairs drawn at random, of which nearly all are two people: how often two people agree by chance."""
_RECALL: Final = 0.5
"""Share of the records of one person that share a number, about; only the prior follows from it."""
_MEMORY: Final = "768MB"
_AT_ONCE: Final = 20_000
_SECRET_LOGS: Final = ("splink", "duckdb")


class LinkageError(IpviError):
    """Records cannot be scored; nothing is linked, and what is linked by numbers goes on."""


@dataclass(frozen=True, slots=True)
class Model:
    """Trained settings. `digest`: SHA-256 of them; `records`: how many it was trained on."""

    settings: dict[str, Any] = field(repr=False)
    records: int
    digest: str = ""

    @staticmethod
    def of(settings: dict[str, Any], records: int) -> Model:
        content = orjson.dumps(settings, option=orjson.OPT_SORT_KEYS)
        return Model(settings, records, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, slots=True)
class Scored:
    """`one` and `other`: record ids, in alphabetical order."""

    one: str
    other: str
    probability: float


def train(records: Iterable[Known]) -> Model:
    """Raises `LinkageError` where there are too few records, or too few that share a number, to learn from."""
    with _duckdb() as con:
        count = _load(con, ((each, True) for each in records))
        if count < LEAST:
            raise LinkageError(f"{count} records are too few to train on: {LEAST} at the least")
        with _no_values():
            from splink import DuckDBAPI, Linker, block_on

            api = DuckDBAPI(con)
            linker = Linker(api.register("records"), _settings(), log_level=None)
            training = linker.training
            strong: list[Any] = [block_on("state_number"), block_on("fbi_number")]
            training.estimate_probability_two_random_records_match(strong, recall=_RECALL)
            training.estimate_u_using_random_sampling(max_pairs=_PAIRS, seed=_SEED)
            for block in (*strong, block_on("born", "family")):
                training.estimate_parameters_using_expectation_maximisation(block, record_sample_proportion=1.0)
            return Model.of(linker.misc.save_model_to_json(), count)


def score(model: Model, records: Iterable[tuple[Known, bool]], *, least: float) -> Iterator[Scored]:
    """Pairs of which one at least is new (True) and whose probability is `least` or more; each pair once, in no order.

    Compared are records that share a birth date (day and month in either order) or a given name (nicknames resolved) and one
    of their surnames. Raises `LinkageError`.
    """
    with _duckdb() as con:
        _load(con, records)
        with _no_values():
            from splink import DuckDBAPI, Linker

            api = DuckDBAPI(con)
            linker = Linker(api.register("records"), model.settings, log_level=None)
            found = linker.inference.predict(threshold_match_probability=least, warning_mode="never")
            rows = con.execute(
                f"select unique_id_l, unique_id_r, match_probability from {found.physical_name}"  # noqa: S608 (a name of Splink's)
            )
            while some := rows.fetchmany(_AT_ONCE):
                for one, other, probability in some:
                    yield Scored(min(one, other), max(one, other), probability)


def _settings() -> Any:
    from splink import SettingsCreator
    from splink import blocking_rule_library as brl
    from splink import comparison_level_library as cll
    from splink import comparison_library as cl

    fresh = "and (l.fresh or r.fresh)"
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="unique_id",
        comparisons=[
            cl.CustomComparison(
                output_column_name="given",
                comparison_levels=[
                    cll.NullLevel("given"),
                    cll.ExactMatchLevel("given", term_frequency_adjustments=True),
                    cll.ArrayIntersectLevel("called", min_intersection=1),
                    cll.DamerauLevenshteinLevel("given", distance_threshold=1),
                    cll.JaroWinklerLevel("given", distance_threshold=0.88),
                    cll.ElseLevel(),
                ],
            ),
            cl.CustomComparison(
                output_column_name="family",
                comparison_levels=[
                    cll.NullLevel("family"),
                    cll.ExactMatchLevel("family", term_frequency_adjustments=True),
                    cll.ArrayIntersectLevel("surnames", min_intersection=2),
                    cll.ArrayIntersectLevel("surnames", min_intersection=1),
                    cll.JaroWinklerLevel("family", distance_threshold=0.92),
                    cll.ElseLevel(),
                ],
            ),
            cl.CustomComparison(
                output_column_name="suffix",
                comparison_levels=[cll.NullLevel("suffix"), cll.ExactMatchLevel("suffix"), cll.ElseLevel()],
            ),
            cl.CustomComparison(
                output_column_name="born",
                comparison_levels=[
                    cll.NullLevel("born"),
                    cll.ExactMatchLevel("born"),
                    cll.ExactMatchLevel("born_key"),
                    cll.DamerauLevenshteinLevel("born", distance_threshold=1),
                    cll.CustomLevel("substr(born_l, 1, 4) = substr(born_r, 1, 4)", label_for_charts="year"),
                    cll.ElseLevel(),
                ],
            ),
            cl.CustomComparison(
                output_column_name="sex",
                comparison_levels=[cll.NullLevel("sex"), cll.ExactMatchLevel("sex"), cll.ElseLevel()],
            ),
        ],
        blocking_rules_to_generate_predictions=[
            brl.CustomRule(f"l.born_key = r.born_key {fresh}"),
            brl.CustomRule(f"l.name_keys = r.name_keys {fresh}", arrays_to_explode=["name_keys"]),
        ],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
        max_iterations=50,
        linker_uid="ipvi",
    )


@contextmanager
def _duckdb() -> Iterator[Any]:
    """In memory, and never a file: what does not fit is an error, not a copy on a disk."""
    import duckdb

    con = duckdb.connect(":memory:", config={"memory_limit": _MEMORY, "temp_directory": "", "threads": 1})
    try:
        con.execute("set enable_progress_bar = false")
        yield con
    except duckdb.Error as failed:
        raise LinkageError(f"records could not be compared ({type(failed).__name__})") from None
    finally:
        con.close()


@contextmanager
def _no_values() -> Iterator[None]:
    """Texts of Splink and DuckDB can hold SQL and what stands in it: only what kind of fault it was is told."""
    before = {name: logging.getLogger(name).level for name in _SECRET_LOGS}
    for name in _SECRET_LOGS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    except LinkageError:
        raise
    except Exception as failed:  # noqa: BLE001 (whatever it is, its text stays here)
        raise LinkageError(f"records could not be compared ({type(failed).__name__})") from None
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _load(con: Any, records: Iterable[tuple[Known, bool]]) -> int:
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    shape = pa.schema(
        [
            ("unique_id", text), ("fresh", pa.bool_()), ("given", text), ("called", texts), ("family", text),
            ("surnames", texts), ("suffix", text), ("born", text), ("born_key", text), ("name_keys", texts),
            ("sex", text), ("state_number", text), ("fbi_number", text),
        ]
    )  # fmt: skip
    con.register("batch", shape.empty_table())
    con.execute("create table records as select * from batch")
    count, held = 0, []
    for known, fresh in records:
        held.append(_row(known, fresh))
        if len(held) == _AT_ONCE:
            count += _insert(con, held, shape)
            held = []
    return count + _insert(con, held, shape)


def _insert(con: Any, held: list[dict[str, Any]], shape: Any) -> int:
    import pyarrow as pa

    con.unregister("batch")
    con.register("batch", pa.Table.from_pylist(held, schema=shape))
    con.execute("insert into records select * from batch")
    return len(held)


def _row(known: Known, fresh: bool) -> dict[str, Any]:
    parts, born = known.parts, known.birth_date
    return {
        "unique_id": known.record_id,
        "fresh": fresh,
        "given": parts.given,
        "called": list(parts.called) or None,
        "family": parts.family,
        "surnames": list(parts.surnames) or None,
        "suffix": parts.suffix,
        "born": born.isoformat() if born else None,
        "born_key": f"{born.year}-{min(born.month, born.day)}-{max(born.month, born.day)}" if born else None,
        "name_keys": _name_keys(parts),
        "sex": known.sex,
        "state_number": known.state_number,
        "fbi_number": known.fbi_number,
    }


def _name_keys(parts: Name) -> list[str] | None:
    return [f"{given} {surname}" for given in parts.called for surname in parts.surnames] or None
