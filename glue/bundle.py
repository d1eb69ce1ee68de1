"""Makes each Glue job one file: its script with the modules of `penstock_job` that it imports.

A Glue job is one script, and `sam deploy` uploads exactly that. A library beside it would have to
be uploaded apart, to a fixed place, and a running job could get hold of another version of it than
its own. In one file, a job and its library are always of one version.

    python glue/bundle.py [FOLDER]

Without a folder it writes glue/bundles, which is committed: SAM uploads files, it makes none.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
BUNDLES = HERE / "bundles"
LIBRARY = "penstock_job"
SCRIPTS = (
    "python_shell/extract.py",
    "python_shell/extract_tables.py",
    "python_shell/transform.py",
    "python_shell/load.py",
    "spark/extract_tables.py",
    "spark/transform.py",
    "spark/load.py",
)
FUTURE = "from __future__ import annotations\n"

LOADER = '''
import importlib.abc
import importlib.machinery
import sys


class _Library(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports the modules that this file holds as texts."""

    def find_spec(self, name, path=None, target=None):
        if name not in _MODULES:
            return None
        spec = importlib.machinery.ModuleSpec(name, self, is_package=self.is_package(name))
        spec.origin = f"{name} in {sys.argv[0]}"
        return spec

    def is_package(self, name):
        return any(other.startswith(name + ".") for other in _MODULES)

    def get_source(self, name):
        return _MODULES[name]

    def get_code(self, name):
        return self.source_to_code(_MODULES[name], name.replace(".", "/") + ".py")


sys.meta_path.insert(0, _Library())
'''


def bundle(script: Path) -> str:
    """One script with its part of the library, as the text of one file."""
    source = script.read_text()
    docstring = ast.get_docstring(ast.parse(source), clean=False) or ""
    origin = script.relative_to(HERE.parent)
    note = f"Made by glue/bundle.py from {origin} and glue/{LIBRARY}: change those, not this.\n"
    modules = "".join(
        f"    {name!r}: (\n{_text(text)}    ),\n" for name, text in sorted(_needed(source).items())
    )
    body = source.split('"""', 2)[2].replace(FUTURE, "", 1)
    return (
        f'"""{docstring.rstrip()}\n\n{note}"""\n\n{FUTURE}\n'
        f"_MODULES = {{\n{modules}}}\n{LOADER}\n# {'-' * 30} {origin}\n{body}"
    )


def main(argv: Sequence[str]) -> None:
    """Write all bundles to the folder that is named, or to the committed one."""
    target = Path(argv[0]) if argv else BUNDLES
    for name in SCRIPTS:
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(bundle(HERE / name))


def _needed(source: str) -> dict[str, str]:
    """The modules of the library that a source imports, and those that they import."""
    found: dict[str, str] = {}
    waiting = {LIBRARY, *_imports(source)}
    while waiting:
        name = waiting.pop()
        text = _module(name).read_text()
        found[name] = text
        waiting |= _imports(text) - set(found)
    return found


def _imports(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == LIBRARY:
                found |= {f"{LIBRARY}.{alias.name}" for alias in node.names}
            elif node.module.startswith(LIBRARY + "."):
                found.add(node.module)
    return found


def _module(name: str) -> Path:
    path = HERE.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _text(text: str) -> str:
    """A text as Python literals, a line each, so that the bundle can be read."""
    return (
        "".join(f"        {line!r}\n" for line in text.splitlines(keepends=True)) or "        ''\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
