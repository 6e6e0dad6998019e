"""Addresses as people may see them. The only place that knows which part of one may be a secret."""

MASK = "***"


def mask(text: str) -> str:
    """A text whose URL, if it is one, has lost everything before its host and everything behind a `?`."""
    scheme, sep, rest = text.partition("://")
    if not sep:
        return text
    query, at = rest.find("?"), rest.rfind("@")
    if 0 <= query < at:
        return f"{scheme}://{MASK}"  # nobody can say where such a password ends
    host, question, _ = rest[at + 1 :].partition("?")
    user = f"{MASK}@" if at >= 0 else ""
    return f"{scheme}://{user}{host}{'?' + MASK if question else ''}"
