"""Who is who on PostgreSQL: numbers link, a model is trained and scores, a clerk answers, a wrong link is split."""

from __future__ import annotations

from pathlib import Path

from services.common.desk import Standing
from services.common.paging import Page
from services.intake.linkage.rules import Answer, Reason
from services.intake.store import linkage
from services.intake.store.linkage import OPEN
from services.intake.usecases.judging import Form, decide, split
from tests.bench.linkage import Errors, told
from tests.harness.identity import NOW, TERMS, linked, merges, record, sent, splits, taken
from tests.harness.intake import bench


async def test_from_records_to_a_split(database: str, tmp_path: Path) -> None:
    from services.intake.usecases.linking import score_new, train_model

    async with bench(tmp_path, database) as intake:
        seen = [sighting for _, sighting in told(6, 350, Errors())]
        units = [record(each.known, arrest=each.arrest_id) for each in seen]
        for start in range(0, len(units), 100):
            await taken(intake, *units[start : start + 100], link=False)
        await linked(intake)
        by_number = len(merges(intake))
        assert await train_model(intake.database, NOW, "clerk") == 1
        assert await score_new(intake.database, TERMS)
        assert not await score_new(intake.database, TERMS)
        await sent(intake)
        assert len(merges(intake)) > by_number > 0

        async with intake.database.read() as conn:
            question = (await linkage.listed(conn, Page(1), {OPEN})).items[0]
        form = Form("clerk", Reason.PHOTOGRAPH, "form-0001")
        reply = await decide(intake.database, TERMS, question.candidate_id, Answer.DIFFERENT, form, NOW)
        assert reply.standing is Standing.APPLIED
        stays, goes = merges(intake)[-1]
        again = Form("clerk", Reason.WRONG_NUMBER, "form-0002")
        assert (await split(intake.database, TERMS, stays, goes, [], again, NOW)).standing is Standing.APPLIED
        await sent(intake)
        assert [each.offender_id for each in splits(intake)][-1:] == [stays]
        async with intake.database.read() as conn:
            found = await linkage.standing(conn)
        assert (found.to_compare, found.to_score, found.model) == (0, 0, 1)
