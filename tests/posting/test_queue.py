"""What people and the autonomy level may do with a post."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock, iso
from engine.errors import PermissionDenied, QueueConflict, UsageError
from engine.posting import killswitch, queue
from engine.posting.actors import Actor
from engine.records import Finding, Verdict
from engine.store import approvals, posts, settings
from tests.posting.conftest import Write

REJECTED = Verdict((Finding("facts.number", "reject", 0, 1, "not in the data"),))
BROKEN = Verdict((Finding("voice", "error", 0, 1, "the check failed"),))


def put(db: Database, clock: FakeClock, key: str, value: object) -> None:
    settings.put(db, key, value, actor="test", now=clock.now())


class TestSubmit:
    def test_a_green_draft_waits_for_approval(self, db: Database, waiting: Write) -> None:
        assert posts.need(db, waiting()).state == "pending_approval"

    @pytest.mark.parametrize(
        ("verdict", "said"), [(REJECTED, "checks failed: facts.number"), (BROKEN, "could not run")]
    )
    def test_a_failed_or_broken_check_rejects(
        self, db: Database, waiting: Write, verdict: Verdict, said: str
    ) -> None:
        post = posts.need(db, waiting(verdict=verdict))
        assert post.state == "rejected"
        assert said in (post.state_reason or "")

    def test_draft_only_stays_validated_and_is_taken_up_when_the_setting_changes(
        self, db: Database, clock: FakeClock, draft: Write
    ) -> None:
        put(db, clock, "autonomy.joke", "draft_only")
        post_id = draft()
        assert queue.submit(db, post_id, actor="runner", now=clock.now()) == "validated"
        put(db, clock, "autonomy.joke", "approve")
        assert queue.submit(db, post_id, actor="runner", now=clock.now()) == "pending_approval"

    def test_it_is_submitted_once(self, db: Database, clock: FakeClock, waiting: Write) -> None:
        post_id = waiting()
        with pytest.raises(QueueConflict, match="already pending approval by runner"):
            queue.submit(db, post_id, actor="runner", now=clock.now())


class TestAutonomy:
    """Auto only when every check is green and the trust was earned."""

    @pytest.fixture
    def trusted(self, db: Database, clock: FakeClock, waiting: Write) -> Callable[[int], None]:
        def earn(times: int) -> None:
            for number in range(times):
                post_id = waiting(f"Earned {number} {clock.now()}.")
                if posts.need(db, post_id).state == "pending_approval":
                    queue.approve(db, post_id, revision=1, actor="anna", now=clock.now())

        put(db, clock, "autonomy.joke", "auto")
        return earn

    def submit(
        self, db: Database, clock: FakeClock, post_id: int, publisher: str = "dry_run"
    ) -> str:
        return queue.submit(db, post_id, actor="runner", now=clock.now(), publisher=publisher)

    def test_after_five_approvals_in_a_row_the_sixth_needs_nobody(
        self, db: Database, clock: FakeClock, draft: Write, trusted: Callable[[int], None]
    ) -> None:
        trusted(4)
        assert self.submit(db, clock, draft("The fifth.")) == "pending_approval"
        fifth = posts.listing(db, limit=1)[0]
        queue.approve(db, fifth.id, revision=1, actor="anna", now=clock.now())
        sixth = draft("The sixth.")
        assert self.submit(db, clock, sixth) == "approved"
        assert posts.need(db, sixth).approved_by == "autonomy"

    @pytest.mark.parametrize(
        "fields",
        [
            {"origin": "backup"},
            {"origin": "operator"},
            {"flags": ("injection",)},
            {"model_name": "another"},
        ],
        ids=lambda fields: next(iter(fields)),
    )
    def test_never_after_a_fallback_a_flag_or_a_change_of_model(
        self,
        db: Database,
        clock: FakeClock,
        draft: Write,
        trusted: Callable[[int], None],
        fields: dict[str, object],
    ) -> None:
        trusted(5)
        assert self.submit(db, clock, draft("Another.", **fields)) == "pending_approval"

    def test_never_after_a_change_of_the_template_version(
        self, db: Database, clock: FakeClock, draft: Write, trusted: Callable[[int], None]
    ) -> None:
        db.conn.execute(
            "INSERT INTO prompt_templates (id, name, template, purpose, created_at) "
            "VALUES (1, 'n', 't', 'p', 'now')"
        )
        db.conn.execute(
            "INSERT INTO template_versions (id, template_id, number, system, body, variables, "
            "sha256, created_at, created_by) VALUES (1, 1, 1, '', '', '[]', 'x', 'now', 'me')"
        )
        db.conn.commit()
        trusted(5)
        assert self.submit(db, clock, draft("Another.", template_version_id=1)) == (
            "pending_approval"
        )

    @pytest.mark.parametrize("breaker", ["reject", "edit", "unapprove", "regenerate"])
    def test_a_no_begins_the_row_anew(
        self,
        db: Database,
        clock: FakeClock,
        draft: Write,
        waiting: Write,
        trusted: Callable[[int], None],
        breaker: str,
    ) -> None:
        trusted(4)
        post_id, now = waiting("A bad one."), clock.now()
        if breaker == "reject":
            queue.reject(db, post_id, revision=1, reason="dull", actor="anna", now=now)
        elif breaker == "edit":
            queue.edit(
                db, post_id, revision=1, text="Better.", verdict=Verdict(), actor="anna", now=now
            )
        elif breaker == "unapprove":
            queue.approve(db, post_id, revision=1, actor="anna", now=now)
            queue.unapprove(db, post_id, revision=1, actor="anna", now=now)
        else:
            queue.request_regeneration(
                db, post_id, revision=1, reason="dull", actor="anna", now=now
            )
        trusted(4)
        assert self.submit(db, clock, draft("The next.")) == "pending_approval"

    def test_on_x_the_trust_is_never_less_than_five(
        self, db: Database, clock: FakeClock, draft: Write, trusted: Callable[[int], None]
    ) -> None:
        put(db, clock, "autonomy.trust_after", 0)
        assert self.submit(db, clock, draft("On X."), "x") == "pending_approval"
        assert self.submit(db, clock, draft("Dry.")) == "approved"


class TestApprove:
    def test_another_revision_or_hash_is_refused(
        self, db: Database, clock: FakeClock, waiting: Write
    ) -> None:
        post_id = waiting()
        for wrong in ({"revision": 2}, {"revision": 1, "body_sha256": "f00"}):
            with pytest.raises(QueueConflict) as caught:
                queue.approve(db, post_id, actor="anna", now=clock.now(), **wrong)
            assert caught.value.state == "pending_approval"
        with pytest.raises(QueueConflict, match="no post 99"):
            queue.approve(db, 99, revision=1, actor="anna", now=clock.now())

    def test_all_green_leaves_flags_and_backups_to_a_person(
        self, db: Database, clock: FakeClock, waiting: Write
    ) -> None:
        good, flagged, backup = (
            waiting("Good."),
            waiting("Flagged.", flags=("injection",)),
            waiting("Backup.", origin="backup"),
        )
        results = queue.approve_all_green(
            db, [(good, 1), (flagged, 1), (backup, 1), (99, 1)], actor="anna", now=clock.now()
        )
        assert [result.state for result in results] == [
            "approved", "pending_approval", "pending_approval", "absent",
        ]  # fmt: skip
        assert [bool(result.error) for result in results] == [False, True, True, True]


class TestFreshness:
    @pytest.fixture
    def priced(self, waiting: Write, snapshot: Callable[[float], int]) -> int:
        return waiting("BTC at $90,000.", content_type="price", snapshot_id=snapshot(90_000.0))

    def approve(self, db: Database, clock: FakeClock, post_id: int) -> posts.Post:
        return queue.approve(db, post_id, revision=1, actor="anna", now=clock.now())

    def test_within_the_bounds_it_is_approved(
        self, db: Database, clock: FakeClock, priced: int, snapshot: Callable[[float], int]
    ) -> None:
        clock.advance(3_500)
        snapshot(90_890.0)
        assert self.approve(db, clock, priced).state == "approved"

    @pytest.mark.parametrize(
        ("age_s", "price", "said"),
        [
            (60, 91_000.0, "moved 1.11 %"),
            (60, 89_000.0, "moved 1.11 %"),
            (3_700, 90_000.0, "62 min"),
        ],
    )
    def test_a_stale_post_is_sent_back_to_be_written_anew(
        self,
        db: Database,
        clock: FakeClock,
        priced: int,
        snapshot: Callable[[float], int],
        age_s: float,
        price: float,
        said: str,
    ) -> None:
        clock.advance(age_s)
        newer = snapshot(price)
        with pytest.raises(QueueConflict, match=said) as caught:
            self.approve(db, clock, priced)
        assert caught.value.state == "draft"
        (wish,) = queue.regenerations(db)
        assert (wish.post_id, wish.cause) == (priced, "stale")
        post = queue.renew(
            db, priced, revision=1, text="BTC at $91,000.", verdict=Verdict(),
            snapshot_id=newer, actor="runner", now=clock.now(),
        )  # fmt: skip
        assert (post.state, post.revision, post.snapshot_id) == ("pending_approval", 2, newer)
        assert queue.regenerations(db) == []

    def test_or_it_expires_by_the_setting(
        self, db: Database, clock: FakeClock, priced: int, snapshot: Callable[[float], int]
    ) -> None:
        put(db, clock, "posting.on_stale", "expire")
        snapshot(99_000.0)
        with pytest.raises(QueueConflict, match="it expired"):
            self.approve(db, clock, priced)
        assert posts.need(db, priced).state == "expired"

    def test_a_price_post_that_nothing_proves_is_stale(
        self, db: Database, clock: FakeClock, waiting: Write
    ) -> None:
        with pytest.raises(QueueConflict, match="no stored snapshot"):
            self.approve(db, clock, waiting("BTC is up.", content_type="price"))

    def test_a_joke_with_a_proved_dollar_amount_goes_stale_too(
        self, db: Database, clock: FakeClock, waiting: Write, snapshot: Callable[[float], int]
    ) -> None:
        post_id = waiting("At $90,000 even my cat asks.", snapshot_id=snapshot(90_000.0))
        other = waiting("Give it 100 %.", snapshot_id=snapshot(90_000.0))
        snapshot(99_000.0)
        assert self.approve(db, clock, other).state == "approved"
        with pytest.raises(QueueConflict, match="moved"):
            self.approve(db, clock, post_id)


class TestOtherDecisions:
    def test_a_rejection_carries_a_reason(
        self, db: Database, clock: FakeClock, waiting: Write
    ) -> None:
        post_id = waiting()
        with pytest.raises(UsageError, match="needs a reason"):
            queue.reject(db, post_id, revision=1, reason="  ", actor="anna", now=clock.now())
        post = queue.reject(db, post_id, revision=1, reason="dull", actor="anna", now=clock.now())
        assert (post.state, post.state_reason) == ("rejected", "dull")

    def test_an_edit_that_fails_its_checks_stays_a_draft_and_can_be_edited_again(
        self, db: Database, clock: FakeClock, waiting: Write
    ) -> None:
        post_id, now = waiting(), clock.now()
        post = queue.edit(
            db, post_id, revision=1, text="BTC at $1.", verdict=REJECTED, actor="anna", now=now
        )
        assert (post.state, post.revision, post.origin) == ("draft", 2, "operator")
        assert post.findings[0]["rule"] == "facts.number"
        post = queue.edit(
            db, post_id, revision=2, text="Better.", verdict=Verdict(), actor="anna", now=now
        )
        assert (post.state, post.revision) == ("pending_approval", 3)

    def test_unapprove_undoes_until_claimed(
        self, db: Database, clock: FakeClock, waiting: Write
    ) -> None:
        post_id = waiting()
        queue.approve(db, post_id, revision=1, actor="anna", now=clock.now())
        post = queue.unapprove(db, post_id, revision=1, actor="anna", now=clock.now())
        assert (post.state, post.approved_by) == ("pending_approval", None)
        assert approvals.approved_text(db, post_id) is None

    def test_scheduled_for_later_it_is_not_due_before(
        self, db: Database, clock: FakeClock, waiting: Write
    ) -> None:
        post_id, later = waiting(), clock.now() + timedelta(days=2)
        queue.approve(db, post_id, revision=1, actor="anna", now=clock.now())
        queue.schedule_for_later(
            db, post_id, revision=1, not_before=later, actor="anna", now=clock.now()
        )
        assert approvals.next_due(db, later - timedelta(seconds=1)) is None
        due = approvals.next_due(db, later)
        assert due is not None
        assert due.id == post_id
        assert queue.expire_due(db, later) == 0

    def test_what_waits_too_long_expires(
        self, db: Database, clock: FakeClock, draft: Write, waiting: Write
    ) -> None:
        ids = [waiting("Pending."), waiting("Approved."), waiting("To be written anew.")]
        queue.approve(db, ids[1], revision=1, actor="anna", now=clock.now())
        queue.request_regeneration(
            db, ids[2], revision=1, reason="dull", actor="anna", now=clock.now()
        )
        clock.advance(43_201)
        assert queue.expire_due(db, clock.now()) == 3
        assert {posts.need(db, post_id).state for post_id in ids} == {"expired"}
        assert queue.regenerations(db) == []

    def test_a_new_text_that_fails_its_checks_keeps_the_wish_open(
        self, db: Database, clock: FakeClock, waiting: Write
    ) -> None:
        post_id, now = waiting(), clock.now()
        queue.request_regeneration(db, post_id, revision=1, reason="dull", actor="anna", now=now)
        post = queue.renew(
            db, post_id, revision=1, text="BTC at $1.", verdict=REJECTED, snapshot_id=None,
            actor="runner", now=now,
        )  # fmt: skip
        assert post.state == "draft"
        assert len(queue.regenerations(db)) == 1


class TestRoles:
    """The engine checks the role again on every write."""

    @pytest.mark.parametrize(("role", "may"), [("viewer", 0), ("editor", 2), ("approver", 3)])
    def test_a_role_may_do_this_much(
        self, db: Database, clock: FakeClock, waiting: Write, role: str, may: int
    ) -> None:
        who, now = Actor("ben", role, "console"), clock.now()  # type: ignore[arg-type]
        calls = [
            lambda: queue.schedule_for_later(
                db, waiting("a"), revision=1, not_before=now, actor=who, now=now
            ),
            lambda: queue.edit(
                db, waiting("b"), revision=1, text="c", verdict=Verdict(), actor=who, now=now
            ),
            lambda: queue.approve(db, waiting("d"), revision=1, actor=who, now=now),
        ]
        for index, call in enumerate(calls):
            if index < may:
                call()
            else:
                with pytest.raises(PermissionDenied, match=f"ben is {role}; this needs"):
                    call()

    def test_the_audit_names_person_and_place(
        self, db: Database, clock: FakeClock, waiting: Write
    ) -> None:
        who = Actor("ben", "approver", "console")
        post = queue.approve(db, waiting(), revision=1, actor=who, now=clock.now())
        assert post.approved_by == "ben (console)"

    def test_resuming_needs_an_approver_and_the_word(self, db: Database, clock: FakeClock) -> None:
        file = Path(db.conn.execute("PRAGMA database_list").fetchone()[2])
        killswitch.stop(file, actor=Actor("ben", "editor"), reason="odd", now=clock.now())
        assert killswitch.is_on(db, file)
        assert killswitch.status(db, file).reason == "odd"
        with pytest.raises(PermissionDenied):
            killswitch.resume(file, actor=Actor("ben", "editor"), confirm="resume", now=clock.now())
        with pytest.raises(UsageError, match="confirm"):
            killswitch.resume(file, actor="anna", confirm="yes", now=clock.now())
        assert killswitch.is_on(db, file)
        killswitch.resume(file, actor="anna", confirm="resume", now=clock.now())
        assert not killswitch.is_on(db, file)


def test_times_are_stored_with_a_zone(db: Database, clock: FakeClock, waiting: Write) -> None:
    assert posts.need(db, waiting()).expires_at == iso(clock.now() + timedelta(hours=12))
