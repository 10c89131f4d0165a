"""Search: every text a post ever had, newest first, page by page, whatever is typed."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.posting import queue
from engine.records import Verdict
from engine.store import posts, search
from engine.store.search import Filters


def write(db: Database, clock: FakeClock, text: str, kind: str = "joke") -> int:
    clock.advance(60)
    new = posts.NewPost(kind, text, Verdict(), "model", "sample")
    return posts.insert(db, new, actor="test", now=clock.now())


def found(db: Database, text: str = "", **filters: object) -> list[int]:
    search.catch_up(db)
    return [post.id for post in search.find(db, Filters(text, **filters)).posts]  # type: ignore[arg-type]


def test_words_are_found_by_their_beginnings_in_any_order_without_accents(
    db: Database, clock: FakeClock
) -> None:
    one = write(db, clock, "The café near the mempool is quiet")
    write(db, clock, "Blocks are not quiet")
    assert found(db, "quie CAFE") == [one]
    assert found(db, "loud") == []


def test_an_edited_post_is_found_by_its_first_text_too_and_once(
    db: Database, clock: FakeClock
) -> None:
    post_id = write(db, clock, "first wording of bitcoin")
    queue.edit(
        db, post_id, revision=1, text="second wording of bitcoin", verdict=Verdict(),
        actor="test", now=clock.now(),
    )  # fmt: skip
    assert found(db, "first") == found(db, "second") == found(db, "wording") == [post_id]


def test_filters_combine_and_the_newest_comes_first(db: Database, clock: FakeClock) -> None:
    ids = [write(db, clock, f"bitcoin {n}", "joke" if n % 2 else "price") for n in range(6)]
    assert found(db) == ids[::-1]
    assert found(db, "bitcoin", content_type="joke") == [ids[5], ids[3], ids[1]]
    assert found(db, states=("posted",)) == []


@pytest.mark.parametrize("text", ["", "bitcoin"])
def test_pages_hold_every_post_once(db: Database, clock: FakeClock, text: str) -> None:
    ids = [write(db, clock, f"bitcoin number {n}") for n in range(23)]
    search.catch_up(db)
    seen, cursor = [], None  # type: ignore[var-annotated]
    while True:
        page = search.find(db, Filters(text), cursor=cursor, limit=5)
        seen += [post.id for post in page.posts]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == ids[::-1]


@rules(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=st.text(max_size=60))
def test_whatever_is_typed_is_a_search_and_never_an_error(db: Database, text: str) -> None:
    search.find(db, Filters(text))


def test_the_index_catches_up_in_steps_and_knows_when_it_is_behind(
    db: Database, clock: FakeClock
) -> None:
    for n in range(5):
        write(db, clock, f"text {n}")
    assert search.is_behind(db)
    assert [search.catch_up(db, 3), search.catch_up(db, 3), search.catch_up(db, 3)] == [3, 2, 0]
    assert not search.is_behind(db)
