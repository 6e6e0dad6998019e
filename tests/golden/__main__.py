"""Write the words of every golden text anew, and the messages of `tests/notices.py`."""

from tests import notices
from tests.golden import FILES, page

PAGES = {
    **{path: page(path) for path in FILES},
    **{notices.file(name): notices.page(name) for name in notices.MESSAGES},
}
for path, fresh in PAGES.items():
    if not path.is_file() or path.read_text(encoding="utf-8") != fresh:
        path.write_text(fresh, encoding="utf-8")
        print(f"{path.name} is written anew")
