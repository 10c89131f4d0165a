"""BTCBuzzBot's service: ``python runner.py COMMAND`` (see ``python runner.py --help``)."""

from __future__ import annotations

import sys

from engine.service.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
