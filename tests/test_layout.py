"""The house is built as its plan says: what belongs together is there together, and nothing is larger than it should be."""

import argparse
import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

import service
from service import metrics
from service.venues import VENUES

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "service"
MODULES = sorted(HOUSE.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {contract["name"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
MODULE_LINES = 250
FUNCTION_LINES = 40
#: Where a broad `except` may stand: what a stranger sends or does must not end these loops.
BROAD = ("bot", "feed", "sinks")


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def rooms() -> set[str]:
    inside = {path.stem for path in HOUSE.glob("*.py")} | {path.parent.name for path in HOUSE.glob("*/__init__.py")}
    return inside - {"__init__"}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_service_is_this_checkout() -> None:
    assert Path(service.__file__).resolve().is_relative_to(ROOT), "tests must not run on an installed copy"


@pytest.mark.parametrize("venue", VENUES)
def test_venue_is_complete(venue: str) -> None:
    assert (HOUSE / "venues" / f"{venue}.py").is_file()
    assert (HOUSE / "simulator" / "venues" / f"{venue}.py").is_file(), "a venue nobody can rehearse"
    assert (ROOT / f"tests/fixtures/venues/{venue}.jsonl").is_file()
    table = text_of("service/venues/README.md").lower()
    assert re.search(rf"^\| *`?{venue}\b", table, re.MULTILINE), (
        "no line in the truth table of service/venues/README.md"
    )


def test_no_venue_file_without_a_row() -> None:
    files = {path.stem for path in (HOUSE / "venues").glob("*.py")} - {"__init__", "forceorder"}
    fixtures = {path.stem for path in (ROOT / "tests/fixtures/venues").glob("*.jsonl")}
    assert files == set(VENUES)
    assert fixtures == set(VENUES)


def test_every_metric_has_its_sentence_in_the_readme() -> None:
    text = text_of("grafana/README.md")
    ours = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    wanted = []
    for metric in ours:
        family = next(iter(metric.describe()))
        name = family.name + ("_total" if family.type == "counter" else "")
        wanted.append(f"| `{name}` | {', '.join(metric._labelnames)} | {family.documentation} |")
    missing = [row for row in wanted if row not in text]
    assert not missing, "add to the table in grafana/README.md:\n" + "\n".join(missing)
    assert text.count("| `cascade_") == len(wanted), "grafana/README.md explains a metric that is gone"


def test_every_room_has_a_layer_and_a_line_on_the_map() -> None:
    layers = CONTRACTS["Every room has a layer and imports only from below"]["layers"]
    listed = {name.strip(" ()") for layer in layers for name in layer.split("|")}
    assert rooms() - listed == set(), "add it to the layers in pyproject.toml"
    assert listed - rooms() == set(), "a layer without a room in pyproject.toml"
    on_the_map = set(re.findall(r"`(\w+)/?`", text_of("service/README.md")))
    unseen = rooms() - on_the_map - {"__main__", "metrics", "clock", "bell"}
    assert not unseen, "service/README.md does not name it"


def test_readme_tells_every_command() -> None:
    from service.cli import _parser  # noqa: PLC0415  # the command line imports every room

    parser = _parser()
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction)).choices
    text = text_of("README.md")
    missing = [name for name in commands if not re.search(rf"`{name}\b", text)]
    assert not missing, "README.md does not tell what these commands do"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_is_small_and_says_what_it_owns(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert len(source.splitlines()) <= MODULE_LINES
    assert ast.get_docstring(tree)
    long = {function.name: length(function) for function in functions(tree) if length(function) > FUNCTION_LINES}
    assert not long, f"longer than {FUNCTION_LINES} lines"


def tidies_up(handler: ast.ExceptHandler) -> bool:
    """Whether it lets go of something and raises the same error again: nothing is swallowed."""
    end = handler.body[-1]
    return isinstance(end, ast.Raise) and end.exc is None


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_caught_broadly(path: Path) -> None:
    if path.relative_to(HOUSE).parts[0].removesuffix(".py") in BROAD:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler) and not tidies_up(node):
            caught = ast.unparse(node.type) if node.type else "everything"
            broad = re.search(r"\b(Exception|BaseException|everything)\b", caught)
            assert not broad, f"line {node.lineno} catches {caught}"


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


#: An absolute path on somebody's machine; the image's own two folders are no machine's.
MACHINE = re.compile(
    r"(?<![\w.:/$}~*-])/(?:home|Users|root|work|mnt|media|opt|srv|scratch)/(?!cascade\b)[\w.-]+|\b[A-Z]:\\Users\b"
)
#: Which index packages come from is the reader's business.
REGISTRY = re.compile(r"\b(?:pypi|pythonhosted|npmjs)\.(?:org|com)\b|--(?:extra-)?index-url\b")


@pytest.mark.parametrize(
    ("parts", "named"),
    [("home/me/x", True), ("opt/tool", True), ("srv/cascade/data", False), ("etc/x", False), ("data/work/x", False)],
)
def test_the_rule_knows_a_machine(parts: str, named: bool) -> None:
    assert bool(MACHINE.search(f"in /{parts} it lies")) is named
    assert not MACHINE.search(f"https://example.org/{parts}")


def test_nothing_names_a_machine_or_a_registry() -> None:
    found = [
        f"{name_of(path)}: {word[0]}"
        for path in tracked()
        if path.suffix not in {".gz", ".parquet", ".png"}
        for rule in (MACHINE, REGISTRY)
        for word in rule.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not found


def test_nothing_large_is_tracked() -> None:
    large = {name_of(path): path.stat().st_size for path in tracked() if path.stat().st_size > 400_000}
    assert not large


#: The first is in all of them, the last holds all.
LISTS = ("requirements.txt", "requirements-telegram.txt", "requirements-board.txt", "requirements-dev.txt")


def names(path: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+)==", text_of(path), re.MULTILINE))


def canonical(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=;! ]", requirement, maxsplit=1)[0]).lower()


def test_every_import_is_declared() -> None:
    """What happens to be installed here is not what a user gets."""
    project = PROJECT["project"]
    extras = [item for items in project["optional-dependencies"].values() for item in items]
    declared = {canonical(item) for item in [*project["dependencies"], *extras]}
    homes = importlib.metadata.packages_distributions()
    used: dict[str, str] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            heads = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            heads += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            heads += re.findall(r"(?:files|find_spec|import_module)\('(\w+)'\)", ast.unparse(node))
            used |= {head.partition(".")[0]: name_of(path) for head in heads}
    strangers = {name: path for name, path in used.items() if name not in sys.stdlib_module_names | {"service"}}
    missing = {
        name: path for name, path in strangers.items() if not declared & {canonical(d) for d in homes.get(name, [])}
    }
    assert not missing, "not among the dependencies in pyproject.toml"


def test_lists_pin_every_dependency_with_hashes() -> None:
    groups = PROJECT["dependency-groups"]
    runtime = {canonical(item) for item in PROJECT["project"]["dependencies"] + groups["build"]}
    dev = runtime | {canonical(item) for item in groups["dev"]}
    telegram = runtime | {canonical(item) for item in PROJECT["project"]["optional-dependencies"]["telegram"]}
    assert runtime <= names("requirements.txt"), "run: make lock"
    assert telegram <= names("requirements-telegram.txt"), "run: make lock"
    board = runtime | {canonical(item) for item in PROJECT["project"]["optional-dependencies"]["board"]}
    assert board <= names("requirements-board.txt"), "run: make lock"
    assert dev <= names("requirements-dev.txt"), "run: make lock"
    for path in LISTS:
        text = text_of(path)
        blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in block for block in blocks)
        assert "://" not in text


def test_all_lists_pin_the_same_versions() -> None:
    pins = [dict(re.findall(r"^([\w.-]+)==(\S+)", text_of(path), re.MULTILINE)) for path in LISTS]
    assert all(pins[0].items() <= some.items() <= pins[-1].items() for some in pins)
