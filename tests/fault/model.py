"""The loop of `services/common/lane.py` as a small explicit-state model, and a checker that tries every order of events.

One lane with `ROWS` input records, each of which says one row; two owners, of whom either may pause anywhere for as long as it
likes (a zombie is an owner that is scheduled late). SQL, the transaction coordinator and the group's offset are modelled as
they behave: a statement or an EndTxn whose answer is lost has been carried out, or may be at any time later, or never.

S2: a reader of committed records sees each row once, in order. S3: it sees none that SQL does not have.
L1: from every reachable world, without further faults, a world is reachable in which everything was processed and published.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

ROWS = 2

Claiming = Literal["init", "epoch", "committed"]
Pc = Literal["idle", "init", "epoch", "committed", "recover", "run", "stopped", "refused", "dead"]


class Owner(NamedTuple):
    """What a process remembers: SQL has rows below `written`, Kafka those below `published`, as far as it knows.

    Of a producer or an SQL epoch all that matters is whether it is the newest.
    """

    pc: Pc = "idle"
    producer: bool = False
    epoch: bool = False
    written: int = 0
    published: int = 0
    committed: int | None = None


class World(NamedTuple):
    """Everything there is. `open`: the newest producer's transaction, first row and end; `late`: requests on their way."""

    owners: tuple[Owner, Owner]
    assigned: int = 0
    position: int = 0
    committed: int | None = None
    visible: int = 0
    open: tuple[int, int] | None = None
    late_sql: int | None = None
    """Of this row."""
    late_end: bool = False
    """Of the newest producer; any other's would do nothing."""
    faults: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Variant:
    """One way to write the loop, and the faults it is tried with."""

    faults: Mapping[str, int]
    has_epoch: bool = True
    pipelined: bool = False
    stops: bool = False
    """A lost compare-and-set or a fence ends the owner, in place of a new claim."""
    repeats_sql: bool = False
    """A statement without an answer is sent again, in place of a new claim."""
    order: tuple[Claiming, ...] = ("init", "epoch", "committed")
    none_is_zero: bool = False
    quiet: bool = True
    """Rows below the committed offset are not published again by a restored database."""


class Violation(Exception):  # noqa: N818 (it is what the checker looks for)
    """The world that a step would lead to breaks S2 or S3."""


@dataclass
class Found:
    """`broken` is None, "S2", "S3" or "L1"; `path` leads there, `worlds` were seen."""

    worlds: int
    broken: str | None = None
    path: list[str] = field(default_factory=list)


Step = tuple[bool, str, World]
"""Whether it is a fault, what happens, and what comes of it."""


class Loop:
    """All steps of one variant."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant

    def start(self) -> World:
        first = Owner("init"), Owner()
        return World(first, faults=tuple(sorted(self.variant.faults.items())))

    def steps(self, world: World) -> Iterator[Step]:
        """Raises `Violation` with the name of what is broken."""
        for number in (0, 1):
            yield from self._owner(world, number)
        yield from self._late(world)
        yield from self._faults(world)

    # owners ----------------------------------------------------------------------------------------------------------

    def _owner(self, world: World, number: int) -> Iterator[Step]:
        me = world.owners[number]
        match me.pc:
            case "dead":
                yield False, f"{number} starts again", put(world, number, Owner(self._next_pc(world, number)))
            case "refused":  # and looks again after a while
                yield False, f"{number} claims again", put(world, number, self._reclaim(world, number))
            case "init" | "epoch" | "committed":
                yield self._claim(world, number, me)
            case "recover" | "run":
                yield from self._work(world, number, me)

    def _next_pc(self, world: World, number: int) -> Pc:
        return self.variant.order[0] if world.assigned == number else "idle"

    def _claim(self, world: World, number: int, me: Owner) -> Step:
        step, v = me.pc, self.variant
        if step == "init":
            world, me = fence(world), me._replace(producer=True)
        elif step == "epoch":
            world = raise_epoch(world) if v.has_epoch else world
            me = me._replace(epoch=True, written=world.position)
        else:
            me = me._replace(committed=world.committed)
        at = v.order.index(step) + 1
        me = me._replace(pc=v.order[at]) if at < len(v.order) else self._claimed(me)
        return False, f"{number} claims: {step}", put(world, number, me)

    def _claimed(self, me: Owner) -> Owner:
        committed = me.committed
        if committed is None:
            if me.written and not self.variant.none_is_zero:
                return me._replace(pc="refused")
            committed = 0
        published = committed if self.variant.quiet else min(committed, me.written)
        new = me.committed is None or published < me.written
        return me._replace(pc="recover" if new else "run", published=published)

    def _work(self, world: World, number: int, me: Owner) -> Iterator[Step]:
        mine = world.open is not None and me.producer
        if me.pc == "run" and me.written < ROWS and me.written - me.published <= self.variant.pipelined:
            yield from self._sql(world, number, me)
        if mine:
            yield from self._end(world, number, me)
        elif me.pc == "recover" or me.published < me.written:
            if not me.producer:
                yield False, f"{number} is fenced", put(world, number, self._lost(world, number))
            else:
                end = max(me.published, me.written if me.pc == "recover" else me.published + 1)
                yield False, f"{number} opens [{me.published}, {end})", world._replace(open=(me.published, end))

    def _sql(self, world: World, number: int, me: Owner) -> Iterator[Step]:
        v, start = self.variant, me.written
        wins = world.position == start and me.epoch
        unknown = me if v.repeats_sql else self._reclaim(world, number)
        if wins:
            applied = world._replace(position=start + 1)
            after = me._replace(written=start + 1)
            yield False, f"{number} writes {start}", put(applied, number, after)
            if (less := spend(world, "sql answer")) is not None:
                yield (
                    True,
                    f"{number} writes {start}, answer lost",
                    put(less._replace(position=start + 1), number, unknown),
                )
        else:
            yield False, f"{number} loses compare-and-set at {start}", put(world, number, self._lost(world, number))
        if me.epoch and (less := spend(world, "sql answer")) is not None:
            yield True, f"{number} writes {start}, on its way", put(less._replace(late_sql=start), number, unknown)

    def _end(self, world: World, number: int, me: Owner) -> Iterator[Step]:
        assert world.open is not None
        end = world.open[1]
        after = me._replace(pc="run", published=max(end, me.published))
        yield False, f"{number} ends the transaction", put(commit(world, self.variant), number, after)
        if (less := spend(world, "end answer")) is not None:
            unknown = self._reclaim(world, number)
            yield True, f"{number} ends, answer lost", put(commit(less, self.variant), number, unknown)
            yield True, f"{number} ends, on its way", put(less._replace(late_end=True), number, unknown)

    def _lost(self, world: World, number: int) -> Owner:
        return Owner("stopped") if self.variant.stops else self._reclaim(world, number)

    def _reclaim(self, world: World, number: int) -> Owner:
        return Owner(self._next_pc(world, number))

    # the world -------------------------------------------------------------------------------------------------------

    def _late(self, world: World) -> Iterator[Step]:
        """What was on its way arrives; that it never does is the path on which it does not."""
        if world.late_sql is not None:
            wins = world.position == world.late_sql
            arrived = world._replace(late_sql=None, position=world.position + wins)
            yield False, f"late SQL of {world.late_sql} arrives", arrived
        if world.late_end:
            arrived = world._replace(late_end=False)
            yield False, "late EndTxn arrives", commit(arrived, self.variant) if world.open else arrived

    def _faults(self, world: World) -> Iterator[Step]:
        if (less := spend(world, "rebalance")) is not None:
            heir = 1 - world.assigned
            yield True, f"{heir} is assigned", put(less._replace(assigned=heir), heir, Owner(self.variant.order[0]))
        if (less := spend(world, "kill")) is not None:
            for number in (0, 1):
                if world.owners[number].pc not in ("dead", "idle"):
                    yield True, f"{number} is killed", put(less, number, Owner("dead"))
        if world.open is not None and (less := spend(world, "time-out")) is not None:
            yield True, "the transaction times out", fence(less)
        if world.committed is not None and (less := spend(world, "offset lost")) is not None:
            yield True, "the group's offset is lost", less._replace(committed=None)
        if world.position and (less := spend(world, "restore")) is not None:
            dead = Owner("dead"), Owner("dead")
            yield True, "an old database is restored", less._replace(position=0, late_sql=None, owners=dead)


def put(world: World, number: int, owner: Owner) -> World:
    owners = (owner, world.owners[1]) if number == 0 else (world.owners[0], owner)
    return world._replace(owners=owners)


def fence(world: World) -> World:
    """A newer producer than all there are: it ends their transaction, and what they still have on its way does nothing."""
    first, second = (owner._replace(producer=False) for owner in world.owners)
    return world._replace(owners=(first, second), open=None, late_end=False)


def raise_epoch(world: World) -> World:
    """No statement of an earlier owner will be applied from now on."""
    first, second = (owner._replace(epoch=False) for owner in world.owners)
    return world._replace(owners=(first, second), late_sql=None)


def spend(world: World, fault: str) -> World | None:
    """The world with one less of this fault to come; None if there is none left."""
    if not dict(world.faults).get(fault):
        return None
    return world._replace(faults=tuple((name, left - (name == fault)) for name, left in world.faults))


def commit(world: World, variant: Variant) -> World:
    """The open transaction takes effect: rows and offset."""
    assert world.open is not None
    first, end = world.open
    if first < end:
        if first != world.visible:
            raise Violation("S2")
        if end > world.position and "restore" not in variant.faults:
            raise Violation("S3")
    return world._replace(open=None, visible=max(end, world.visible), committed=end)


def check(variant: Variant, limit: int = 400_000) -> Found:
    """Breadth first, so that the path is a shortest one. Raises `RuntimeError` past `limit` worlds."""
    loop = Loop(variant)
    start = loop.start()
    came: dict[World, tuple[World, str] | None] = {start: None}
    back: dict[World, list[World]] = {}
    ahead = deque([start])
    while ahead:
        world = ahead.popleft()
        try:
            for is_fault, what, after in loop.steps(world):
                if not is_fault:
                    back.setdefault(after, []).append(world)
                if after not in came:
                    came[after] = (world, what)
                    ahead.append(after)
        except Violation as violation:
            return Found(len(came), str(violation), path(came, world))
        if len(came) > limit:
            raise RuntimeError(f"more than {limit} worlds")
    good = reaches(back, [world for world in came if world.position == world.visible == ROWS == (world.committed or 0)])
    stuck = next((world for world in came if world not in good), None)
    return Found(len(came)) if stuck is None else Found(len(came), "L1", path(came, stuck))


def reaches(back: Mapping[World, list[World]], goals: list[World]) -> set[World]:
    """All worlds from which a goal can be reached."""
    found, ahead = set(goals), deque(goals)
    while ahead:
        for before in back.get(ahead.popleft(), ()):
            if before not in found:
                found.add(before)
                ahead.append(before)
    return found


def path(came: Mapping[World, tuple[World, str] | None], world: World) -> list[str]:
    steps = []
    while (step := came[world]) is not None:
        world, what = step
        steps.append(what)
    return steps[::-1]
