"""Checks the tree against the house style (README.md here). usage: tidy.py [PATH...]"""
import os
import re
import sys
from functools import cached_property, lru_cache
from pathlib import Path

import cpp
import rules

SKIPPED_FOLDERS = {".git", "build", "node_modules", "__pycache__", ".pytest_cache"}


class Tree:
    """Files by their path from the root. Made from a folder, or from texts for the canaries."""

    def __init__(self, root=None, texts=None):
        self.root = root
        self.texts = dict(texts or {})
        self.files = sorted(self.texts) if root is None else sorted(self.walk(root))
        self.text = lru_cache(maxsize=None)(self.read)
        self.source = lru_cache(maxsize=None)(lambda path: cpp.parse(self.text(path)))

    @staticmethod
    def walk(root):
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
            for name in names:
                if not name.endswith((".pyc", ".new")):
                    yield os.path.relpath(os.path.join(folder, name), root)

    def read(self, path):
        if self.root is None:
            return self.texts[path]
        return (Path(self.root) / path).read_bytes().decode("utf-8", errors="replace")

    def size(self, path):
        return len(self.text(path).encode()) if self.root is None else (Path(self.root) / path).stat().st_size

    def is_text(self, path):
        return "\0" not in self.text(path)[:4096] and not re.search(r"(^|/)corpus/", path)

    @cached_property
    def all_cpp(self):
        return [path for path in self.files if path.endswith((".cpp", ".hpp"))]

    def cpp(self, under=""):
        return [path for path in self.all_cpp if path.startswith(under)] if under else self.all_cpp

    def code(self, path):
        return enumerate(self.source(path).code, 1)


def allowed(tree, path, line, name):
    """`tidy: allow(rule) reason` on the line, the line above, or (whole-file rules) in the first ten lines."""
    if path not in tree.files:
        return False
    lines = tree.text(path).split("\n")
    near = lines[:10] if line == 1 else lines[max(0, line - 2):line]
    return any(re.search(rf"tidy: allow\({name}\)\W+\w+\W+\w+", text) for text in near)


def check(tree):
    """All violations, as (path, line, rule, what to do)."""
    found = []
    for rule in rules.RULES:
        name = rule.__name__.replace("_", "-")
        found += [(path, line, name, advice) for path, line, advice in rule(tree)
                  if not allowed(tree, path, line, name)]
    return sorted(found)


def main():
    tree = Tree(Path(__file__).resolve().parent.parent.parent)
    found = check(tree)
    if len(sys.argv) > 1:
        prefixes = tuple(os.path.normpath(path) for path in sys.argv[1:])
        found = [violation for violation in found if violation[0].startswith(prefixes)]
    for path, line, name, advice in found:
        print(f"{path}:{line}: {name}: {advice}")
    print(f"tidy: {len(tree.files)} files, {len(rules.RULES)} rules, {len(found)} violations", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
