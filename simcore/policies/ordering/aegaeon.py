"""SAGE's ``aegaeon``, after Xiang et al., "Aegaeon: Effective GPU Pooling for Concurrent LLM Serving
on the Market", SOSP 2025.
"""

from __future__ import annotations

from simcore.policies.ordering.heap_ordering import HeapOrdering


class Aegaeon(HeapOrdering):
    """Prefill groups, first come first served within a group and among groups.

    Groups are filled in order of arrival with up to 8 requests of one model. A lane serves one model, so
    its groups one after the other are the order of arrival; what a group changes is the choice of the
    instance, in ``routing/aegaeon.py``. The quota of a decode round divides an instance among the several
    models that it hosts and is left out, since a replica here hosts one.
    """
