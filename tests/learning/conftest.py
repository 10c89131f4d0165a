"""What the tests of learning share with those of faults: an X over HTTP, and a bot that posts."""

from tests.faults.conftest import rig, x

__all__ = ["rig", "x"]
