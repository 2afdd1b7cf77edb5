"""Policies: ordering, routing and admission, found by name."""
