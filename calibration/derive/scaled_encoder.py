"""Estimating a larger encoder on a server's cores from a smaller one measured on one core."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.profile.document import ProfileDocument, Provenance
from simcore.profile.embedding import EmbeddingProfile


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """What decides an encoder's FLOPs: its layers and their width."""

    name: str
    layers: int
    hidden: int

    @property
    def flops_per_token(self) -> float:
        """Multiply-adds of the dense layers: 12 hidden^2 weights a layer."""
        return 2.0 * self.layers * 12 * self.hidden**2

    @property
    def flops_per_pair(self) -> float:
        """Multiply-adds per query-key pair of attention: scores and weighted values."""
        return 4.0 * self.layers * self.hidden


MINILM = EncoderShape("all-MiniLM-L6-v2", 6, 384)
BERT_LARGE = EncoderShape("bert-large-uncased", 24, 1024)


def scale(
    measured: ProfileDocument,
    name: str,
    small: EncoderShape,
    large: EncoderShape,
    cores: int,
    efficiency: float,
) -> ProfileDocument:
    """``large`` on ``cores`` cores, each ``efficiency`` as fast as the one that ``small`` was measured on.

    Times per token scale with the dense FLOPs, times per pair with attention's; nothing here was measured.
    """
    part = measured.embedding
    if part is None:
        raise ValueError(f"profile {measured.name!r} has no embedding model")
    times = part.embed_time
    speed = cores * efficiency
    dense = large.flops_per_token / small.flops_per_token / speed
    pairs = large.flops_per_pair / small.flops_per_pair / speed
    estimate = times.model_copy(
        update={
            "constant": times.constant * large.layers / small.layers,
            "text": times.text * dense,
            "padded": times.padded * dense,
            "attention": times.attention * pairs,
        }
    )
    return ProfileDocument(
        schema_version=2,
        name=name,
        description=f"{large.name} on {cores} CPU cores, scaled from {small.name} measured on one",
        provenance=Provenance(
            how="estimated",
            source=f"FLOP ratio to profile {measured.name} ({measured.digest[:19]})",
            date=measured.provenance.date,
            notes=[f"{cores} cores at {efficiency:.0%} of the measured core's speed each; not measured."],
        ),
        hardware={"device": "cpu", "cores": cores},
        software={},
        embedding=EmbeddingProfile(
            model=large.name,
            threads=cores,
            embed_time=estimate,
            residuals=part.residuals,
            overheads=part.overheads,
            batch_range=part.batch_range,
            length_range=part.length_range,
            fit={},
        ),
    )
