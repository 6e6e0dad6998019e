"""What came over the wire as text: some venues gzip every frame inside the WebSocket message. Knows no meaning."""

import zlib

_MAGIC = b"\x1f\x8b"
#: zlib's word for "a gzip header is expected".
_GZIP = 31


def unzipped(frame: bytes, most: int) -> bytes:
    """The content of a gzipped frame, cut one byte behind `most`; any other frame, or a broken one, as it came."""
    if not frame.startswith(_MAGIC):
        return frame
    try:
        return zlib.decompressobj(_GZIP).decompress(frame, most + 1) or frame
    except zlib.error:
        return frame


def text_of(frame: bytes) -> str | bytes:
    """Text where the bytes are UTF-8: websockets would end the connection for one that is not; here it is one frame."""
    try:
        return frame.decode()
    except UnicodeDecodeError:
        return frame
