"""What a reply of X proves; anything else is unknown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.posting.classify import (
    LONGEST_WAIT,
    SHORTEST_WAIT,
    classify,
    classify_silence,
    retry_at,
)
from engine.posting.x import _since_id, id_at, plain_text, time_of
from engine.posting.x_client import NoReply, Reply

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def reply(status: int, body: object = None, **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def test_201_with_an_id_is_posted() -> None:
    answer = classify(reply(201, {"data": {"id": "1445880548472328192", "text": "t"}}), NOW)
    assert (answer.kind, answer.x_post_id) == ("posted", "1445880548472328192")


def test_data_beside_errors_still_is_posted() -> None:
    body = {"data": {"id": "12"}, "errors": [{"title": "partial"}]}
    assert classify(reply(201, body), NOW).kind == "posted"


@pytest.mark.parametrize("x_id", [12, "", "12a", "-1", "1" * 20, "١٢", None, ["12"], {"id": "12"}])
def test_a_strange_id_is_no_proof(x_id: object) -> None:
    assert classify(reply(201, {"data": {"id": x_id}}), NOW).kind == "unknown"


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_reply_whatever_breaks_it_and_only_2xx_posts(status: int, body: bytes) -> None:
    answer = classify(reply(status, body), NOW)
    assert answer.kind != "posted" or 200 <= status < 300
    if status >= 500 or status < 200 or 300 <= status < 400:
        assert answer.kind == "unknown"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "errors", "detail", "title", "message", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.integers(200, 599), _JSON)
def test_no_json_shape_breaks_it(status: int, body: object) -> None:
    assert classify(reply(status, body), NOW).kind in (
        "posted", "unknown", "refused", "wait",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "detail", "kind", "trips", "duplicate"),
    [
        (400, "bad", "refused", False, False),
        (401, "Unauthorized", "refused", True, False),
        (402, "credits depleted", "wait", True, False),
        (
            403,
            "You are not allowed to create a Tweet with duplicate content.",
            "unknown",
            False,
            True,
        ),
        (403, "Your account is suspended", "refused", True, False),
        (403, "not permitted", "refused", False, False),
        (404, "gone", "refused", False, False),
        (408, "slow", "unknown", False, False),
        (409, "conflict", "unknown", False, False),
        (422, "bad", "refused", False, False),
        (429, "Too Many Requests", "wait", False, False),
        (500, "oops", "unknown", False, False),
        (503, "busy", "unknown", False, False),
    ],
)
@pytest.mark.parametrize("form", ["problem", "errors"])
def test_the_table_of_the_facts(
    status: int, detail: str, kind: str, trips: bool, duplicate: bool, form: str
) -> None:
    problem = {"title": "t", "detail": detail, "type": "about:blank", "status": status}
    body = problem if form == "problem" else {"errors": [{"message": detail}]}
    answer = classify(reply(status, body), NOW)
    assert (answer.kind, answer.trip is not None, answer.duplicate) == (kind, trips, duplicate)


@given(st.dictionaries(
    st.sampled_from([
        f"{window}-{part}"
        for window in ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")
        for part in ("remaining", "reset")
    ]),
    st.text(max_size=12) | st.integers(-(10**12), 10**20).map(str),
))  # fmt: skip
def test_a_wait_is_always_within_its_bounds(headers: dict[str, str]) -> None:
    wait = retry_at(headers, NOW) - NOW
    assert SHORTEST_WAIT <= wait <= LONGEST_WAIT


def test_the_latest_used_up_window_counts_not_the_latest_of_all() -> None:
    seconds = int(NOW.timestamp())
    headers = {
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": str(seconds + 300),
        "x-user-limit-24hour-remaining": "12",
        "x-user-limit-24hour-reset": str(seconds + 9_000),
    }
    assert retry_at(headers, NOW) == NOW + timedelta(seconds=300)


def test_nothing_left_tells_apart() -> None:
    assert classify_silence(NoReply("refused", left=False)).kind == "not_sent"
    assert classify_silence(NoReply("reset", left=True)).kind == "unknown"


@given(st.datetimes(datetime(2011, 1, 1), datetime(2060, 1, 1)))  # noqa: DTZ001
def test_ids_carry_xs_time(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1000 * 1000)
    back = time_of(str(id_at(aware)))
    assert back is not None
    assert abs(back - aware) <= timedelta(milliseconds=1)


@pytest.mark.parametrize("x_id", ["", "abc", "-5", str(1 << 63), "dry-7"])
def test_other_ids_carry_no_time(x_id: str) -> None:
    assert time_of(x_id) is None


def test_a_read_reaches_back_to_the_earlier_of_known_id_and_time() -> None:
    known = str(id_at(NOW) + 5)
    assert _since_id(known, NOW) == id_at(NOW)
    assert _since_id(known, NOW + timedelta(hours=1)) == int(known) - 1
    assert _since_id(None, None) is None


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"text": "a &amp; b &lt; c"}, "a & b < c"),
        (
            {
                "text": "see https://t.co/1",
                "entities": {"urls": [{"url": "https://t.co/1", "expanded_url": "https://a.org"}]},
            },
            "see https://a.org",
        ),
        ({"text": "t", "entities": {"urls": "odd"}}, "t"),
        ({"text": "t", "entities": [1]}, "t"),
        ({"text": "t", "entities": {"urls": [7, {"url": None}]}}, "t"),
    ],
)
def test_a_shown_text_is_turned_back_into_the_sent_one(item: dict[str, object], text: str) -> None:
    assert plain_text(item) == text
