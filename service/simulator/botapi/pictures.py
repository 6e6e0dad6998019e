"""Photos: what may be uploaded as one, the sizes it is kept in, the ids it can be sent by again. Looks at no pixel."""

import base64
import hashlib
import struct

from service.model import Record
from service.simulator.botapi.answers import Refusal, bad

PHOTO_BYTES = 10_000_000
_SIDES = 10_000
_RATIO = 20
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
#: Longest side of the sizes below the full one, by the letter they end in.
_SIZES = {"s": 90, "m": 320, "x": 800}
_FULL = 1_280
#: What we take a JPEG for: its frame header stands somewhere inside.
_UNKNOWN = (1_280, 720)


class Picture(Record, frozen=True, kw_only=True):
    """One photo, the same for the same bytes."""

    content: bytes
    width: int
    """Pixels, as uploaded."""
    height: int
    key: str

    def sizes(self) -> list[dict[str, object]]:
        """As a Message tells them, the largest last."""
        longest = max(self.width, self.height)
        full = min(longest, _FULL)
        sides = {letter: side for letter, side in _SIZES.items() if side < full} | {"y": full}
        return [
            {
                "file_id": f"AgAC{self.key}{letter}",
                "file_unique_id": f"AQAD{self.key[:12]}{letter}",
                "width": max(1, self.width * side // longest),
                "height": max(1, self.height * side // longest),
                "file_size": max(1, len(self.content) * side // longest),
            }
            for letter, side in sides.items()
        ]


class Album:
    """Every photo ever uploaded."""

    def __init__(self) -> None:
        self._kept: dict[str, Picture] = {}

    def upload(self, content: bytes) -> Picture:
        """Keep a photo. Raises a 400 when it is none, 413 when it is too large."""
        if len(content) > PHOTO_BYTES:
            raise Refusal(413, "Request Entity Too Large")
        if not content:
            raise bad("file must be non-empty")
        width, height = _measure(content)
        if width + height > _SIDES or max(width, height) > _RATIO * min(width, height):
            raise bad("PHOTO_INVALID_DIMENSIONS")
        key = base64.urlsafe_b64encode(hashlib.sha256(content).digest()[:24]).decode()
        picture = Picture(content=content, width=width, height=height, key=key)
        return self._kept.setdefault(key, picture)

    def find(self, file_id: str) -> Picture:
        """The photo of a file id, of whatever size. Raises a 400 for an id nobody was given."""
        picture = self._kept.get(file_id.removeprefix("AgAC")[:-1])
        if picture is None or not file_id.startswith("AgAC"):
            raise bad("wrong file identifier/HTTP URL specified")
        return picture


def _measure(content: bytes) -> tuple[int, int]:
    if content.startswith(_PNG) and len(content) >= 24:  # noqa: PLR2004  # signature, length, IHDR, two numbers
        width, height = struct.unpack(">II", content[16:24])
        if width and height:
            return width, height
    if content.startswith(_JPEG):
        return _UNKNOWN
    raise bad("IMAGE_PROCESS_FAILED")
