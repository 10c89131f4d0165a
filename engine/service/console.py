"""Starting the console beside the runner: from a checkout, or from an installed wheel."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.resources import front_door, streamlit_config


@dataclass(frozen=True)
class Start:
    """A process to start: arguments, folder, environment."""

    command: list[str]
    folder: Path
    environ: dict[str, str]


def start(db_path: Path, port: int, environ: Mapping[str, str] = os.environ) -> Start:
    """How to start the console on ``db_path``.

    Streamlit reads its configuration from the folder it is started in, so an installed wheel gets
    one beside the database, holding a copy of the shipped configuration.
    """
    door, config = front_door(), streamlit_config()
    folder = door.parent
    if config != folder / ".streamlit" / "config.toml":
        folder = db_path.resolve().parent / "console"
        (folder / ".streamlit").mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(config, folder / ".streamlit" / "config.toml")
    return Start(
        [
            sys.executable, "-m", "streamlit", "run", str(door),
            "--server.port", str(port), "--server.headless", "true",
        ],
        folder,
        {**environ, "BTCBUZZ_DB": str(db_path.resolve())},
    )  # fmt: skip
