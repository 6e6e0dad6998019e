"""What context remembers in files: one writer at a time, the newest content, and no warning where nothing is wrong."""

import asyncio
import logging
import os
import threading
from pathlib import Path

import pytest

from service.context.kept import Kept


class Page:
    """A book of one text."""

    def __init__(self, text: bytes = b"") -> None:
        self.text = text

    def stored(self) -> bytes:
        return self.text

    def load(self, state: bytes, /) -> None:
        self.text = state


class SlowDisk:
    """Renames wait for `go`, and how many are at work at once is noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go, self.begun = threading.Event(), threading.Event()
        self._rename = os.replace
        monkeypatch.setattr("service.context.kept.os.replace", self)

    def __call__(self, old: Path, new: Path) -> None:
        self.begun.set()
        assert self.go.wait(5)
        self._rename(old, new)


async def cancelled_in_the_thread(kept: Kept, disk: SlowDisk) -> None:
    keeping = asyncio.create_task(kept.keep())
    assert await asyncio.to_thread(disk.begun.wait, 5)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def test_what_a_cancelled_writer_left_at_work_is_waited_for_and_the_newer_content_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    page, disk = Page(b"older"), SlowDisk(monkeypatch)
    kept = Kept(tmp_path / "context", {"page": page})
    await cancelled_in_the_thread(kept, disk)
    page.text = b"newer"
    saving = asyncio.create_task(asyncio.to_thread(kept.save))
    await asyncio.sleep(0.05)
    disk.go.set()
    await saving
    assert (tmp_path / "context" / "page").read_bytes() == b"newer"
    assert [file.name for file in (tmp_path / "context").iterdir()] == ["page"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_writer_that_begins_late_does_not_write_over_what_was_read_after_it(tmp_path: Path) -> None:
    page = Page(b"older")
    kept = Kept(tmp_path, {"page": page})
    late = kept._stored()
    page.text = b"newer"
    kept.save()
    kept._write(*late)
    assert (tmp_path / "page").read_bytes() == b"newer"


async def test_a_disk_that_refuses_is_said_and_the_next_time_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page, folder = Page(b"text"), tmp_path / "context"
    folder.write_text("a file where a folder should be")
    kept = Kept(folder, {"page": page})
    await kept.keep()
    assert "cannot be kept" in caplog.text
    folder.unlink()
    await kept.keep()
    again = Page()
    Kept(folder, {"page": again}).load()
    assert again.text == b"text"
