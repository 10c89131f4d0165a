"""What the API does: it writes through the queue, keeps versions, pages history, tells figures."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.service.api.routes.generate import MOST_WAITING
from engine.service.metrics import METRICS
from engine.store import idempotency, posts, templates
from engine.store.audit import entries, verify_chain
from engine.store.database import opened
from tests.service.api.conftest import Service

BASE = "/api/v1"
FACTS = {
    "as_of": "2026-11-22T12:00:00Z",
    "price_usd": 67432.18,
    "change_24h_pct": -2.31,
    "change_7d_pct": 4.1,
    "high_24h": 69280.0,
    "low_24h": 66950.0,
}


def generate(api: httpx.Client, key: str | None = None, **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post(f"{BASE}/generate", json=body, headers=headers)


# -- generate ----------------------------------------------------------------------------------


def test_a_post_is_written_checked_and_waits_for_a_person(
    service: Service, api: httpx.Client
) -> None:
    row = generate(api, content_type="price", context=FACTS).json()
    assert row["success"] is True, row
    assert row["content"]
    assert row["verdict"] == "pass"
    assert row["state"] == "pending_approval"
    assert set(row["metadata"]) == {"model_used", "generation_time", "template_used"}
    assert row["metadata"]["model_used"] == "scripted:scripted"
    assert row["metadata"]["template_used"].endswith(" v1")
    with opened(service.db_path, "ro") as db:
        post = posts.need(db, row["post_id"])
    assert (post.text, post.state) == (row["content"], "pending_approval")
    assert post.world == "replay"  # given facts: nothing that could become public


@pytest.mark.parametrize("extra", ["state", "approved", "autonomy", "publish", "actor"])
def test_no_request_can_ask_to_pass_by_the_queue(api: httpx.Client, extra: str) -> None:
    assert generate(api, content_type="joke", **{extra: "auto"}).status_code == 422


def test_without_context_the_market_is_read_and_sample_data_is_said(api: httpx.Client) -> None:
    row = generate(api, content_type="price").json()
    assert row["success"] is True, row
    assert "sample" in row["reason"]


@pytest.mark.parametrize("kind", ["price", "news"])
def test_facts_without_a_price_write_nothing_false(api: httpx.Client, kind: str) -> None:
    row = generate(api, content_type=kind, context={"change_24h_pct": 1.0}).json()
    assert row["success"] is False
    assert row["post_id"] is None
    assert row["reason"]


def test_the_same_key_writes_one_post_and_answers_twice(
    service: Service, api: httpx.Client
) -> None:
    first = generate(api, "key-1", content_type="joke", context=FACTS)
    second = generate(api, "key-1", content_type="joke", context=FACTS)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    with opened(service.db_path, "ro") as db:
        assert len(posts.listing(db)) == 1


def test_a_key_belongs_to_one_request_and_one_token(service: Service, api: httpx.Client) -> None:
    generate(api, "key-1", content_type="joke", context=FACTS)
    assert generate(api, "key-1", content_type="price", context=FACTS).status_code == 409
    with service.client("generate") as other:
        answer = generate(other, "key-1", content_type="price", context=FACTS)
        assert answer.status_code == 200
        assert "idempotency-replayed" not in answer.headers


def test_a_request_cut_off_by_a_restart_is_not_done_again(
    service: Service, api: httpx.Client
) -> None:
    """What was done is not known: the caller is told to look, nothing is written twice."""
    token_id = api.headers["authorization"].split("_")[1]
    generate(api, "key-1", content_type="joke", context=FACTS)
    with opened(service.db_path) as db:
        db.conn.execute(
            "UPDATE api_requests SET state = 'working', status = NULL, body = NULL, run = 'before'"
        )
        db.conn.commit()
        assert token_id
    answer = generate(api, "key-1", content_type="joke", context=FACTS)
    assert answer.status_code == 409
    assert "cut off" in answer.json()["detail"]
    with opened(service.db_path, "ro") as db:
        assert len(posts.listing(db)) == 1


def test_a_slow_model_ends_the_wait_not_the_work(service: Service, api: httpx.Client) -> None:
    """504 in time; the draft comes all the same, and the same key answers with it."""
    service.put("api.generate_timeout_s", 1)
    go, done, real = threading.Event(), threading.Event(), service.write

    def slow(kind: str, facts: Any) -> Any:
        go.wait(20)
        try:
            return real(kind, facts)
        finally:
            done.set()

    service.write = slow
    late = generate(api, "key-1", content_type="joke", context=FACTS)
    assert late.status_code == 504
    assert generate(api, "key-1", content_type="joke", context=FACTS).status_code == 409
    go.set()
    done.wait(20)
    service.jobs.in_turn("writing", lambda: None).result(20)
    row = generate(api, "key-1", content_type="joke", context=FACTS)
    assert row.status_code == 200
    assert row.json()["post_id"] is not None


def test_a_crowd_is_turned_away_before_it_keeps_slots_waiting(service: Service) -> None:
    go, real = threading.Event(), service.write

    def slow(kind: str, facts: Any) -> Any:
        go.wait(20)
        return real(kind, facts)

    service.write = slow
    statuses: list[int] = []

    def ask(client: httpx.Client) -> None:
        statuses.append(generate(client, content_type="joke", context=FACTS).status_code)

    with service.client("generate") as client:
        crowd = [threading.Thread(target=ask, args=(client,)) for _ in range(MOST_WAITING + 3)]
        for thread in crowd:
            thread.start()
        while len(statuses) < 3:
            crowd[0].join(0.02)
        go.set()
        for thread in crowd:
            thread.join(20)
    assert sorted(statuses) == [200] * MOST_WAITING + [429] * 3


def test_kept_answers_are_forgotten_after_a_day(service: Service, api: httpx.Client) -> None:
    generate(api, "key-1", content_type="joke", context=FACTS)
    with opened(service.db_path) as db:
        token_id = db.conn.execute("SELECT token_id FROM api_requests").fetchone()[0]
        later = service.clock.now() + idempotency.KEEP * 1.01
        assert (
            idempotency.begin(db, token_id, "key-1", fingerprint="other", run="r", now=later)
            is None
        )


# -- templates ---------------------------------------------------------------------------------

TEMPLATE = {
    "name": "Dry joke",
    "purpose": "joke",
    "system": "You are brief.",
    "body": "A joke about {topic}.",
    "variables": [{"name": "topic", "type": "text"}],
    "note": "first",
}


def test_a_template_lives_from_version_to_version_to_the_archive(
    service: Service, api: httpx.Client
) -> None:
    made = api.post(f"{BASE}/templates", json=TEMPLATE)
    assert made.status_code == 201
    row = made.json()
    path = f"{BASE}/templates/{row['id']}"
    assert (row["newest_version"], row["production_version"]) == (1, None)
    new = {**{k: v for k, v in TEMPLATE.items() if k not in ("name", "purpose")},
           "body": "One dry joke about {topic}."}  # fmt: skip
    assert api.put(path, json=new).json()["newest_version"] == 2
    assert api.put(path, json=new).json()["newest_version"] == 2  # equal content: no copy
    assert [v["number"] for v in api.get(path).json()["versions"]] == [2, 1]
    assert api.delete(path).status_code == 204
    assert api.put(path, json=new).status_code == 409
    names = {row["name"] for row in api.get(f"{BASE}/templates").json()["templates"]}
    assert "Dry joke" not in names
    everything = api.get(f"{BASE}/templates", params={"archived": True}).json()["templates"]
    assert "Dry joke" in {row["name"] for row in everything}
    with opened(service.db_path, "ro") as db:
        whats = [entry.what for entry in entries(db, subject=f"template:{row['id']}")]
        assert verify_chain(db) is None
    assert whats == ["archived", "saved a version", "saved a version", "created"]


def test_saving_over_the_api_never_changes_what_is_in_production(
    service: Service, api: httpx.Client
) -> None:
    with opened(service.db_path, "ro") as db:
        found = templates.production(db, "joke")
    assert found is not None
    template, version = found
    answer = api.put(f"{BASE}/templates/{template.id}", json={"body": "Write this instead."})
    assert answer.json()["newest_version"] == version.number + 1
    assert answer.json()["production_version"] == version.number
    assert api.delete(f"{BASE}/templates/{template.id}").status_code == 409


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"body": "About {topic} and {other}."}, "other"),
        ({"body": "No field."}, "topic"),
        ({"body": "{topic.__class__}"}, "field"),
        ({"body": "{topic} {"}, "{"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_not_saved(
    api: httpx.Client, change: dict[str, str], word: str
) -> None:
    answer = api.post(f"{BASE}/templates", json={**TEMPLATE, **change})
    assert answer.status_code == 409
    assert word in answer.json()["detail"]


def test_a_taken_name_and_an_unknown_id_are_told_apart(api: httpx.Client) -> None:
    assert api.post(f"{BASE}/templates", json=TEMPLATE).status_code == 201
    assert api.post(f"{BASE}/templates", json=TEMPLATE).status_code == 409
    for method in ("GET", "DELETE"):
        assert api.request(method, f"{BASE}/templates/999").status_code == 404
    assert api.put(f"{BASE}/templates/999", json={"body": "x"}).status_code == 404


# -- models, generations, service --------------------------------------------------------------


def test_the_chosen_model_writes_from_the_next_post_on(service: Service, api: httpx.Client) -> None:
    listed = api.get(f"{BASE}/models").json()
    assert listed["current"] == "scripted:scripted"
    assert listed["reachable"] is True
    answer = api.put(f"{BASE}/models/current", json={"name": "embedded:smollm2"})
    assert answer.json() == {"current": "embedded:smollm2", "previous": "scripted:scripted"}
    service.model.refresh()
    assert service.model.name == "embedded:smollm2"


@pytest.mark.parametrize("name", ["embedded:other", "ollama:llama3:8b"])
def test_a_model_that_is_not_there_is_not_chosen(
    service: Service, api: httpx.Client, name: str
) -> None:
    assert api.put(f"{BASE}/models/current", json={"name": name}).status_code == 409
    assert api.get(f"{BASE}/models").json()["current"] == "scripted:scripted"


def test_history_is_paged_without_gap_or_repeat(api: httpx.Client) -> None:
    for kind in ("joke", "price", "motivation", "price"):
        generate(api, content_type=kind, context=FACTS)
    whole = api.get(f"{BASE}/generations", params={"limit": 200}).json()["generations"]
    pages: list[int] = []
    before: int | None = None
    while True:
        params = {"limit": 2} | ({"before": before} if before else {})
        page = api.get(f"{BASE}/generations", params=params).json()
        pages += [row["id"] for row in page["generations"]]
        before = page["next_before"]
        if before is None:
            break
    assert pages == [row["id"] for row in whole] == sorted(pages, reverse=True)
    jokes = api.get(f"{BASE}/generations", params={"content_type": "joke"}).json()["generations"]
    assert jokes
    assert {row["content_type"] for row in jokes} == {"joke"}
    assert {row["model"] for row in whole} == {"scripted:scripted"}


def test_health_tells_living_from_ready(service: Service) -> None:
    with service.client(token="") as anybody:
        assert anybody.get(f"{BASE}/health", params={"probe": "live"}).json()["status"] == "ok"
        unready = anybody.get(f"{BASE}/health")
        assert unready.status_code == 503
        assert unready.json()["checks"]["runner"] == "no pulse"
        service.beat()
        assert anybody.get(f"{BASE}/health/ready").json()["status"] == "ok"
        assert anybody.get(f"{BASE}/health", params={"probe": "x"}).status_code == 422


def test_status_is_the_commands_own(service: Service, api: httpx.Client) -> None:
    service.beat()
    row = api.get(f"{BASE}/status").json()
    assert row["alive"] is True
    assert {"heartbeat_age_s", "kill_switch", "breaker", "next_slot", "counts"} <= set(row)


def test_metrics_are_those_that_are_promised(service: Service, api: httpx.Client) -> None:
    service.beat()
    generate(api, content_type="joke", context=FACTS)
    text = api.get(f"{BASE}/metrics").text
    found = {sample.name for family in text_string_to_metric_families(text)
             for sample in family.samples}  # fmt: skip
    for name in METRICS:
        if name in ("btcbuzz_slots", "btcbuzz_attempts", "btcbuzz_breaker_state",
                    "btcbuzz_spend_usd", "btcbuzz_alerts_open", "btcbuzz_findings_total"):  # fmt: skip
            assert f"# HELP {name.removesuffix('_total')}" in text, name  # nothing to count yet
        else:
            assert {name, f"{name}_count"} & found, name
    written = [sample for family in text_string_to_metric_families(text)
               for sample in family.samples if sample.name == "btcbuzz_generations_total"]  # fmt: skip
    assert sum(sample.value for sample in written) >= 1
    again = api.get(f"{BASE}/metrics").text
    assert again.count("btcbuzz_generations_total{") == text.count("btcbuzz_generations_total{")
