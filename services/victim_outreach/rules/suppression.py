"""Which cells of tables that share margins must be withheld, so that no small one can be worked out from the others.

Primary: every cell under `LEAST`, nought too: that nobody on a list was reached says it of every woman there. Secondary:
more, until whoever knows all that is published, the sums and the rule can place no withheld cell in a range narrower than
`LEAST`. That is the cell suppression problem (Fischetti and Salazar 2001). The audit is exact, over whole numbers; the choice
of what else to withhold is a heuristic: the cheapest change of the table, by linear programming (Kelly, Golden, Assad 1992).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # takes seconds to load: where nothing is published, never
    import numpy as np
    from scipy.optimize import LinearConstraint

K = TypeVar("K", bound=Hashable)
Sum = tuple[K, tuple[K, ...]]
"""A cell that is the sum of others."""

LEAST = 11
"""No published cell counts fewer women: the threshold of the Centers for Medicare & Medicaid Services for small cells."""


_WANTED = 1_000.0


def withheld(
    values: Mapping[K, int], sums: Sequence[Sum[K]], least: int = LEAST, wanted: Set[K] = frozenset()
) -> frozenset[K]:
    """The cells that may not be published. `sums` must hold of `values`, and name every sum that a reader could form.

    `wanted`: not small, these are withheld only where nothing else will do.
    """
    hidden = {key for key, value in values.items() if value < least}
    while (bare := next(_bare(values, sums, hidden, least), None)) is not None:
        more = _cheapest(values, sums, hidden, bare, least, wanted)
        hidden |= more or set(values)  # a solver that finds nothing publishes nothing
    return frozenset(hidden)


def limits(values: Mapping[K, int], sums: Sequence[Sum[K]], hidden: Set[K], key: K) -> tuple[float, float]:
    """The least and the most that a withheld cell can be, to whoever knows the others; infinite where nothing bounds it."""
    import numpy as np
    from scipy.optimize import LinearConstraint

    keys = sorted(hidden, key=repr)
    place = {each: at for at, each in enumerate(keys)}
    rows, known = [], []
    for total, parts in sums:
        row = np.zeros(len(keys))
        constant = 0
        for each, sign in ((total, 1), *((part, -1) for part in parts)):
            if each in place:
                row[place[each]] += sign
            else:
                constant -= sign * values[each]
        if row.any():
            rows.append(row)
            known.append(constant)
    constraints = [LinearConstraint(np.array(rows), known, known)] if rows else []
    goal = np.zeros(len(keys))
    goal[place[key]] = 1
    return _least(goal, constraints), -_least(-goal, constraints)


def _least(goal: np.ndarray, constraints: Sequence[LinearConstraint]) -> float:
    """Over whole numbers from nought. Raises `ArithmeticError` where the solver has no answer: then nothing is published."""
    import numpy as np
    from scipy.optimize import Bounds, milp

    found = milp(goal, constraints=constraints, integrality=np.ones(len(goal)), bounds=Bounds(0, np.inf))
    if found.status == 0:
        return float(round(found.fun))
    if found.status in (3, 4):  # without a bound; the true values are one answer, so it cannot be that there is none
        return -math.inf
    raise ArithmeticError(f"suppression: the solver ended with {found.status}")


def _bare(values: Mapping[K, int], sums: Sequence[Sum[K]], hidden: set[K], least: int) -> Iterator[K]:
    for key in sorted(hidden, key=lambda each: (values[each], repr(each))):
        low, high = limits(values, sums, hidden, key)
        if high - low < least:
            yield key


def _cheapest(
    values: Mapping[K, int], sums: Sequence[Sum[K]], hidden: Set[K], key: K, least: int, wanted: Set[K]
) -> set[K]:
    """What else to withhold for one cell: the cells in which two tables differ that agree in all else and by `least` in it.

    The cheapest such pair. A unit of change costs a cell's value; next to nothing where it is withheld already, and much where
    it is wanted.
    """
    import numpy as np
    from scipy.optimize import linprog

    keys = sorted(values, key=repr)
    n, at = len(keys), {each: place for place, each in enumerate(keys)}
    # Variables: a rise and a fall of each cell in the one table, and the same in the other.
    prices = {each: (values[each] + 1.0) * (_WANTED if each in wanted else 1) for each in keys}
    price = np.array([1e-3 if each in hidden else prices[each] for each in keys])
    equal = np.zeros((2 * len(sums) + 1, 4 * n))
    for line, (total, parts) in enumerate(sums):
        for each, sign in ((total, 1), *((part, -1) for part in parts)):
            for table in range(2):
                equal[2 * line + table, 2 * n * table + at[each]] += sign
                equal[2 * line + table, 2 * n * table + n + at[each]] -= sign
    equal[-1, [at[key], 2 * n + n + at[key]]] = 1
    equal[-1, [n + at[key], 2 * n + at[key]]] = -1
    right = np.zeros(2 * len(sums) + 1)
    right[-1] = least
    falls = [(0, float(values[each])) for each in keys]
    rises: list[tuple[float, float | None]] = [(0, None)] * n
    answer = linprog(np.tile(price, 4), A_eq=equal, b_eq=right, bounds=[*rises, *falls, *rises, *falls])
    if answer.status != 0:
        return set()
    moved = answer.x.reshape(4, n).sum(axis=0) > 1e-6
    return {each for each, has_moved in zip(keys, moved, strict=True) if has_moved} - hidden
