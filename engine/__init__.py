"""The engine of BTCBuzzBot: all behaviour, no screens.

Packages are rooms that a post walks through from left to right (docs/architecture.md):
``config errors clock log records settings`` <- ``store`` <- ``market`` <- ``llm`` <- ``checks``
<- ``writing`` <- ``posting`` <- ``learning`` <- ``lab`` <- ``service``.
Each may import those before it, none after; ``tests/test_architecture.py`` keeps it so.
"""

__version__ = "0.1.0"
