"""The source of this repository, as trees and as lines."""

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("pratique", "chassis", "words", "services", "gateway", "operations", "demo")
Function = ast.FunctionDef | ast.AsyncFunctionDef
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def sources(*packages: str) -> list[Path]:
    """Every Python file of these packages."""
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    """The path as people write it."""
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """The dotted name under which the file is imported."""
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def docstring_of(node: ast.AST) -> ast.Expr | None:
    """The statement that is the docstring of a module, class or function."""
    body = getattr(node, "body", None)
    if isinstance(body, list) and body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        return body[0] if isinstance(body[0].value.value, str) else None
    return None


def functions(path: Path) -> list[Function]:
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, Function)]


def classes(path: Path) -> list[ast.ClassDef]:
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)]


def public(path: Path) -> Iterator[ast.Module | ast.ClassDef | Function]:
    """The module and what it offers: its public classes, their public methods, its public functions."""
    yield tree_of(path)
    pending: list[ast.AST] = [tree_of(path)]
    while pending:
        for node in ast.iter_child_nodes(pending.pop()):
            if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
                yield node
                if isinstance(node, ast.ClassDef):
                    pending.append(node)


def docstring_lines(path: Path) -> set[int]:
    found = [docstring_of(node) for node in ast.walk(tree_of(path))]
    return {line for each in found if each for line in range(each.lineno, (each.end_lineno or each.lineno) + 1)}


def code_lines(path: Path) -> set[int]:
    """The lines that hold code: no blank ones, no comments, no docstrings."""
    read = io.StringIO(path.read_text(encoding="utf-8")).readline
    found = {
        line
        for token in tokenize.generate_tokens(read)
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return found - docstring_lines(path)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every string literal that is no docstring, with its line."""
    docstrings = {id(each.value) for node in ast.walk(tree_of(path)) if (each := docstring_of(node))}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value
