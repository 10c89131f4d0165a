"""Signatures as X checks them: OAuth 1.0a, HMAC-SHA1, by RFC 5849 and not by the library under
test."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlsplit


def holds(header: str, method: str, url: str, keys: Mapping[str, str]) -> bool:
    """Whether the Authorization ``header`` signs this call; ``keys`` as in the environment."""
    if not header.startswith("OAuth "):
        return False
    fields = {name: unquote(value) for name, value in re.findall(r'(oauth_\w+)="([^"]*)"', header)}
    signature = fields.pop("oauth_signature", "")
    if fields.get("oauth_consumer_key") != keys["X_API_KEY"]:
        return False
    if fields.get("oauth_token") != keys["X_ACCESS_TOKEN"]:
        return False
    parts = urlsplit(url)
    pairs = [*fields.items(), *parse_qsl(parts.query, keep_blank_values=True)]
    encoded = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in pairs)
    joined = "&".join(f"{name}={value}" for name, value in encoded)
    address = f"{parts.scheme}://{parts.netloc}{parts.path}"
    base = "&".join(quote(part, safe="~") for part in (method, address, joined))
    key = "&".join(
        quote(keys[name], safe="~") for name in ("X_API_SECRET", "X_ACCESS_TOKEN_SECRET")
    )
    wanted = b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()
    return hmac.compare_digest(wanted, signature)
