"""The token bucket: what it has to hold, and how little it may lack of a request."""

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


@pytest.mark.parametrize(("rate", "burst"), [(None, 5.0), (2.0, None), (2.0, 0.5)])
def test_a_token_bucket_without_a_rate_or_a_whole_request_in_it_is_refused(
    rate: float | None, burst: float | None
) -> None:
    with pytest.raises(ValueError, match="token_bucket needs a rate"):
        make_admission("token_bucket", settings_of(rate=rate, burst=burst))
