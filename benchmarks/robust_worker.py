"""A gateway's process with few file descriptors and little patience, for `robust_gateway`."""

from __future__ import annotations

import resource

from validate.gateway.settings import GatewaySettings
from validate.gateway.worker import main

FILES = 256

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    main(GatewaySettings(timeout=4.0, idle_timeout=2.0, send_timeout=2.0))
