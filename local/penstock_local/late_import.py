"""Repairs of modules that are too slow to import before the port answers.

ministack's CloudFormation takes two seconds to import. Its repairs wait for the import, which the
launcher makes in the background as soon as it serves: so they are still checked at every start.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

Repair = Callable[[ModuleType], None]


def after_import(name: str, repair: Repair) -> None:
    """Call `repair(module)` once the module is imported; at once when it already is."""
    module = sys.modules.get(name)
    if module is not None:
        repair(module)
        return
    for finder in sys.meta_path:
        if isinstance(finder, _Finder) and finder.name == name:
            finder.repairs.append(repair)
            return
    sys.meta_path.insert(0, _Finder(name, repair))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module, as the other finders would, and repairs it when it has been executed."""

    def __init__(self, name: str, repair: Repair) -> None:
        self.name = name
        self.repairs = [repair]

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self.repairs)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader, repairs: list[Repair]) -> None:
        self._loader = loader
        self._repairs = repairs

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        for repair in self._repairs:
            repair(module)
