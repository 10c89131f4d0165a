"""``doctor`` finds what is wrong and says what to do; it shows no secret and repairs nothing."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.config import X_KEYS, Config, Secret
from engine.llm.base import Health
from engine.posting import killswitch
from engine.posting.lock import HostLock
from engine.records import Facts, Snapshot
from engine.service import backup, heartbeat, schedule
from engine.service.clockwatch import ClockWatch
from engine.service.doctor import CHECKS, Check, Patient, diagnose
from engine.store import service_state, settings, snapshots
from engine.store.database import write_tx

ROOT = Path(__file__).resolve().parents[2]


class FakeModel:
    """Only its health is asked for."""

    name = "ollama:x"

    def __init__(self, ok: bool) -> None:
        self._health = Health(ok, "ready" if ok else "Nobody answers. Start it.")

    def health(self) -> Health:
        return self._health


@pytest.fixture
def patient(db_path: Path, clock: FakeClock) -> Patient:
    return Patient(
        Config(db=db_path),
        clock,
        FakeModel(True),  # type: ignore[arg-type]
        ROOT / ".streamlit" / "config.toml",
    )


@pytest.fixture
def see(patient: Patient) -> Callable[..., Check]:
    def look(name: str, **changes: object) -> Check:
        checks = {check.name: check for check in diagnose(dataclasses.replace(patient, **changes))}
        assert list(checks) == list(CHECKS)
        return checks[name]

    return look


See = Callable[..., Check]


def test_a_running_bot_is_well(
    db: Database, db_path: Path, clock: FakeClock, patient: Patient
) -> None:
    schedule.ensure_default_schedule(db, "UTC", clock.now())
    schedule.plan_slots(db, clock.now())
    snapshots.insert(
        db, Snapshot(Facts(as_of=clock.now(), price_usd=90_000.0), "live"), now=clock.now()
    )
    backup.backup(db_path, now=clock.now())
    with HostLock(db_path):
        heartbeat.beat(db, clock, 1)
        found = {check.name: check.state for check in diagnose(patient)}
    found.pop("sqlite")  # the machine's own
    assert set(found.values()) == {"ok"}, found


def test_a_missing_database_is_a_sentence_not_a_crash(patient: Patient, tmp_path: Path) -> None:
    nowhere = Config(db=tmp_path / "none" / "bot.db")
    checks = {c.name: c for c in diagnose(dataclasses.replace(patient, config=nowhere))}
    assert "runner.py migrate" in checks["database"].message
    assert checks["database"].state == "fail"
    assert not nowhere.db.exists()


def test_a_damaged_database(db_path: Path, see: See) -> None:
    db_path.write_bytes(b"\0" * 30_000)
    assert see("database").state == "fail"


def test_lock_and_heartbeat_are_read_together(
    db: Database, db_path: Path, clock: FakeClock, see: See
) -> None:
    assert see("lock").state == "warn"  # nobody there
    with HostLock(db_path):
        assert "hangs" in see("lock").message
        heartbeat.beat(db, clock, 1)
        assert see("lock").state == "ok"
    assert see("lock").state == "fail"  # alive without its lock


def test_a_clock_that_jumped(db_path: Path, clock: FakeClock, see: See) -> None:
    ClockWatch(clock, db_path).check()
    assert see("clock").state == "ok"
    clock.set_wall(clock.now() + timedelta(days=2))
    assert see("clock").state == "fail"


def test_little_space_and_open_files(
    db: Database, db_path: Path, clock: FakeClock, see: See
) -> None:
    settings.put(db, "service.min_free_mb", 1_000_000, actor="test", now=clock.now())
    assert see("disk").state == "fail"
    db_path.chmod(0o644)
    assert "chmod 600" in see("file modes").message


def test_missing_keys_are_named_and_set_ones_never_shown(db_path: Path, see: See) -> None:
    keys = {key: Secret("canary-4711") for key in X_KEYS}
    config = Config(db=db_path, publisher="x", x_keys=keys)
    assert see("keys", config=config).state == "ok"
    assert "canary" not in see("keys", config=config).message
    half = Config(db=db_path, publisher="x", x_keys={X_KEYS[0]: Secret("canary-4711")})
    found = see("keys", config=half)
    assert found.state == "fail"
    assert X_KEYS[3] in found.message
    assert X_KEYS[0] + "," not in found.message


def test_a_rewritten_audit_trail(db: Database, db_path: Path, clock: FakeClock, see: See) -> None:
    killswitch.stop(db_path, actor="operator", reason="tea", now=clock.now())
    assert see("audit").state == "ok"
    assert "tea" in see("posting").message
    triggers = db.conn.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
    ).fetchall()
    for (name,) in triggers:
        db.conn.execute(f'DROP TRIGGER "{name}"')
    with write_tx(db):
        db.conn.execute("UPDATE audit SET actor = 'nobody'")
    assert see("audit").state == "fail"


def test_a_model_that_does_not_answer(see: See) -> None:
    assert see("model", model=FakeModel(False)).state == "fail"
    assert "Start it" in see("model", model=FakeModel(False)).message
    assert see("model", model=None).state == "warn"


def test_an_ollama_open_to_the_network(db_path: Path, see: See) -> None:
    with socket.socket() as private, socket.socket() as public:
        private.bind(("127.0.0.1", 0))
        private.listen()
        public.bind(("0.0.0.0", 0))  # noqa: S104  the very thing to be found
        public.listen()

        def asked(port: int, host: str = "127.0.0.1") -> Check:
            config = Config(db=db_path, llm="ollama", ollama_url=f"http://{host}:{port}")
            return see("ollama", config=config)

        assert asked(private.getsockname()[1]).state == "ok"
        assert asked(public.getsockname()[1]).state == "warn"
        assert asked(11434, "192.0.2.7").state == "warn"


def test_slots_zones_feeds_and_backups_that_are_missing(
    db: Database, db_path: Path, clock: FakeClock, see: See
) -> None:
    assert "No schedule" in see("next slot").message
    schedule.ensure_default_schedule(db, "Asia/Tokyo", clock.now())
    assert "plans them" in see("next slot").message
    assert "Asia/Tokyo" in see("time zones").message
    with write_tx(db):
        db.conn.execute("UPDATE schedules SET zone = 'Mars/Olympus'")
    assert see("time zones").state == "fail"
    assert see("feeds").state == "warn"
    assert see("backups").state == "warn"
    backup.backup(db_path, now=clock.now())
    assert see("backups").state == "ok"
    clock.advance(3 * 86_400)
    assert "72 h old" in see("backups").message


def test_a_restored_database_says_that_it_compares_with_x_where_posts_go_there(
    db: Database, db_path: Path, clock: FakeClock, see: See
) -> None:
    service_state.put(db, service_state.RECONCILE_REQUIRED, "it is old", clock.now())
    found = see("posting", config=Config(db=db_path, publisher="x"))
    assert "to X compares with it first, because it is old" in found.message
    assert see("posting").state == "ok"  # a dry run


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("", "fail"),
        ("[server", "fail"),
        ('[server]\naddress = "0.0.0.0"\nallowedHosts = ["x"]\n', "fail"),
        (
            '[server]\naddress = "127.0.0.1"\nallowedHosts = ["localhost"]\n'
            '[client]\nshowErrorDetails = "none"\n',
            "ok",
        ),
    ],
)
def test_a_console_open_to_others(tmp_path: Path, see: See, text: str, state: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    assert see("console", streamlit_config=file).state == state
    assert see("console", streamlit_config=tmp_path / "none.toml").state == "warn"
