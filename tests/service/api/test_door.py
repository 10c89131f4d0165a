"""The API's door: tokens, scopes, host names, sizes, rates; every refusal is a problem document."""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from engine.errors import UsageError
from engine.service import tokens
from engine.service.api.app import ROUTERS
from engine.service.api.auth import Needs
from engine.service.api.guard import OPEN
from engine.service.api.server import ApiServer
from engine.service.tokens import SCOPES
from engine.store.database import opened
from tests.service.api.conftest import Service

BASE = "/api/v1"
API_PAGE = Path(__file__).resolve().parents[3] / "docs" / "api.md"


@dataclass(frozen=True)
class Way:
    """A method on a path, and the scope that its code asks for (None: open to anybody)."""

    method: str
    path: str
    scope: str | None

    def call(self, client: httpx.Client) -> httpx.Response:
        path = re.sub(r"{\w+}", "1", self.path)
        return client.request(self.method, path, json={} if self.method != "GET" else None)


def ways() -> list[Way]:
    """Every route as the code has it: a new one is in all tests below by being there."""
    return [
        Way(method, route.path, _scope(route.dependant))
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ]


def _scope(dependant: Dependant) -> str | None:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Needs):
            return inner.call.scope
        if found := _scope(inner):
            return found
    return None


def is_problem(answer: httpx.Response, status: int) -> bool:
    """Status, media type and shape of RFC 9457, with the id that the header has too."""
    body = answer.json()
    return (
        answer.status_code == body["status"] == status
        and answer.headers["content-type"] == "application/problem+json"
        and body["request_id"] == answer.headers["x-request-id"]
        and bool(body["title"] and body["detail"])
    )


def test_only_health_is_open_and_every_scope_opens_something(service: Service) -> None:
    found = ways()
    assert {way.path for way in found if way.scope is None} == set(OPEN)
    assert {way.scope for way in found if way.scope} == set(SCOPES)
    with service.client(token="") as anybody:
        document = anybody.get("/openapi.json").json()
    told = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert {(way.method, way.path) for way in found} == told


def test_the_page_names_each_route_with_its_scope() -> None:
    row = re.compile(r"^\| `(\w+) (\S+)` \| (?:`(\w+)`|none) \|", re.MULTILINE)
    told = {Way(*match) for match in row.findall(API_PAGE.read_text(encoding="utf-8"))}
    assert told == {Way(way.method, way.path, way.scope or "") for way in ways()}


def test_every_route_wants_a_live_token_and_its_own_scope(service: Service) -> None:
    """Each route with no token, a wrong, an expired and a revoked one: 401, and the same words for
    the last three. With a token of each other scope, and of all but its own: 403. With its own: in."""
    service.beat()
    now, long_ago = service.clock.now(), service.clock.now() - timedelta(days=2)

    def made(
        *scopes: str, at: datetime = now, lifetime: timedelta | None = None
    ) -> tuple[str, str]:
        with opened(service.db_path) as db:
            token, text = tokens.create(
                db, name="x", scopes=scopes, actor="tests", now=at, lifetime=lifetime
            )
        return token.id, text

    revoked, revoked_text = made("all")
    with opened(service.db_path) as db:
        tokens.revoke(db, revoked, actor="tests", now=now)
    strangers = {
        "none": "",
        "wrong": made("all")[1][:-43] + "A" * 43,
        "no token at all": "Bearer",
        "unknown": f"{tokens.PREFIX}_{'0' * 12}_{'A' * 43}",
        "expired": made("all", at=long_ago, lifetime=timedelta(days=1))[1],
        "revoked": revoked_text,
    }
    with ExitStack() as stack:
        nobodies = {
            name: stack.enter_context(service.client(token=text))
            for name, text in strangers.items()
        }
        with_scope = {scope: stack.enter_context(service.client(scope)) for scope in SCOPES}
        all_but = {
            scope: stack.enter_context(service.client(*(set(SCOPES) - {scope}))) for scope in SCOPES
        }
        for way in ways():
            if way.scope is None:
                assert way.call(nobodies["none"]).status_code == 200, way
                continue
            answers = {name: way.call(nobody) for name, nobody in nobodies.items()}
            for name, answer in answers.items():
                assert is_problem(answer, 401), (way, name, answer.text)
                assert answer.headers["www-authenticate"] == "Bearer"
            words = {answer.json()["detail"] for name, answer in answers.items() if name != "none"}
            assert len(words) == 1, words
            for scope, client in with_scope.items():
                answer = way.call(client)
                if scope == way.scope:
                    assert answer.status_code not in (401, 403), (way, answer.text)
                    assert answer.status_code < 500, (way, answer.text)
                else:
                    assert is_problem(answer, 403), (way, scope)
            assert is_problem(way.call(all_but[way.scope]), 403), way


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"{", "application/json"), (b"\xff\xfe", "application/json"), (b"[]", "application/json"),
     (b"{}", "text/plain")],
)  # fmt: skip
def test_who_calls_is_asked_before_what_was_sent(
    service: Service, content: bytes, kind: str
) -> None:
    """A body that nobody could read tells a stranger nothing, and is counted as a request."""
    taking = [way for way in ways() if way.method in ("POST", "PUT")]
    assert taking
    service.put("api.rate_per_minute", len(taking))
    headers = {"content-type": kind}

    def statuses(client: httpx.Client) -> list[int]:
        paths = [(way.method, re.sub(r"{\w+}", "1", way.path)) for way in taking]
        return [
            client.request(method, path, content=content, headers=headers).status_code
            for method, path in paths
        ]

    with service.client(token="") as nobody, service.client("read") as other:
        assert set(statuses(nobody)) == {401}
        assert set(statuses(other)) == {403}
        assert set(statuses(other)) == {429}


def test_a_token_ends_with_its_revocation_at_the_next_request(service: Service) -> None:
    with opened(service.db_path) as db:
        token, text = tokens.create(
            db, name="x", scopes=["read"], actor="tests", now=service.clock.now()
        )
    with service.client(token=text) as client:
        assert client.get(f"{BASE}/status").status_code == 200
        with opened(service.db_path) as db:
            tokens.revoke(db, token.id, actor="tests", now=service.clock.now())
        assert is_problem(client.get(f"{BASE}/status"), 401)


def test_an_expired_token_gets_the_answer_of_an_unknown_one(service: Service) -> None:
    now = service.clock.now()
    with opened(service.db_path) as db:
        _, text = tokens.create(
            db, name="x", scopes=["read"], actor="t", now=now - timedelta(days=2),
            lifetime=timedelta(days=1),
        )  # fmt: skip
    unknown = tokens.PREFIX + "_" + "0" * 12 + "_" + "A" * 43
    with service.client(token=text) as expired, service.client(token=unknown) as other:
        first, second = expired.get(f"{BASE}/status"), other.get(f"{BASE}/status")
    assert is_problem(first, 401)
    assert first.json()["detail"] == second.json()["detail"]


def test_another_host_name_is_refused(service: Service, api: httpx.Client) -> None:
    """A page that rebinds its name to 127.0.0.1 reaches nothing, not even health."""
    for host in ("evil.example", "127.0.0.1.evil.example", ""):
        answer = api.get(f"{BASE}/health", headers={"Host": host})
        assert answer.status_code in (400, 421), host
    service.put("api.allowed_hosts", "bot.example, other.example:8700")
    for host in ("bot.example", "BOT.example:8700", "other.example", "localhost:1"):
        assert api.get(f"{BASE}/health/live", headers={"Host": host}).status_code == 200, host


def test_no_origin_is_ever_allowed(api: httpx.Client) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = api.options(f"{BASE}/generate", headers=headers)
    assert is_problem(answer, 405)
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_body_has_64_kb_and_no_more(api: httpx.Client) -> None:
    large = b'{"body": "' + b"x" * 65_536 + b'"}'
    headers = {"content-type": "application/json"}
    answer = api.post(f"{BASE}/templates", content=large, headers=headers)
    assert is_problem(answer, 413)
    pieces = (large[start : start + 8_000] for start in range(0, len(large), 8_000))
    assert is_problem(api.post(f"{BASE}/templates", content=pieces, headers=headers), 413)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"content_type": "poem"}', b'{"content_type": "joke", "x": 1}',
     b'{"context": {"price_usd": NaN}}', b'{"context": {"price_usd": -1}}', b'{"context": {"price_usd": "1"}}',
     b'{"context": {"as_of": 1}}', b"\xff\xfe",
     b'{"context": {"headline": {"title": "\\ud800", "source": ""}}}', b'{"\\ud800": 1}'],
)  # fmt: skip
def test_a_wrong_body_is_named_and_not_repeated(api: httpx.Client, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = api.post(f"{BASE}/generate", content=content, headers=headers)
    assert is_problem(answer, 422) or is_problem(answer, 400)
    assert "Traceback" not in answer.text


def test_unknown_paths_and_methods_are_problems_too(api: httpx.Client) -> None:
    assert is_problem(api.get("/nowhere"), 404)
    answer = api.delete(f"{BASE}/status")
    assert is_problem(answer, 405)
    assert answer.headers["allow"] == "GET"
    answer = api.request("PATCH", f"{BASE}/templates/1")
    assert answer.headers["allow"] == "DELETE, GET, PUT"


def test_a_request_id_that_was_given_comes_back(api: httpx.Client) -> None:
    given = {"X-Request-ID": "my-request-0001"}
    assert (
        api.get(f"{BASE}/health/live", headers=given).headers["x-request-id"] == "my-request-0001"
    )
    odd = {"X-Request-ID": "a b"}
    assert api.get(f"{BASE}/health/live", headers=odd).headers["x-request-id"] != "a b"


def test_a_token_over_its_rate_waits_and_others_do_not(service: Service) -> None:
    """The bucket is in the database: a restart of the service gives nothing back."""
    service.put("api.rate_per_minute", 3)
    with service.client("read") as one, service.client("read") as other:
        statuses = [one.get(f"{BASE}/status").status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        assert other.get(f"{BASE}/status").status_code == 200
        service.server = service.start()
        with service.client(token=one.headers["authorization"][7:]) as again:
            answer = again.get(f"{BASE}/status")
    assert is_problem(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 20


def test_an_address_over_its_rate_is_refused_before_its_token_is_read(service: Service) -> None:
    service.put("api.address_rate_per_minute", 2)
    with service.client(token="") as nobody:
        statuses = [nobody.get(f"{BASE}/status").status_code for _ in range(3)]
        assert statuses == [401, 401, 429]
        assert nobody.get(f"{BASE}/health/live").status_code == 200


def test_a_public_address_needs_the_setting_and_a_token(service: Service) -> None:
    def listen() -> ApiServer:
        return ApiServer(
            ("0.0.0.0", 0), service.config, service.clock, service.write,  # noqa: S104
            lambda work: service.jobs.in_turn("writing", work),
        )  # fmt: skip

    with pytest.raises(UsageError, match="allow_public"):
        listen()
    service.put("api.allow_public", True)
    with pytest.raises(UsageError, match="token"):
        listen()
    service.token("read")
    server = listen()
    server.stop()


def test_a_port_that_is_taken_is_one_sentence(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}"):
            ApiServer(
                ("127.0.0.1", port), service.config, service.clock, service.write,
                lambda work: service.jobs.in_turn("writing", work),
            )  # fmt: skip


def test_an_error_of_ours_has_no_trace_and_is_found_by_its_id(
    service: Service, api: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(kind: str, facts: object) -> object:
        raise ZeroDivisionError("the secret of the house")

    service.write = broken  # type: ignore[assignment]
    answer = api.post(f"{BASE}/generate", json={})
    assert is_problem(answer, 500)
    assert "secret" not in answer.text
    ids = [getattr(record, "data", {}).get("request_id") for record in caplog.records]
    assert answer.json()["request_id"] in ids
