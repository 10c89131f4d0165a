"""The REST API under ``/api/v1``: FastAPI, hosted by the runner (``run --api``); docs/api.md."""
