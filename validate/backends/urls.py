"""URLs of servers that are given on the command line: checked, asked, and shown without their password."""

from __future__ import annotations

import base64
import urllib.request
from urllib.parse import unquote, urlsplit

from simcore.errors import BadInput, Fault

ALLOWED = "http://HOST:PORT or https://..., of characters that are printed"


def base_of(url: str, option: str) -> str:
    """What paths like ``/v1/models`` are appended to, of a URL with or without ``/v1``. Raises BadInput."""
    try:
        parts = urlsplit(url)
        well = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well = False
    # urlsplit leaves some control characters out.
    well = well and not set("?#\\") & set(url)
    if not well or not url.isascii() or not url.isprintable() or " " in url:
        raise BadInput([Fault(option, 0, "", repr(shown(url)), ALLOWED)])
    return url.rstrip("/").removesuffix("/v1")


def shown(url: str) -> str:
    """The URL without user, password and query."""
    scheme, separator, rest = url.partition("?")[0].partition("#")[0].rpartition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def asking(url: str) -> urllib.request.Request:
    """A request of the URL, with its user and password where HTTP has them."""
    parts = urlsplit(url)
    request = urllib.request.Request(shown(url))  # noqa: S310
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", f"Basic {base64.b64encode(credentials.encode()).decode()}")
    return request
