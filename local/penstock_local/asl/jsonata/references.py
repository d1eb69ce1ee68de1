"""What an expression refers to: variables, fields of `$states`, and a context that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from penstock_local.asl.jsonata.expression import parse
from penstock_local.asl.jsonata.native import FUNCTIONS

_STATES = "states"
_ROOT = "$"


@dataclass(frozen=True, slots=True)
class References:
    """What an expression refers to, each name once, in the order of the text.

    `variables` are read but not bound in the expression, functions left out; `states_fields` are
    the members of `$states`; `context` are names read from the context item, "$" the item itself;
    `root` tells of `$$`. Step Functions gives an expression neither context nor root.
    """

    variables: tuple[str, ...]
    states_fields: tuple[str, ...]
    context: tuple[str, ...]
    root: bool


@lru_cache(maxsize=4096)
def references(expression: str) -> References:
    """What the expression refers to; raises JsonataError when it is not JSONata."""
    found = _Found()
    _walk(parse(expression), frozenset(), found, at_top=True)
    return References(
        variables=tuple(found.variables),
        states_fields=tuple(found.states_fields),
        context=tuple(found.context),
        root=found.root,
    )


@dataclass(slots=True)
class _Found:
    variables: dict[str, None] = field(default_factory=dict)
    states_fields: dict[str, None] = field(default_factory=dict)
    context: dict[str, None] = field(default_factory=dict)
    root: bool = False


def _walk(node: Any, bound: frozenset[str], found: _Found, *, at_top: bool) -> frozenset[str]:
    """Note what the node refers to; return the names bound after it in its block."""
    kind = getattr(node, "type", None)
    if kind is None:
        return bound
    if kind in _BINDING:
        return _BINDING[kind](node, bound, found, at_top=at_top)
    if kind == "variable":
        _variable(str(node.value), bound, found, at_top=at_top)
    elif kind == "name" and at_top:
        found.context[str(node.value)] = None
    inner = bound
    for child in _same_context(node):
        inner = _walk(child, inner, found, at_top=at_top)
    for child in _own_context(node):
        _walk(child, inner, found, at_top=False)
    return bound if kind == "block" else inner


def _variable(name: str, bound: frozenset[str], found: _Found, *, at_top: bool) -> None:
    if name == _ROOT:
        found.root = True
    elif not name:
        if at_top:
            found.context["$"] = None
    elif name not in bound and name not in FUNCTIONS and name != _STATES:
        found.variables[name] = None


def _path(node: Any, bound: frozenset[str], found: _Found, *, at_top: bool) -> frozenset[str]:
    steps = node.steps
    if len(steps) > 1 and _is_states(steps[0], bound) and steps[1].type == "name":
        found.states_fields[str(steps[1].value)] = None
    inner = bound
    for index, step in enumerate(steps):
        inner = _walk(step, inner, found, at_top=at_top and index == 0)
        inner |= {str(name) for name in (step.focus, step.index) if isinstance(name, str)}
        inner |= {str(stage.value) for stage in step.stages or () if stage.type == "index"}
    for child in _own_context(node):
        _walk(child, inner, found, at_top=False)
    return bound


def _bind(node: Any, bound: frozenset[str], found: _Found, *, at_top: bool) -> frozenset[str]:
    after = bound | {str(node.lhs.value)}
    _walk(node.rhs, after, found, at_top=at_top)
    return after


def _lambda(node: Any, bound: frozenset[str], found: _Found, *, at_top: bool) -> frozenset[str]:
    inside = bound | {str(argument.value) for argument in node.arguments or ()}
    _walk(node.body, inside, found, at_top=at_top)
    return bound


_BINDING = {"path": _path, "bind": _bind, "lambda": _lambda}


def _is_states(step: Any, bound: frozenset[str]) -> bool:
    return step.type == "variable" and step.value == _STATES and _STATES not in bound


def _same_context(node: Any) -> Iterator[Any]:
    """The parts of a node that are evaluated against the context that it has itself."""
    kind = node.type
    if kind in ("binary", "apply"):
        yield from (node.lhs, node.rhs)
    elif kind == "unary":
        yield from _unary(node)
    elif kind in ("function", "partial"):
        yield node.procedure
        yield from node.arguments or ()
    elif kind == "condition":
        yield from (node.condition, node.then, node._else)
    elif kind == "block":
        yield from node.expressions or ()


def _unary(node: Any) -> Iterator[Any]:
    if str(node.value) == "{":
        yield from (part for pair in node.lhs_object or () for part in pair)
    elif str(node.value) == "[":
        yield from node.expressions or ()
    else:
        yield node.expression


def _own_context(node: Any) -> Iterator[Any]:
    """The parts of a node that are evaluated against what the node selects."""
    yield from (predicate.expr for predicate in node.predicate or ())
    yield from (stage.expr for stage in node.stages or () if stage.type == "filter")
    group = getattr(node, "group", None)
    if group is not None:
        yield from (part for pair in group.lhs_object or () for part in pair)
    if node.type == "sort":
        yield from (term.expression for term in node.terms)
    elif node.type == "transform":
        yield from (node.pattern, node.update, node.delete)
