"""The flat file's segments as data: lengths, actions and columns, counted from 1 as the specification counts them.

Source: FBI CJIS, 2019.1 National Incident-Based Reporting System Technical Specification, 2.1 to 2.4 (figures 2-1 to
2-8); the older length of a segment lacks its last elements (cargo theft, bias motivations 2 to 5, officers killed or
assaulted, ethnicity of the offender). Only columns this system reads are listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """An element at columns `first` to `last`, repeated `times` every `step` columns."""

    name: str
    first: int
    last: int
    times: int = 1
    step: int = 0

    def spans(self) -> Iterator[tuple[int, int]]:
        """First and last column of each occurrence."""
        for number in range(self.times):
            yield self.first + number * self.step, self.last + number * self.step


@dataclass(frozen=True, slots=True)
class Layout:
    """One segment level. `lengths` are those of all versions of the specification."""

    level: str
    name: str
    lengths: tuple[int, ...]
    actions: frozenset[str]
    columns: Mapping[str, Column]


def _layout(level: str, name: str, lengths: tuple[int, ...], actions: str, *columns: Column) -> Layout:
    return Layout(
        level,
        name,
        lengths,
        frozenset(actions),
        MappingProxyType({column.name: column for column in _HEADER + columns}),
    )


_HEADER: Final = (
    Column("segment_length", 1, 4),
    Column("segment_level", 5, 5),
    Column("action", 6, 6),
    Column("month_of_submission", 7, 8),
    Column("year_of_submission", 9, 12),
    Column("ori", 17, 25),
    Column("incident_number", 26, 37),
)
HEADER_LENGTH: Final = 37

ZERO = _layout("0", "zero_report", (43,), "AD")
ADMINISTRATIVE = _layout(
    "1",
    "administrative",
    (87, 88),
    "ID",
    Column("incident_date", 38, 45),
    Column("incident_hour", 47, 48),
    Column("cleared_exceptionally", 49, 49),
)
OFFENSE = _layout(
    "2",
    "offense",
    (63, 71),
    "I",
    Column("offense_code", 38, 40),
    # Two characters of weapon or force and the automatic indicator, as one code such as 12A.
    Column("weapon", 53, 55, times=3, step=3),
)
PROPERTY = _layout("3", "property", (307,), "I")
VICTIM = _layout(
    "4",
    "victim",
    (129, 141),
    "I",
    Column("sequence_number", 38, 40),
    Column("offense_codes", 41, 43, times=10, step=3),
    Column("type_of_victim", 71, 71),
    Column("offender_number", 90, 91, times=10, step=4),
    Column("relationship", 92, 93, times=10, step=4),
)
OFFENDER = _layout(
    "5",
    "offender",
    (45, 46),
    "I",
    Column("sequence_number", 38, 39),
    Column("age", 40, 43),
    Column("sex", 44, 44),
    Column("race", 45, 45),
)
ARRESTEE = _layout(
    "6",
    "arrestee",
    (110,),
    "I",
    Column("sequence_number", 38, 39),
    Column("arrest_transaction", 40, 51),
    Column("arrest_date", 52, 59),
    Column("type_of_arrest", 60, 60),
    Column("offense_code", 62, 64),
    Column("age", 71, 74),
    Column("sex", 75, 75),
    Column("race", 76, 76),
)
GROUP_B = _layout(
    "7",
    "group_b_arrest",
    (66,),
    "AD",
    # The arrest transaction number stands where other segments have the incident number.
    Column("sequence_number", 38, 39),
    Column("arrest_date", 40, 47),
    Column("type_of_arrest", 48, 48),
    Column("offense_code", 49, 51),
    Column("age", 58, 61),
    Column("sex", 62, 62),
    Column("race", 63, 63),
)

LAYOUTS: Final = {
    layout.level: layout for layout in (ZERO, ADMINISTRATIVE, OFFENSE, PROPERTY, VICTIM, OFFENDER, ARRESTEE, GROUP_B)
}
PARTS: Final = "23456"
"""Levels that belong to the incident whose administrative segment went before."""
