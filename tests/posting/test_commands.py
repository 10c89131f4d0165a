"""Queue, settings, alerts and the kill switch as somebody types them: answers, refusals, exits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.posting import killswitch, queue
from engine.records import Verdict
from engine.service.cli import main
from engine.store import alerts, audit, posts, settings
from tests.posting.conftest import Write


class Said(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Type = Callable[..., Said]


@pytest.fixture
def typed(db_path: Path, capsys: pytest.CaptureFixture[str]) -> Type:
    """Run one command as the user ``anna``."""

    def run(*words: object, path: Path = db_path) -> Said:
        world = {"BTCBUZZ_DB": str(path), "BTCBUZZ_LLM": "scripted", "USER": "anna"}
        code = main([str(word) for word in words], world)
        said = capsys.readouterr()
        assert code == 0 or said.err.startswith("error: ") or words[0] == "doctor"
        return Said(code, said.out, said.err)

    return run


class TestQueue:
    def test_a_yes_shows_the_text_it_was_said_to(
        self, db: Database, typed: Type, waiting: Write
    ) -> None:
        post_id = waiting("A coin walks.")
        assert (
            typed("queue", "list").out
            == f"    {post_id} r1  pending_approval  joke       A coin walks.\n"
        )
        said = typed("queue", "approve", post_id)
        assert said == Said(0, f"Post {post_id} is approved, revision 1: A coin walks.\n", "")
        assert posts.need(db, post_id).approved_by == "anna"

    def test_list_show_approve_and_reject_answer_in_json(self, typed: Type, waiting: Write) -> None:
        first, second = waiting("The first."), waiting("The second.")
        rows = typed("queue", "list", "--state", "pending_approval", "--json").json
        assert [(row["id"], row["text"]) for row in rows] == [
            (second, "The second."), (first, "The first."),
        ]  # fmt: skip
        shown = typed("queue", "show", first, "--json").json
        assert (shown["state"], shown["revision"]) == ("pending_approval", 1)
        assert {"body_sha256", "facts", "generations"} <= shown.keys()
        assert typed("queue", "approve", first, "--json").json["state"] == "approved"
        no = typed("queue", "reject", second, "--reason", "dull", "--json").json
        assert (no["state"], no["reason"]) == ("rejected", "dull")

    def test_what_is_gone_is_told_with_its_state_and_by_whom(
        self, db: Database, clock: FakeClock, typed: Type, waiting: Write
    ) -> None:
        post_id = waiting("A coin walks.")
        typed("queue", "reject", post_id, "--reason", "dull")
        for action in (("approve",), ("reject", "--reason", "dull")):
            said = typed("queue", action[0], post_id, *action[1:])
            assert said.code == 1
            assert f"Post {post_id} is already rejected by anna" in said.error
        assert "There is no post 99" in typed("queue", "approve", 99).error
        assert "There is no post 99" in typed("queue", "show", 99).error
        assert posts.need(db, post_id).state == "rejected"

    def test_a_yes_to_an_older_revision_is_refused(
        self, db: Database, clock: FakeClock, typed: Type, waiting: Write
    ) -> None:
        post_id = waiting("The old text.")
        queue.edit(
            db, post_id, revision=1, text="The new text.", verdict=Verdict(), actor="ben",
            now=clock.now(),
        )  # fmt: skip
        said = typed("queue", "approve", post_id, "--revision", 1)
        assert said.code == 1
        assert "(revision 2)" in said.error
        assert posts.need(db, post_id).state == "pending_approval"
        assert typed("queue", "approve", post_id, "--revision", 2).code == 0

    @pytest.mark.parametrize(
        "words",
        [
            ("queue",),
            ("queue", "approve"),
            ("queue", "approve", "first"),
            ("queue", "reject", "1"),
            ("queue", "reject", "1", "--reason", " "),
            ("queue", "list", "--state", "gone"),
            ("queue", "list", "--limit", "0"),
            ("settings", "get", "posting.min_gap"),
            ("settings", "set", "posting.min_gap_s", "-1"),
            ("settings", "set", "posting.min_gap_s", "soon"),
            ("settings", "set", "posting.monthly_budget_usd", "NaN"),
            ("settings", "set", "posting.on_stale", "never"),
            ("settings", "set", "X_API_KEY", "secret"),
            ("alerts", "ack"),
            ("alerts", "ack", "7"),
            ("resume",),
        ],
        ids=" ".join,
    )
    def test_bad_usage_is_one_sentence_exit_2_and_changes_nothing(
        self, db: Database, typed: Type, waiting: Write, words: tuple[str, ...]
    ) -> None:
        waiting("A coin walks.")
        before = [entry.hash for entry in audit.entries(db)]
        said = typed(*words)
        assert (said.code, said.out) == (2, "")
        assert said.error.count("\n") == 1
        assert [entry.hash for entry in audit.entries(db)] == before


class TestSettings:
    def test_a_change_is_audited_like_one_in_the_console(self, db: Database, typed: Type) -> None:
        assert typed("settings", "set", "posting.daily_cap", 3, "--json").json == {
            "key": "posting.daily_cap", "value": 3,
        }  # fmt: skip
        assert settings.get(db, "posting.daily_cap") == 3
        (entry,) = audit.entries(db, subject="setting:posting.daily_cap")
        assert (entry.actor, entry.what) == ("anna", "changed")
        assert entry.before_hash != entry.after_hash
        typed("settings", "set", "posting.daily_cap", 3)
        assert len(audit.entries(db, subject="setting:posting.daily_cap")) == 1

    def test_get_and_list_answer_in_json(self, typed: Type) -> None:
        assert typed("settings", "get", "posting.min_gap_s", "--json").json == {
            "key": "posting.min_gap_s", "value": 900,
        }  # fmt: skip
        rows = {row["key"]: row for row in typed("settings", "list", "--json").json}
        for name in (
            "min_gap_s", "hourly_cap", "daily_cap", "quiet_period_s", "slot_grace_s",
            "max_price_drift_pct", "monthly_budget_usd",
        ):  # fmt: skip
            assert rows[f"posting.{name}"]["value"] == rows[f"posting.{name}"]["default"]


class TestAlerts:
    def test_an_event_is_listed_until_it_is_acknowledged(
        self, db: Database, clock: FakeClock, typed: Type
    ) -> None:
        assert typed("alerts", "list").out == "No alert holds.\n"
        alerts.raise_alert(db, "double_post", "7", "critical", "X shows it twice.", clock.now())
        (row,) = typed("alerts", "list", "--json").json
        assert (row["kind"], row["key"], row["resolved_at"]) == ("double_post", "7", None)
        assert "X shows it twice." in typed("alerts", "list").out
        done = typed("alerts", "ack", row["id"], "--json").json
        assert done == {"id": row["id"], "kind": "double_post", "acknowledged_by": "anna"}
        assert typed("alerts", "list", "--json").json == []
        (row,) = typed("alerts", "list", "--all", "--json").json
        assert row["resolved_at"]


class TestStop:
    def test_it_stops_and_resume_asks(self, db: Database, db_path: Path, typed: Type) -> None:
        assert typed("stop", "--reason", "odd").code == 0
        assert killswitch.status(db, db_path).reason == "odd"
        assert "add --yes" in typed("resume").error
        assert killswitch.is_on(db, db_path)
        assert typed("resume", "--yes").code == 0
        assert not killswitch.is_on(db, db_path)

    def test_a_damaged_database_does_not_delay_a_stop(self, tmp_path: Path, typed: Type) -> None:
        path = tmp_path / "damaged.db"
        path.write_text("this is no database " * 500)
        said = typed("stop", path=path)
        assert said.code == 1
        assert "Posting is stopped by damaged.stop" in said.error
        assert killswitch.stop_file(path).exists()

    def test_a_stop_that_nothing_can_note_says_that_posting_goes_on(
        self, tmp_path: Path, typed: Type
    ) -> None:
        path = tmp_path / "damaged.db"
        path.write_text("this is no database " * 500)
        real = killswitch.stop_file(path)
        (tmp_path / "nowhere").mkdir()
        real.symlink_to(tmp_path / "nowhere" / "gone" / "file")  # can neither be made nor is there
        said = typed("stop", path=path)
        assert (said.code, said.out) == (1, "")
        assert "Posting is NOT stopped" in said.error


@pytest.mark.parametrize("content", [None, "", "this is no database " * 500])
def test_the_doctor_examines_a_database_that_is_missing_empty_or_damaged(
    tmp_path: Path, typed: Type, content: str | None
) -> None:
    """Every check is answered, the command does not fall over, and no database is made."""
    path = tmp_path / "other" / "bot.db"
    if content is not None:
        path.parent.mkdir()
        path.write_text(content)
    said = typed("doctor", "--json", path=path)
    assert said.code == 1
    states = {row["name"]: row["state"] for row in said.json}
    assert states["model"] == "ok"
    assert "fail" in (states["database"], states["schema"])
    assert path.exists() == (content is not None)


def test_a_folder_that_cannot_be_made_is_named_before_anything_starts(typed: Type) -> None:
    said = typed("run", path=Path("/proc/nowhere/bot.db"))
    assert (said.code, said.out) == (2, "")
    assert "The lock /proc/nowhere/bot.lock cannot be taken" in said.error
