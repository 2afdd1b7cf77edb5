"""worker: a gateway as a JSON file says, until the process is ended; run by `GatewayProcess`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from simcore.profile.load import parse_profile
from simcore.scenario.document import ScenarioDocument
from validate.gateway.run import gateway_of
from validate.gateway.serve import allow_many_connections, listening, serve
from validate.gateway.settings import GatewaySettings
from validate.live.plane import Address


def main(settings: GatewaySettings) -> None:
    """Serve on 127.0.0.1 until the process is told to end."""
    told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    scenario = ScenarioDocument.model_validate(told["scenario"], strict=False)
    profiles = {name: parse_profile(text, name) for name, text in told["profiles"].items()}
    addresses = {name: Address(*address) for name, address in told["addresses"].items()}

    allow_many_connections()
    asyncio.run(
        serve(
            lambda: gateway_of(scenario, profiles, addresses, settings),
            listening("127.0.0.1", told["port"]),
            lambda url: None,
        )
    )


if __name__ == "__main__":
    # Requests time out by their clients, not here.
    main(GatewaySettings())
