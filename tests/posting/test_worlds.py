"""Only live data becomes public: sample, replayed and hand-made facts stay on this machine."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.posting.dry_run import DryRunPublisher
from engine.posting.lock import HostLock
from engine.posting.protocol import Poster
from engine.posting.x import XPublisher
from engine.store import posts
from engine.store.database import opened
from tests.faults.rig import QUICK, add_approved, put_settings, x_config


class Public(DryRunPublisher):
    """Sends nowhere, but says that everybody would read it."""

    public = True


@pytest.mark.parametrize("world", ["sample", "replay"])
@pytest.mark.parametrize(("kind", "state"), [(Public, "rejected"), (DryRunPublisher, "posted")])
def test_made_up_data_goes_to_private_publishers_alone(
    db_path: Path, clock: FakeClock, world: str, kind: type[DryRunPublisher], state: str
) -> None:
    put_settings(db_path, clock.now(), **QUICK)
    post_id = add_approved(db_path, clock.now(), "A block walks into a chain.", world=world)
    with HostLock(db_path) as lock:
        poster = Poster(db_path, kind(db_path, clock), clock, lock, rng=random.Random(1))
        poster.recover()
        poster.post_next()
    with opened(db_path) as db:
        post = posts.need(db, post_id)
    assert post.state == state
    if state == "rejected":
        assert "never becomes public" in (post.state_reason or "")


def test_x_on_loopback_is_private_and_its_own_hosts_are_public(db_path: Path) -> None:
    config = x_config("http://127.0.0.1:1", db_path)
    assert not XPublisher(config).public
    assert XPublisher(replace(config, x_url="https://api.x.com")).public
