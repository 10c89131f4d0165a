"""BTCBuzzBot's service: ``python runner.py COMMAND`` (see ``python runner.py --help``)."""

from __future__ import annotations

import sys

try:
    from engine.service.cli import main
except ImportError as error:
    sys.exit(
        f"error: {error} for {sys.executable}. Run `make setup`, then `. .venv/bin/activate` "
        "(or `.venv/bin/python runner.py ...`); Python 3.11 or newer is needed."
    )

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
