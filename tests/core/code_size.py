"""Code and tables of each object of core/ in a linked image, from the linker's map.

As a module: sizes_of(map) gives {"ml_dsa/sign.cpp": bytes}.
usage: code_size.py MAP
"""
import collections
import pathlib
import re
import sys

PLACED = re.compile(r"^ (?:\.(?:text|rodata)\S*)?\s+0x[0-9a-f]+\s+0x([0-9a-f]+) \S*core/(?:crypto/)?(\S+)/lib\w+\.a\((\S+)\.obj\)$",
                    re.MULTILINE)


def sizes_of(path):
    text = pathlib.Path(path).read_text()
    placed = text[text.index("Linker script and memory map"):]
    placed = re.sub(r"\n( \.(?:text|rodata)\S*)\n", r"\n\1", placed)  # a long name has a line of its own
    sizes = collections.Counter()
    for size, folder, name in PLACED.findall(placed):
        if folder != "known_answers":
            sizes[f"{folder}/{name}"] += int(size, 16)
    if not sizes:
        raise RuntimeError(f"{path}: no object of core/ in it")
    return {name: size for name, size in sorted(sizes.items()) if size}


if __name__ == "__main__":
    for object_name, size in sizes_of(sys.argv[1]).items():
        print(f"{object_name:<40}{size:>9,}")
