"""A small real FAISS index, measured."""

from __future__ import annotations

import pytest

from calibration.campaign import Campaign
from calibration.cores import choose_cores
from calibration.fits.retrieval import retrieval
from calibration.probes import retrieval as probe
from calibration.store import Store
from simcore.profile.retrieval import RetrievalProfile
from tests.live.needs import needs

pytestmark = needs(("faiss",), "the vector index")

SMALL = probe.IndexDesign("IVF32,Flat", "nprobe=8", 10_000, 64)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    folder = tmp_path_factory.mktemp("retrieval")
    store = Store(folder / "points.jsonl", {})
    measured = Campaign("cpu", choose_cores("cpu"), store, folder, lambda what, part: None, 2, tries=1)
    probe.probe_retrieval(measured, SMALL, (0.0, 1.0))
    return measured


@pytest.fixture(scope="module")
def profile(campaign: Campaign) -> RetrievalProfile:
    return retrieval(campaign)


def test_the_index_says_what_it_is_and_searches_with_one_thread(
    campaign: Campaign, profile: RetrievalProfile
) -> None:
    assert (profile.index, profile.vectors, profile.dimension) == ("IVF32,Flat, nprobe=8", 10_000, 64)
    about = [record["index"] for record in campaign.records("retrieval") if "index" in record]
    assert [index["threads"] for index in about] == [1, 1]


def test_times_are_positive_and_look_ups_on_one_core_slow_each_other_down(profile: RetrievalProfile) -> None:
    assert 1e-6 < profile.search_time.constant < 0.1
    slowdowns = dict(profile.concurrency)
    assert slowdowns[1] == 1.0
    assert slowdowns[2] > 1.3
    assert slowdowns[16] > slowdowns[4] > slowdowns[2]


def test_unseen_ks_are_judged(profile: RetrievalProfile) -> None:
    assert profile.fit["alone"].held_out == len(probe.UNSEEN_KS)
    assert profile.fit["alone"].median_abs_error < 0.35


def test_a_second_start_measures_nothing_anew(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "start_retrieval", None)
    probe.probe_retrieval(campaign, SMALL, (0.0, 1.0))
