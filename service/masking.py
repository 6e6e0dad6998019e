"""Addresses as people may see them. The only place that knows which part of one may be a secret."""

import re

MASK = "***"


def mask(text: str) -> str:
    """A text whose URL, if it is one, has lost everything before its host and everything behind a `?` or `#`."""
    scheme, sep, rest = text.partition("://")
    if not sep:
        return text
    at = rest.rfind("@")
    if re.search("[?#]", rest[: max(at, 0)]):
        return f"{scheme}://{MASK}"  # nobody can say where such a password ends
    host, *tail = re.split("[?#]", rest[at + 1 :], maxsplit=1)
    user = f"{MASK}@" if at >= 0 else ""
    return f"{scheme}://{user}{host}{'?' + MASK if tail else ''}"
