"""Checks that judge a text; each answers findings, an error is never a pass (verdict.py runs all)."""
