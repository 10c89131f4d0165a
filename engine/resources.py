"""Where the files shipped in ``data/`` are: beside the checkout's packages, or in an installed wheel."""

from __future__ import annotations

from pathlib import Path

from engine.errors import UsageError

_ROOT = Path(__file__).resolve().parents[1]

# A wheel carries data/ as the package btcbuzz_data beside engine/. It is looked at first, because
# somebody else's package may have put a folder named data into site-packages.
_FOLDERS = (_ROOT / "btcbuzz_data", _ROOT / "data")


def data_path(name: str) -> Path:
    """The shipped file or folder ``data/NAME``.

    Raises: UsageError if this installation lacks it.
    """
    for folder in _FOLDERS:
        if (folder / name).exists():
            return folder / name
    raise UsageError(f"data/{name} is missing from this installation. Install BTCBuzzBot again.")


def front_door() -> Path:
    """The console's entry script; its folder holds ``pages/``."""
    return _first(_ROOT / "streamlit_app.py", _ROOT / "btcbuzz_app" / "streamlit_app.py")


def streamlit_config() -> Path:
    """The shipped configuration of Streamlit."""
    return _first(_ROOT / "btcbuzz_streamlit" / "config.toml", _ROOT / ".streamlit" / "config.toml")


def _first(*files: Path) -> Path:
    for file in files:
        if file.exists():
            return file
    raise UsageError(f"{files[0].name} is missing from this installation. Install it again.")
