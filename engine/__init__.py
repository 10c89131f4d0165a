"""The engine of BTCBuzzBot: all behaviour, no screens.

Packages are rooms that a post walks through from left to right (docs/architecture.md):
``config errors clock log records settings`` <- ``store`` <- ``market`` <- ``llm`` <- ``checks``
<- ``writing`` <- ``posting`` <- ``learning`` <- ``lab`` <- ``service``.
Each may import those before it, none after; ``tests/test_architecture.py`` keeps it so.
"""

__version__ = "0.1.0"


def _load_sqlite_utils() -> None:
    """Import sqlite-utils without pandas and numpy.

    It imports both where they are installed, only to accept their types: 100 MB and half a second
    that a headless runner has no use for. Every module of the engine comes after this.
    """
    import sys

    absent = [name for name in ("pandas", "numpy") if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # makes its import fail at once
    try:
        import sqlite_utils  # noqa: F401
    finally:
        for name in absent:
            del sys.modules[name]


_load_sqlite_utils()
