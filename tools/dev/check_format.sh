#!/usr/bin/env bash
# Says which C++ sources are not formatted as .clang-format wants. Changes nothing; ./dev fmt does.
set -euo pipefail
cd "$(dirname "$0")/../.."
canary=$(printf 'int  main( ){return 0 ;}\n' | clang-format-19 --style=file --assume-filename=x.cpp)
[ "$canary" = 'int main() { return 0; }' ] || { echo "clang-format-19 does not use .clang-format"; exit 1; }
mapfile -t files < <(find . \( -name .git -o -name build -o -name node_modules \) -prune -o \
    \( -name '*.cpp' -o -name '*.hpp' \) -print | sort)
wrong=$(printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 16 clang-format-19 --dry-run 2>&1 |
    sed -nE 's|^(\./)?([^:]+):([0-9]+):.*-Wclang-format-violations.*|\2:\3|p' | sort -t: -k1,1 -k2,2n | sort -t: -k1,1 -u -s || true)
if [ -n "$wrong" ]; then
    printf '%s: not formatted from here on: ./dev fmt\n' $wrong
    exit 1
fi
echo "${#files[@]} files are formatted"
