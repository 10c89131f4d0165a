"""Posting: queue, publishers, protocol, reconciliation, budget."""
