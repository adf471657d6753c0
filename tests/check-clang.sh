#!/bin/bash
# check-clang.sh - everything compiles with clang, too, without a warning
# SPDX-License-Identifier: MIT
source=$(cd "${CONFAB_SOURCE:-$(dirname "$0")/..}" && pwd -P) || exit 1
build=${CONFAB_BUILD:+$CONFAB_BUILD/clang}
[[ -n $build ]] || { build=$(mktemp -d) && trap 'rm -rf "$build"' EXIT; }
mkdir -p "$build" && cd "$build" || exit 1
[[ -e Makefile ]] || "$source/configure" --quiet CC=clang --enable-werror --enable-fault-points || exit 1
make -s -j"$(nproc)" check TESTS=
