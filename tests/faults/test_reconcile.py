"""F15 and F29: timelines that lag, lie or fail, and a database that forgot what X has."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.errors import QueueConflict, UsageError
from engine.posting import killswitch, spend
from engine.posting.dry_run import DryRunPublisher
from engine.posting.resolve import resolve_held
from engine.store import alerts, attempts, service_state
from engine.store.database import opened
from tests.faults.rig import Rig
from tests.faults.x_server import USER, Act, XServer, problem


def lost(rig: Rig, x: XServer, *, taken: bool = True) -> int:
    """A post whose answer was lost."""
    post_id = rig.approved()
    x.next_post(Act(accept=taken, how="drop"))
    assert rig.round().kind == "unknown"
    return post_id


class TestF15Timelines:
    @pytest.mark.parametrize("lag_s", [0, 1, 60, 440, 600, 890])
    @pytest.mark.parametrize("repost", [False, True])
    def test_a_lag_within_the_quiet_period_is_waited_out(
        self, rig: Rig, x: XServer, lag_s: float, repost: bool
    ) -> None:
        x.lag_s = lag_s
        rig.settings(posting__repost_when_absent=repost)
        post_id = lost(rig, x)
        assert rig.reconcile_until_decided()[-1] == "posted"
        assert rig.round().kind == "idle"
        assert rig.post(post_id).x_post_id == x.posts[0].id
        assert len(x.accepted()) == 1

    def test_a_lag_beyond_it_is_held_and_a_person_links_it(self, rig: Rig, x: XServer) -> None:
        x.lag_s = 7_200
        post_id = lost(rig, x)
        assert rig.reconcile_until_decided()[-1] == "held"
        (attempt,) = rig.attempts(post_id)
        with opened(rig.db_path) as db:
            assert [alert.kind for alert in alerts.open_alerts(db)] == ["held_attempt"]
            address = f"https://x.com/bot/status/{x.posts[0].id}?s=20"
            resolve_held(
                db, attempt.id, "link", x_post_id=address, actor="anna", now=rig.clock.now()
            )
            assert alerts.open_alerts(db) == []
        assert rig.post(post_id).x_post_id == x.posts[0].id
        assert rig.round().kind == "idle"

    def test_absence_needs_three_complete_reads_over_the_quiet_period(
        self, rig: Rig, x: XServer, clock: FakeClock
    ) -> None:
        lost(rig, x, taken=False)
        kinds = []
        for _ in range(48):
            kinds += [done.kind for done in rig.poster.reconcile()]
            clock.advance(20)
        assert kinds == ["looking", "looking", "held"]
        reads = [event for event in x.events("request") if event["method"] == "GET"]
        assert len(reads) == 3

    @pytest.mark.parametrize(
        "bad",
        [
            problem(500, "oops", "oops"),
            problem(503, "busy", "busy"),
            Act(body=b""),
            Act(body={}),
            Act(body=[]),
            Act(body=b"\xff\xfe not json"),
            Act(body={"data": [], "meta": {"result_count": 1}}),
            Act(body={"meta": {"result_count": 0}, "errors": [{"title": "partial"}]}),
            Act(body={"data": [{"id": "x", "text": "t"}], "meta": {"result_count": 1}}),
            Act(how="drop"),
            Act(how="truncate"),
        ],
        ids=lambda act: f"{act.status}-{act.how}-{str(act.body)[:20]}",
    )
    def test_a_read_that_is_not_whole_proves_no_absence(
        self, rig: Rig, x: XServer, clock: FakeClock, bad: Act
    ) -> None:
        """However many over an hour: doubt ends held."""
        rig.settings(posting__repost_when_absent=True)
        post_id = lost(rig, x)
        x.next_read(*[bad] * 1_000)
        kinds = []
        for _ in range(40):
            kinds += [done.kind for done in rig.poster.reconcile()]
            clock.advance(120)
        assert set(kinds[:-1]) == {"looking"}
        assert kinds[-1] == "held"
        assert rig.post(post_id).state == "held"
        assert len(x.accepted()) == 1

    def test_a_stale_page_that_lacks_a_known_post_does_not_count(
        self, rig: Rig, x: XServer
    ) -> None:
        """The timeline stopped before our newest known post; the lost one cannot be judged by it."""
        rig.settings(posting__repost_when_absent=True)
        x.freeze()
        rig.approved("Known to be on X.")
        rig.round()
        post_id = lost(rig, x)
        for _ in range(4):
            rig.poster.reconcile()
            rig.clock.advance(450)  # type: ignore[attr-defined]
        assert rig.post(post_id).state == "unknown"
        x.thaw()
        assert rig.reconcile_until_decided() == ["posted"]
        assert len(x.accepted()) == 2

    def test_a_429_on_reads_pauses_reads_and_not_posts(
        self, rig: Rig, x: XServer, clock: FakeClock
    ) -> None:
        lost(rig, x)
        reset = str(int(clock.now().timestamp()) + 600)
        x.next_read(Act(status=429, body={}, headers={"x-rate-limit-reset": reset}))
        rig.poster.reconcile()
        for _ in range(10):
            clock.advance(50)
            rig.poster.reconcile()
        assert len([e for e in x.events("request") if e["method"] == "GET"]) == 1
        rig.approved("Another text.")
        assert rig.round().kind == "posted"
        clock.advance(120)
        assert rig.reconcile_until_decided() == ["posted"]

    def test_a_wall_clock_that_jumps_does_not_shorten_the_quiet_period(
        self, rig: Rig, x: XServer, clock: FakeClock
    ) -> None:
        rig.settings(posting__repost_when_absent=True, posting__draft_ttl_s=2_592_000)
        x.lag_s = 3_600
        post_id = lost(rig, x)
        for _ in range(5):
            rig.poster.reconcile()
            clock.set_wall(clock.now() + timedelta(seconds=500))
        assert rig.post(post_id).state == "unknown"

    def test_a_reboot_begins_the_quiet_period_anew(
        self, rig: Rig, x: XServer, clock: FakeClock
    ) -> None:
        post_id = lost(rig, x, taken=False)
        for _ in range(2):
            rig.poster.reconcile()
            clock.advance(450)
        clock.reboot("another boot")
        rig.restart()
        rig.poster.reconcile()
        assert rig.post(post_id).state == "unknown"
        assert rig.reconcile_until_decided()[-1] == "held"

    def test_links_entities_and_forms_are_undone_before_comparing(
        self, rig: Rig, x: XServer
    ) -> None:
        text = "Fees < 5 & falling: https://mempool.space/graphs?a=1&b=2 or bitcoin.org, cafe\u0301"
        post_id = rig.approved(text)
        x.next_post(Act(how="drop"))
        rig.round()
        assert rig.reconcile_until_decided() == ["posted"]
        assert rig.post(post_id).text == text

    def test_another_persons_similar_post_is_not_taken_for_ours(
        self, rig: Rig, x: XServer, clock: FakeClock
    ) -> None:
        post_id = lost(rig, x, taken=False)
        x.seed("A coin walks into a blockchain.", clock.now())
        assert rig.reconcile_until_decided()[-1] == "held"
        assert rig.post(post_id).x_post_id is None

    def test_the_same_text_from_before_the_attempt_is_doubt_not_proof(
        self, rig: Rig, x: XServer, clock: FakeClock
    ) -> None:
        """With our clock ahead of X's by more than two minutes, our own post looks older."""
        x.now = lambda: clock.now() - timedelta(minutes=10)
        rig.settings(posting__repost_when_absent=True)
        x.seed("First of all posts.", clock.now() - timedelta(hours=1))
        rig.approved("Known to be on X.")
        rig.round()
        post_id = lost(rig, x)
        assert rig.reconcile_until_decided()[-1] == "held"
        assert "by its clock from before the attempt" in (rig.post(post_id).state_reason or "")
        assert len(x.accepted()) == 2

    def test_two_posts_with_the_text_link_the_first_and_tell_of_the_second(
        self, rig: Rig, x: XServer, clock: FakeClock
    ) -> None:
        post_id = lost(rig, x)
        clock.advance(5)
        x.seed(rig.post(post_id).text, clock.now())
        assert rig.reconcile_until_decided() == ["posted"]
        assert rig.post(post_id).x_post_id == x.posts[0].id
        with opened(rig.db_path) as db:
            assert [alert.kind for alert in alerts.open_alerts(db)] == ["double_post"]

    def test_reads_are_charged_by_what_they_return(self, rig: Rig, x: XServer) -> None:
        lost(rig, x)
        with opened(rig.db_path) as db:
            before = spend.month_to_date(db, rig.clock.now())
            rig.poster.reconcile()
            assert spend.month_to_date(db, rig.clock.now()) - before == pytest.approx(0.001)

    def test_reconciling_goes_on_while_posting_is_stopped(self, rig: Rig, x: XServer) -> None:
        post_id = lost(rig, x)
        killswitch.stop(rig.db_path, actor="anna", reason="test", now=rig.clock.now())
        assert rig.reconcile_until_decided() == ["posted"]
        assert rig.post(post_id).state == "posted"


class TestHeld:
    """What a person may say of a held attempt."""

    @pytest.fixture
    def held(self, rig: Rig, x: XServer) -> int:
        post_id = lost(rig, x, taken=False)
        rig.reconcile_until_decided()
        (attempt,) = rig.attempts(post_id)
        return attempt.id

    def test_confirmed_absent_is_sent_again_once(self, rig: Rig, x: XServer, held: int) -> None:
        with opened(rig.db_path) as db:
            post = resolve_held(db, held, "confirm_absent", actor="anna", now=rig.clock.now())
            assert post.state == "approved"
        assert rig.round().kind == "posted"
        assert len(x.accepted()) == 1

    def test_abandoned_stays_off(self, rig: Rig, x: XServer, held: int) -> None:
        with opened(rig.db_path) as db:
            assert (
                resolve_held(db, held, "abandon", actor="anna", now=rig.clock.now()).state
                == "abandoned"
            )
        assert rig.round().kind == "idle"
        assert x.accepted() == []

    def test_it_is_solved_once(self, rig: Rig, held: int) -> None:
        with opened(rig.db_path) as db:
            resolve_held(db, held, "abandon", actor="anna", now=rig.clock.now())
            with pytest.raises(QueueConflict, match="already abandoned by anna"):
                resolve_held(db, held, "confirm_absent", actor="ben", now=rig.clock.now())

    @pytest.mark.parametrize("given", [None, "", "abc", "12 34", "dry-5", "https://x.com/bot"])
    def test_a_link_needs_an_id(self, rig: Rig, held: int, given: str | None) -> None:
        with opened(rig.db_path) as db, pytest.raises(UsageError, match="id on X"):
            resolve_held(db, held, "link", x_post_id=given, actor="anna", now=rig.clock.now())

    def test_a_link_needs_a_free_id(self, rig: Rig, x: XServer, held: int) -> None:
        rig.approved("Another text.")
        rig.round()
        with opened(rig.db_path) as db, pytest.raises(UsageError, match="another post"):
            resolve_held(
                db, held, "link", x_post_id=x.posts[0].id, actor="anna", now=rig.clock.now()
            )

    def test_while_unsolved_nothing_else_with_its_text_goes_out(
        self, rig: Rig, x: XServer, held: int
    ) -> None:
        with pytest.raises(AssertionError):
            rig.approved()
        rig.approved("Other posts go on.")
        assert rig.round().kind == "posted"


class TestF29Restored:
    """A database from before the last posts: X is read before anything is posted."""

    def restore_mark(self, rig: Rig) -> None:
        with opened(rig.db_path) as db:
            service_state.put(db, service_state.RECONCILE_REQUIRED, "yesterday", rig.clock.now())

    def check_through(self, rig: Rig) -> None:
        for _ in range(4):
            rig.poster.reconcile()
            rig.clock.advance(450)  # type: ignore[attr-defined]

    def test_what_x_has_is_not_posted_again(self, rig: Rig, x: XServer) -> None:
        on_x, waiting = rig.approved("Already on X."), rig.approved("Not yet on X.")
        seen = x.seed("Already on X.", rig.clock.now())
        self.restore_mark(rig)
        assert rig.round().guard == "restored"
        self.check_through(rig)
        assert (rig.post(on_x).state, rig.post(on_x).x_post_id) == ("posted", seen)
        assert rig.round().kind == "posted"
        assert x.accepted() == ["Not yet on X."]
        assert rig.post(waiting).state == "posted"

    def test_a_text_x_has_is_not_approved_later_either(self, rig: Rig, x: XServer) -> None:
        x.seed("Posted in the lost days.", rig.clock.now())
        self.restore_mark(rig)
        self.check_through(rig)
        with pytest.raises(AssertionError):
            rig.approved("Posted in the lost days.")

    @pytest.mark.parametrize("bad", [problem(500, "oops", "oops"), Act(body={})])
    def test_posting_waits_until_x_was_read_well(self, rig: Rig, x: XServer, bad: Act) -> None:
        rig.approved("Already on X.")
        x.seed("Already on X.", rig.clock.now())
        self.restore_mark(rig)
        x.next_read(*[bad] * 4)
        self.check_through(rig)
        assert rig.round().guard == "restored"
        self.check_through(rig)
        assert rig.round().kind == "idle"
        assert x.accepted() == []

    def test_keys_that_x_does_not_accept_stop_posting_here_too(self, rig: Rig, x: XServer) -> None:
        """Else the bot would wait without end, and nobody would hear why."""
        self.restore_mark(rig)
        x.next_read(problem(401, "Unauthorized", "Unauthorized"))
        rig.poster.reconcile()
        refusal = rig.round()
        assert refusal.guard == "kill_switch"
        assert "does not accept the keys" in refusal.reason

    def test_a_dry_run_in_between_does_not_count_as_a_look_at_x(
        self, rig: Rig, x: XServer, clock: FakeClock
    ) -> None:
        """Restored, tried without X, then back on X: what X has is still not posted again."""
        rig.approved("Of the dry run.")
        self.restore_mark(rig)
        x.seed("Already on X.", rig.clock.now())
        real = rig.publisher
        rig.publisher = DryRunPublisher(rig.db_path, clock)
        rig.restart()
        rig.poster.reconcile()
        assert rig.round().kind == "posted"
        rig.publisher = real
        rig.restart()
        post_id = rig.approved("Already on X.")
        assert rig.round().guard == "restored"
        self.check_through(rig)
        assert rig.post(post_id).state == "posted"
        assert x.accepted() == []

    def test_a_copy_from_long_ago_is_compared_with_all_that_x_shows(
        self, rig: Rig, x: XServer, clock: FakeClock
    ) -> None:
        rig.approved("Known to the copy.")
        rig.round()
        clock.advance(60)
        x.seed("Already on X.", clock.now())
        for number in range(700):
            x.seed(f"Posted in the lost days, number {number}.", clock.now())
        post_id = rig.approved("Already on X.")
        self.restore_mark(rig)
        self.check_through(rig)
        assert rig.post(post_id).x_post_id == x.posts[1].id
        assert x.accepted() == ["Known to the copy."]

    def test_a_lagging_timeline_is_waited_out(self, rig: Rig, x: XServer) -> None:
        x.lag_s = 600
        post_id = rig.approved("Already on X.")
        x.seed("Already on X.", rig.clock.now())
        self.restore_mark(rig)
        self.check_through(rig)
        assert rig.post(post_id).state == "posted"
        assert x.accepted() == []


def test_an_attempt_of_another_account_is_left_to_a_person(
    rig: Rig, x: XServer, tmp_path: Path
) -> None:
    post_id = lost(rig, x)
    rig.publisher.account = "777"  # type: ignore[misc]
    assert [done.kind for done in rig.poster.reconcile()] == ["held"]
    assert f"({USER})" in (rig.post(post_id).state_reason or "")


def test_reconciliation_is_the_same_whenever_it_is_asked_again(rig: Rig, x: XServer) -> None:
    post_id = lost(rig, x)
    rig.reconcile_until_decided()
    before = rig.attempts(post_id)
    for _ in range(3):
        assert rig.poster.reconcile() == []
        rig.restart()
    assert rig.attempts(post_id) == before
    with opened(rig.db_path) as db:
        assert attempts.unsolved(db) == []
