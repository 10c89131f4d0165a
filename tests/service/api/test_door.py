"""The API's door: tokens, scopes, host names, sizes, rates; every refusal is a problem document."""

from __future__ import annotations

import socket
from datetime import timedelta

import httpx
import pytest

from engine.errors import UsageError
from engine.service import tokens
from engine.service.api.app import routes
from engine.service.api.context import Api
from engine.service.api.server import ApiServer
from engine.service.tokens import SCOPES
from engine.store.database import opened
from tests.service.api.conftest import Service

BASE = "/api/v1"
WANTED = {
    ("POST", "/generate"): "generate",
    ("GET", "/templates"): "read",
    ("POST", "/templates"): "templates",
    ("GET", "/templates/{template_id}"): "read",
    ("PUT", "/templates/{template_id}"): "templates",
    ("DELETE", "/templates/{template_id}"): "templates",
    ("GET", "/models"): "read",
    ("PUT", "/models/current"): "models",
    ("GET", "/generations"): "read",
    ("GET", "/status"): "read",
    ("GET", "/metrics"): "metrics",
    ("GET", "/health"): None,
    ("GET", "/health/live"): None,
    ("GET", "/health/ready"): None,
}
BODIES = {
    ("POST", "/generate"): {"content_type": "joke"},
    ("POST", "/templates"): {"name": "New", "purpose": "joke", "body": "Write."},
    ("PUT", "/templates/{template_id}"): {"body": "Write better."},
    ("PUT", "/models/current"): {"name": "scripted:scripted"},
}


def call(client: httpx.Client, route: tuple[str, str]) -> httpx.Response:
    method, path = route
    return client.request(method, BASE + path.format(template_id=1), json=BODIES.get(route))


def is_problem(answer: httpx.Response, status: int) -> bool:
    """Status, media type and shape of RFC 9457, with the id that the header has too."""
    body = answer.json()
    return (
        answer.status_code == body["status"] == status
        and answer.headers["content-type"] == "application/problem+json"
        and body["request_id"] == answer.headers["x-request-id"]
        and bool(body["title"] and body["detail"])
    )


def test_the_matrix_below_names_every_route(service: Service) -> None:
    api = Api(service.config, service.clock, service.write, lambda work: None, frozenset())  # type: ignore[arg-type,return-value]
    document = routes(api).openapi()
    found = {
        (method.upper(), path.removeprefix(BASE))
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert found == set(WANTED)


def test_every_route_wants_a_token_and_its_own_scope(service: Service) -> None:
    """Without token, with a wrong one: 401. With all scopes but its own: 403. With it alone: in."""
    service.beat()
    with_scope = {scope: service.client(scope) for scope in SCOPES}
    all_but = {scope: service.client(*(set(SCOPES) - {scope})) for scope in SCOPES}
    nobody, wrong = service.client(token=""), service.client(token="btcbuzz_00_00")
    try:
        for route, scope in WANTED.items():
            if scope is None:
                assert call(nobody, route).status_code == 200, route
                continue
            for caller in (nobody, wrong):
                answer = call(caller, route)
                assert is_problem(answer, 401), (route, answer.text)
                assert answer.headers["www-authenticate"] == "Bearer"
            assert is_problem(call(all_but[scope], route), 403), route
            assert call(with_scope[scope], route).status_code in (200, 201, 204, 409), route
    finally:
        for client in (*with_scope.values(), *all_but.values(), nobody, wrong):
            client.close()


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
