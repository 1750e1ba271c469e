"""CSV batches in a real folder; the clock is set by hand."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from schemas.partner_file import CsvDelivery
from services.partners.app import compose
from services.partners.sender import BatchSender
from tests.harness.partners import ALL_TIERS, HIM, KEY, START, Bench, decision, expunction, pair, prepared
from tests.harness.webhooks import Post, post

DAY = timedelta(days=1)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def assert_whole(batch: Path) -> None:
    manifest = json.loads((batch / "manifest.json").read_text())
    assert {each["name"] for each in manifest["files"]} | {"manifest.json"} == {path.name for path in batch.iterdir()}
    for each in manifest["files"]:
        content = (batch / each["name"]).read_bytes()
        assert (each["sha256"], each["rows"]) == (
            hashlib.sha256(content).hexdigest(), len(rows(batch / each["name"])),
        )  # fmt: skip


def batches(made: Post, folder: Path) -> BatchSender:
    sender = BatchSender(made.sender.terms, CsvDelivery(kind="csv"), folder)
    sender.now = lambda: made.now
    return sender


async def test_a_folder_a_period_with_exactly_the_columns_of_the_file(tmp_path: Path) -> None:
    async with post(tmp_path, "", delivery={"kind": "csv", "url": None, "private_networks": None}) as made:
        sender = batches(made, tmp_path / "out")
        assert await sender.round(made.database) is None, "the first period begins"
        said = await made.say(decision(1), prepared(1), decision(2, "B", "C", statutes=["=cmd()"]))
        made.now += timedelta(hours=23)
        assert await sender.round(made.database) is None
        made.now += timedelta(hours=2)
        first = await sender.round(made.database)
        assert first is not None
        assert first.name == (START + DAY).strftime("%Y-%m-%dT%H%M%SZ")
        assert_whole(first)
        decided = rows(first / "decided.csv")
        asked = {each.event: each.fields for each in made.bench.partner.events}
        assert list(decided[0]) == ["event_id", "time", *asked["ipvi.partner.decided.v1"]]
        assert [row["tier"] for row in decided] == ["C", "B"]
        assert decided[1]["statutes"] == "", "an agency's text that is no citation goes to nobody"
        found = {row["event_id"] for path in first.glob("*.csv") for row in rows(path)}
        assert found == set(said)
        assert not any(HIM.encode() in path.read_bytes() for path in first.iterdir())
        made.now += DAY
        second = await sender.round(made.database)
        assert second is not None
        assert_whole(second)
        assert rows(second / "decided.csv") == [], "a day on which nothing was said shows as such"
        assert [path.name for path in sorted((tmp_path / "out").iterdir())] == [first.name, second.name]


async def test_what_is_expunged_is_said_in_the_next_and_leaves_the_earlier_ones(tmp_path: Path) -> None:
    async with post(tmp_path, "", delivery={"kind": "csv", "url": None, "private_networks": None}) as made:
        sender = batches(made, tmp_path / "out")
        await sender.round(made.database)
        both = ["NC0990100:001", "NC0990100:002"]
        said = await made.say(decision(1), decision(2, "B", "C", evidence=both))
        made.now += DAY
        first = await sender.round(made.database)
        assert first is not None
        gone = rows(first / "decided.csv")[0]["incident_id"]
        await made.say(expunction(1, "C", "B"))
        made.now += DAY
        second = await sender.round(made.database)
        assert second is not None
        [note] = [row for row in rows(second / "notes.csv") if row["type"] == "ipvi.partner.erased.v1"]
        assert note["events"].split() == said[:1]
        assert_whole(first)
        assert said[0] not in {row["event_id"] for path in first.glob("*.csv") for row in rows(path)}
        assert gone.encode() not in (first / "decided.csv").read_bytes()


async def test_what_was_not_noted_as_written_is_in_the_next(tmp_path: Path) -> None:
    async with post(tmp_path, "", delivery={"kind": "csv", "url": None, "private_networks": None}) as made:
        sender = batches(made, tmp_path / "out")
        await sender.round(made.database)
        said = await made.say(decision(1))
        (tmp_path / "out").write_text("in the way")
        made.now += DAY
        try:
            await sender.round(made.database)
        except OSError:
            (tmp_path / "out").unlink()
        made.now += DAY
        batch = await sender.round(made.database)
        assert batch is not None
        assert said[0] in {row["event_id"] for row in rows(batch / "decided.csv")}


async def test_a_list_that_is_not_shown_any_more_is_not_written(tmp_path: Path) -> None:
    given = {"kind": "csv", "url": None, "private_networks": None}
    async with post(tmp_path, "", kind="law_enforcement", tiers=ALL_TIERS, delivery=given) as made:
        sender = batches(made, tmp_path / "out")
        await sender.round(made.database)
        _, shown = await made.say(decision(1, "D", charged=False, statutes=[]), decision(1, "C", him="O-2"))
        narrow = made.bench.partner.model_copy(update={"tiers": ALL_TIERS[:3]})
        sender.terms = replace(sender.terms, partner=narrow)
        made.now += DAY
        batch = await sender.round(made.database)
        assert batch is not None
        assert [row["event_id"] for row in rows(batch / "decided.csv")] == [shown]
        assert (await made.going()).counts["lapsed"] == 1


async def test_what_the_partner_was_owed_when_it_lapsed_is_written_after_a_renewal(tmp_path: Path) -> None:
    given = {"kind": "csv", "url": None, "private_networks": None}
    async with post(tmp_path, "", delivery=given, expires="2026-03-02") as made:
        sender = batches(made, tmp_path / "out")
        await sender.round(made.database)
        await made.say(decision(1))
        made.now += DAY
        assert await sender.round(made.database) is not None
        note, _ = await made.say(decision(1, None, "C", evidence=[], charged=False, withdrawn_pair_ids=[pair(1)]))
        await made.say(decision(9, him="O-2"), at=START + 3 * DAY)
        made.now += 3 * DAY
        assert await sender.round(made.database) is not None
        renewed = made.bench.partner.model_copy(update={"expires": date(2030, 1, 1)})
        sender.terms = replace(sender.terms, partner=renewed)
        for said in ([note], []):
            made.now += DAY
            batch = await sender.round(made.database)
            assert batch is not None
            assert [row["event_id"] for row in rows(batch / "notes.csv")] == said
            assert rows(batch / "decided.csv") == []


async def test_a_replica_whose_file_was_read_before_another_s_writes_nothing(tmp_path: Path) -> None:
    given = {"kind": "csv", "url": None, "private_networks": None}
    async with post(tmp_path, "", delivery=given, expires="2026-03-02") as made:
        old, new = batches(made, tmp_path / "out"), batches(made, tmp_path / "out")
        await old.round(made.database)
        renewed = made.bench.partner.model_copy(update={"expires": date(2030, 1, 1)})
        new.terms = compose(renewed, KEY).terms
        await new.round(made.database)
        made.bench = Bench(renewed, row=made.bench.row)
        said = await made.say(decision(1), at=START + 3 * DAY)
        made.now += DAY
        with capture_logs() as logs:
            assert [await old.round(made.database) for _ in range(2)] == [None, None]
        assert [one["event"] for one in logs] == ["batches.another_file"]
        batch = await new.round(made.database)
        assert batch is not None
        assert [row["event_id"] for row in rows(batch / "decided.csv")] == said


@pytest.mark.parametrize("lost", ["manifest.json", "tier.csv", "notification.csv manifest.json"])
async def test_what_is_expunged_leaves_also_what_the_partner_has_moved_some_files_out_of(
    tmp_path: Path, lost: str
) -> None:
    out = tmp_path / "out"
    async with post(tmp_path, "", delivery={"kind": "csv", "url": None, "private_networks": None}) as made:
        sender = batches(made, out)
        await sender.round(made.database)
        said = await made.say(decision(1), decision(2, "B", "C"))
        made.now += DAY
        first = await sender.round(made.database)
        assert first is not None
        for name in lost.split():
            (first / name).unlink()
        (first / "decided.part").write_bytes((first / "decided.csv").read_bytes())
        shutil.copytree(first, out / ".2026-03-01T000000Z.part")
        (first / "own.csv").write_text("the partner's own")
        await made.say(expunction(1, "C", "B"))
        made.now += DAY
        second = await sender.round(made.database)
        assert second is not None
        assert_whole(second)
        assert [path.name for path in sorted(out.iterdir())] == [first.name, second.name]
        assert [row["event_id"] for row in rows(first / "decided.csv")] == said[1:]
        left = {path.name for path in first.iterdir()}
        assert not left & {*lost.split(), "decided.part"}
        if "manifest.json" in left:
            manifest = json.loads((first / "manifest.json").read_text())
            [told] = [each for each in manifest["files"] if each["name"] == "decided.csv"]
            assert told["sha256"] == hashlib.sha256((first / "decided.csv").read_bytes()).hexdigest()


async def test_a_folder_that_cannot_be_read_holds_up_no_batch_and_no_other_folder(tmp_path: Path) -> None:
    async with post(tmp_path, "", delivery={"kind": "csv", "url": None, "private_networks": None}) as made:
        sender = batches(made, tmp_path / "out")
        await sender.round(made.database)
        found = []
        for number in (1, 2):
            await made.say(decision(number, him=f"O-{number}"))
            made.now += DAY
            found.append(await sender.round(made.database))
        broken, whole = found
        assert broken is not None and whole is not None
        (broken / "decided.csv").write_bytes(b'"event_id"\r\n"1","2"\r\n')
        (whole / "manifest.json").write_text("{")
        await made.say(expunction(2, None, "C", him="O-2"))
        made.now += DAY
        with capture_logs() as logs:
            assert await sender.round(made.database) is not None
        assert rows(whole / "decided.csv") == []
        assert [(one["event"], one["batch"]) for one in logs if one["log_level"] == "error"] == [
            ("batches.not_erased", broken.name),
            ("batches.not_erased", whole.name),
        ]
        assert (await made.going()).counts["waiting"] == 0
