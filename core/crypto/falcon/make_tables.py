#!/usr/bin/env python3
"""Writes the tables of this folder: roots.cpp, primes.cpp, gaussian.hpp (needs mpmath).

    python3 core/crypto/falcon/make_tables.py roots > core/crypto/falcon/roots.cpp
"""
import struct
import sys

import mpmath

mpmath.mp.prec = 300


def rows(values, per_row):
    for at in range(0, len(values), per_row):
        print("    " + ", ".join(values[at:at + per_row]) + ",")


def bits(value):
    """The nearest binary64 as its bits."""
    with mpmath.workprec(53):
        nearest = float(+value)
    return f"0x{struct.unpack('<Q', struct.pack('<d', nearest))[0]:016x}"


def root(k):
    """psi^(its 10 bits reversed), psi = e^(i pi / 1024), of place m + b: block b of m, as fft.hpp has them."""
    m = 1 << (k.bit_length() - 1)
    angle = mpmath.pi * int(f"{m + k:010b}"[::-1], 2) / 1024
    return mpmath.cos(angle), mpmath.sin(angle)


def roots():
    values = [(mpmath.mpf(0), mpmath.mpf(0))] + [root(k) for k in range(1, 512)]
    print('#include "core/crypto/falcon/roots.hpp"\n\nnamespace quoin::core::falcon {\n')
    for name, part in (("roots_real", 0), ("roots_imaginary", 1)):
        print(f"const std::uint64_t {name}[512] = {{")
        rows([bits(value[part]) for value in values], 4)
        print("};\n")
    print("}  // namespace quoin::core::falcon")


def is_prime(p):
    """Miller-Rabin, right below 3,215,031,751."""
    d, s = p - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for base in (2, 3, 5, 7):
        x = pow(base, d, p)
        if x not in (1, p - 1) and all(pow(x, 1 << r, p) != p - 1 for r in range(1, s)):
            return False
    return True


def primes(count=312):
    """The largest 31-bit primes = 1 modulo 2048; for each a root of X^1024 + 1, and 1 / (those before it)."""
    found, p = [], (1 << 31) - (1 << 31) % 2048 + 1
    while len(found) < count:
        p -= 2048
        if p < 1 << 31 and is_prime(p):
            found.append(p)
    print('#include "core/crypto/falcon/primes.hpp"\n\nnamespace quoin::core::falcon {\n')
    print(f"const Prime primes[{count}] = {{")
    product, values = 1, []
    for p in found:
        psi = next(r for r in (pow(base, (p - 1) // 2048, p) for base in range(2, 99)) if pow(r, 1024, p) == p - 1)
        values.append(f"{{{p}, {psi}, {pow(product, -1, p) if product > 1 else 1}}}")
        product *= p
    rows(values, 3)
    print("};\n\n}  // namespace quoin::core::falcon")


def gaussian():
    print("#pragma once\n\n#include <array>\n#include <cstdint>\n\nnamespace quoin::core::falcon {\n")
    for n in (512, 1024):
        sigma = mpmath.mpf("1.17") * mpmath.sqrt(mpmath.mpf(12289) / (2 * n))
        weights = [mpmath.exp(-mpmath.mpf(z)**2 / (2 * sigma**2)) * (2 if z else 1) for z in range(100)]
        total = sum(weights)
        table = [int(mpmath.floor(sum(weights[i + 1:]) / total * 2**63)) for i in range(99)]
        table = [f"0x{t:016x}" for t in table if t]
        print(f"// [i] = 2^63 P(|z| > i), sigma = 1.17 sqrt(q / {2 * n}).")
        print(f"inline constexpr std::array<std::uint64_t, {len(table)}> gaussian_{n}{{")
        rows(table, 4)
        print("};\n")
    print("}  // namespace quoin::core::falcon")


print(f"// Made by make_tables.py {sys.argv[1]}.")
{"roots": roots, "primes": primes, "gaussian": gaussian}[sys.argv[1]]()
