"""Write the words of every golden text anew."""

from tests.golden import FILES, page

for path in FILES:
    fresh = page(path)
    if path.read_text(encoding="utf-8") != fresh:
        path.write_text(fresh, encoding="utf-8")
        print(f"{path.name} is written anew")
