"""What an outsider, or an insider of another role, tries on the APIs; over HTTP, against services at work."""

from __future__ import annotations

import csv
import io
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from schemas.commands import Role
from schemas.envelope import Event
from schemas.topics import Topic
from services.cli.registry import SERVICES
from services.common.api import document
from services.common.api.openapi import routes
from services.common.auth import Needs
from tests.harness.county import County
from tests.harness.in_process import LocalPipeline, local_pipeline, token

PEOPLE = {**{str(role): [role] for role in Role}, "everyone": list(Role)}
SECRET = "Jane-Roe-336-555-0100"
FORMULA = "=HYPERLINK(1)"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPipeline]:
    with local_pipeline(tmp_path_factory.mktemp("outsider"), PEOPLE, with_partner=True) as made:
        made.feed(Topic.INCIDENTS, *(_renamed(event) for event in County(seed=5, offenders=4).events(40)))
        made.tick()
        yield made


def _renamed(event: Event[Any]) -> Event[Any]:
    """One of them has an id that a spreadsheet would take for a formula."""
    if event.subject != "P1":
        return event
    data = event.data.model_copy(update={"offender_id": FORMULA})
    if hasattr(event.data, "offender"):
        offender = event.data.offender.model_copy(update={"offender_id": FORMULA})
        data = event.data.model_copy(update={"offender": offender})
    return Event(
        id=event.id,
        source=event.source,
        subject=FORMULA,
        time=event.time,
        recordedtime=event.recordedtime,
        data=data,
        dataclassification=event.dataclassification,
    )


def logged(pipeline: LocalPipeline) -> int:
    """Commands in the logs of all services."""
    return sum(len(pipeline.ids(service.commands)) for service in pipeline.services.values())


def operations() -> list[tuple[str, str, str]]:
    from tests.harness.http import api_of

    return [
        (service, method.upper(), path)
        for service in (*SERVICES, "partners")
        for path, methods in document(api_of(service))["paths"].items()
        for method in methods
    ]


def allowed(pipeline: LocalPipeline, service: str, method: str, path: str) -> frozenset[Role]:
    """Who may call it: every `Needs` of the route must be met."""
    [route] = [
        route
        for at, route in routes(pipeline.services[service].app)
        if at == path and method in (route.methods or ()) and isinstance(route, APIRoute)
    ]
    found = frozenset(Role)
    stack = [route.dependant]
    while stack:
        dependant = stack.pop()
        stack += dependant.dependencies
        if isinstance(dependant.call, Needs):
            found &= dependant.call.roles
    return found


@pytest.mark.parametrize(("service", "method", "path"), operations())
def test_every_other_role_is_refused_and_nothing_is_written(
    pipeline: LocalPipeline, service: str, method: str, path: str
) -> None:
    may = allowed(pipeline, service, method, path)
    assert may, "nobody may"
    before = logged(pipeline)
    for role in set(Role) - may:
        with pipeline.client(service, role) as client:
            for body in (b"", b"{not json"):
                answered = client.request(method, path, content=body, headers={"Idempotency-Key": "form-000001"})
                assert (answered.status_code, answered.json()["code"]) == (403, "role_missing"), f"{role} {body!r}"
    assert logged(pipeline) == before


IDS = [
    "..%2F..%2Fmetrics",
    "%2e%2e/%2e%2e/health",
    "....//....//etc%2Fpasswd",
    "%00",
    "a%00b",
    "%ff%fe",
    "%F0%9F%92%A9",
    "'%20OR%201=1--",
    "x" * 4_000,
    "%0d%0aSet-Cookie:%20a=b",
    "{{7*7}}",
    SECRET,
]


@pytest.mark.parametrize("made_up", IDS)
@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("victim_outreach", "/v1/tasks/{}"),
        ("victim_outreach", "/v1/tasks/{}/claim"),
        ("victim_outreach", "/v1/cases/{}"),
        ("victim_outreach", "/v1/pairs/{}/override"),
        ("notifier", "/v1/notifications/{}"),
        ("notifier", "/v1/notifications/{}/cancel"),
        ("classifier", "/v1/offenders?purpose=investigation&offender_id={}"),
        ("classifier", "/v1/reviews?after={}"),
        ("classifier", "/v1/reviews?code={}"),
    ],
)
def test_an_id_of_ones_own_making_finds_nothing_and_is_not_repeated(
    pipeline: LocalPipeline, service: str, path: str, made_up: str
) -> None:
    method = "POST" if path.endswith(("claim", "override", "cancel")) else "GET"
    before = logged(pipeline)
    with pipeline.client(service, "everyone") as client:
        answered = client.request(
            method, path.format(made_up), json={"reason": "victim_asked"}, headers={"Idempotency-Key": "form-000002"}
        )
    assert answered.status_code in ({200, 400, 422} if "offender_id=" in path else {400, 404, 405, 422})
    if answered.status_code != 200:
        assert answered.headers["Content-Type"] == "application/problem+json"
        assert SECRET not in answered.text
    assert "Set-Cookie" not in answered.headers
    assert logged(pipeline) == before


def test_nothing_that_is_sent_comes_back(pipeline: LocalPipeline) -> None:
    """In whatever part of the request it stands."""
    with pipeline.client("victim_outreach", "everyone") as client:
        for headers, body in (
            ({"Idempotency-Key": SECRET, "If-Match": f'"{SECRET}"'}, {SECRET: SECRET}),
            ({"Idempotency-Key": SECRET * 10}, {"reason": SECRET}),
            ({"Idempotency-Key": SECRET, "Content-Type": SECRET}, SECRET),
            ({"Idempotency-Key": SECRET, "Authorization": f"Bearer {SECRET}"}, None),
            ({"Idempotency-Key": SECRET, "Accept": SECRET, "Cookie": SECRET, "X-Request-Id": SECRET}, [SECRET]),
        ):
            answered = client.post(f"/v1/pairs/{SECRET}/override?{SECRET}={SECRET}", json=body, headers=headers)
            assert answered.status_code in (401, 404, 422)
            assert SECRET not in answered.text
            assert SECRET not in str(answered.headers)


@pytest.mark.parametrize(
    "body",
    [
        b'{"offender_id": "O\\u0000", "incident_id": "x"}',
        b'{"offender_id": "\\ud800", "incident_id": "x"}',
        b'{"offender_id": "O-1", "incident_id": "\\ud800"}',
        b'{"offender_id": "\xff", "incident_id": "x"}',
        b'{"offender_id": "O-1", "incident_id": "x", "role": "operator", "by": "somebody"}',
        b'{"offender_id": "' + b"x" * 129 + b'", "incident_id": "x"}',
        b'{"offender_id": ["O-1"], "incident_id": {"$ne": null}}',
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b"null",
        b"NaN",
        b"",
    ],
)
def test_a_body_of_ones_own_making(pipeline: LocalPipeline, body: bytes) -> None:
    before = logged(pipeline)
    with pipeline.client("classifier", "everyone") as client:
        answered = client.post(
            "/v1/listed/open",
            content=body,
            headers={"Idempotency-Key": "form-000003", "Content-Type": "application/json"},
        )
    assert answered.status_code in (400, 422)
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert logged(pipeline) == before


def test_a_body_is_no_larger_than_it_may_be(pipeline: LocalPipeline) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(1_000):
            yield b"x" * 1_000

    with pipeline.client("classifier", "everyone") as client:
        for content in (b"x" * 65_537, parts()):
            answered = client.post("/v1/listed/open", content=content, headers={"Idempotency-Key": "form-000004"})
            assert (answered.status_code, answered.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "HEAD", "BREW"])
def test_other_methods_do_nothing(pipeline: LocalPipeline, method: str) -> None:
    before = logged(pipeline)
    with pipeline.client("victim_outreach", "everyone") as client:
        task = client.get("/v1/tasks?limit=1").json()[0]["task_id"]
        for path in (f"/v1/tasks/{task}/claim", "/v1/tasks", "/v1/cases/x"):
            forged = {"X-HTTP-Method-Override": "POST", "Idempotency-Key": "form-000005"}
            assert client.request(method, path, headers=forged).status_code == 405
    assert logged(pipeline) == before


def raw(pipeline: LocalPipeline, service: str, request: bytes) -> bytes:
    """What comes back for bytes that no client library would send, until the server closes or rests a second."""
    port = httpx.URL(pipeline.services[service].url).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=1) as connection:
        connection.sendall(request)
        answer = b""
        try:
            while chunk := connection.recv(65_536):
                answer += chunk
        except TimeoutError:
            pass
    return answer


GOOD = f"Authorization: Bearer {token('everyone')}\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "Authorization: Bearer\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Basic ZXZlcnlvbmU6\r\n",
        f"{GOOD}{GOOD}",
        f"{GOOD}Authorization: Bearer x\r\n",
        f"Authorization: Bearer {token('everyone')}, Bearer x\r\n",
        f"X-Authorization: Bearer {token('everyone')}\r\n",
        f"Cookie: Authorization=Bearer {token('everyone')}\r\n",
        "X-Forwarded-User: everyone\r\nX-Remote-User: everyone\r\n",
        f"Authorization: Bearer {'x' * 30_000}\r\n",
        "Authorization: Bearer \xff\xfe\r\n",
    ],
)
@pytest.mark.parametrize("path", ["/v1/tasks", "/metrics", "/v1/openapi.json", "/v1/tasks?token=x", "//v1/tasks"])
def test_nobody_comes_in_by_a_header(pipeline: LocalPipeline, headers: str, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n".encode("latin-1")
    status = raw(pipeline, "victim_outreach", request).split(b"\r\n", 1)[0]
    assert status.startswith((b"HTTP/1.1 401", b"HTTP/1.1 400", b"HTTP/1.1 431"))


def test_a_request_hidden_in_another_is_not_one(pipeline: LocalPipeline) -> None:
    """Length and chunks at once, or two lengths: whatever stands in front may read it differently."""
    hidden = f"POST /v1/listed/open HTTP/1.1\r\nHost: x\r\n{GOOD}Content-Length: 0\r\n\r\n"
    for framing in (
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: xchunked\r\n",
    ):
        request = f"POST /v1/listed/open HTTP/1.1\r\nHost: x\r\n{GOOD}{framing}\r\n0\r\n\r\n{hidden}".encode()
        answer = raw(pipeline, "classifier", request)
        assert answer.count(b"HTTP/1.1 ") == 1, framing


def test_the_host_of_a_request_stands_nowhere_in_the_answer(pipeline: LocalPipeline) -> None:
    with pipeline.client("victim_outreach", "everyone") as client:
        answered = client.get(
            "/v1/tasks?limit=1",
            headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        )
    assert answered.status_code == 200
    assert "evil.example" not in answered.text + str(answered.headers)
    assert answered.headers["Link"].startswith("<?")


def test_no_cell_is_a_formula(pipeline: LocalPipeline) -> None:
    with pipeline.client("classifier", "everyone") as client:
        answered = client.get("/v1/reviews?limit=500", headers={"Accept": "text/csv"})
        whole = client.get("/v1/reviews?limit=500").json()
    cells = [cell for row in csv.reader(io.StringIO(answered.content.decode("utf-8-sig"))) for cell in row]
    assert FORMULA in {one["offender_id"] for one in whole}
    assert f"'{FORMULA}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_one_form_from_twenty_windows_at_once(pipeline: LocalPipeline) -> None:
    task = _open_task(pipeline)
    before = logged(pipeline)

    def send(_: int) -> tuple[int, dict[str, Any]]:
        with pipeline.client("victim_outreach", "outreach_supervisor") as client:
            answered = client.post(f"/v1/tasks/{task}/claim", headers={"Idempotency-Key": "twenty-windows"})
        return answered.status_code, answered.json()

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(send, range(20)))
    assert {status for status, _ in answers} == {200}
    assert len({json.dumps(told) for _, told in answers}) == 1
    pipeline.wait_settled()
    outcomes = pipeline.rows(
        "victim_outreach",
        f"SELECT outcome FROM inbox WHERE id = '{answers[0][1]['command_id']}'",  # noqa: S608
    )
    assert [row.outcome for row in outcomes] == ["applied"]
    assert logged(pipeline) > before


def test_of_two_who_saw_the_same_one_acts(pipeline: LocalPipeline) -> None:
    task = _open_task(pipeline)
    with pipeline.client("victim_outreach", "everyone") as client:
        seen = client.get(f"/v1/tasks/{task}").headers["ETag"]

    def send(who: str) -> int:
        with pipeline.client("victim_outreach", who) as client:
            headers = {"Idempotency-Key": f"of-two-{who}", "If-Match": seen}
            return client.post(f"/v1/tasks/{task}/claim", headers=headers).status_code

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(send, ["outreach_supervisor", "everyone"])) == [200, 412]


def _open_task(pipeline: LocalPipeline) -> str:
    found = pipeline.rows("victim_outreach", "SELECT task_id FROM tasks WHERE state = 'open' ORDER BY task_id LIMIT 1")
    return str(found[0].task_id)
