#!/usr/bin/env python3
"""Prints a table: make_tables.py comb > comb_table.cpp, odd > odd_table.cpp. The tests compute both anew."""
import sys

p = 2**255 - 19
d = -121665 * pow(121666, -1, p) % p


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = d * x1 * x2 * y1 * y2 % p
    return (x1 * y2 + y1 * x2) * pow(1 + k, -1, p) % p, (y1 * y2 + x1 * x2) * pow(1 - k, -1, p) % p


def base_point():
    y = 4 * pow(5, -1, p) % p
    x2 = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
    x = pow(x2, (p + 3) // 8, p)
    if (x * x - x2) % p:
        x = x * pow(2, (p - 1) // 4, p) % p
    return (x if x % 2 == 0 else p - x), y


def words(n):
    return ", ".join(f"0x{n >> 32 * i & 0xffffffff:08x}" for i in range(8))


def entry(point):
    x, y = point
    values = (y + x) % p, (y - x) % p, 2 * d * x * y % p
    return "    {{{\n" + "".join(f"    {words(v)},\n" for v in values) + "    }}},"


def comb(base):
    """(i + 1) * 16^(8 j) * B"""
    group = base
    for _ in range(8):
        multiple = group
        for _ in range(8):
            yield multiple
            multiple = add(multiple, group)
        for _ in range(32):
            group = add(group, group)


def odd(base):
    """(2 i + 1) * B"""
    for _ in range(8):
        yield base
        base = add(base, twice)


name = sys.argv[1]
twice = add(base_point(), base_point())
points = list({"comb": comb, "odd": odd}[name](base_point()))
print(f"""// Made by make_tables.py; ed25519_test.cpp computes every entry anew.
#include "core/crypto/curve25519/tables.hpp"

namespace quoin::core::curve25519 {{

constexpr std::array<PackedPoint, {len(points)}> {name}_table = {{{{
    // clang-format off""")
for point in points:
    print(entry(point))
print("""    // clang-format on
}};

}  // namespace quoin::core::curve25519""")
