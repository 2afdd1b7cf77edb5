"""The token bucket: how little a bucket may lack of a request."""

from __future__ import annotations

import pytest

from simcore.policies.admission.token_bucket import ROUNDING
from simcore.policies.registry import make_admission
from tests.unit.policy_support import request, settings_of


@pytest.mark.parametrize(("lack", "admitted"), [(0.0, True), (ROUNDING, True), (2 * ROUNDING, False)])
def test_a_bucket_may_lack_a_rounding_error_of_a_request_and_no_more(lack: float, admitted: bool) -> None:
    bucket = make_admission("token_bucket", settings_of(rate=1.0 - lack, burst=1.0))
    assert bucket.admits(request(0), 0, 0.0)
    assert bucket.admits(request(1), 0, 1.0) is admitted
