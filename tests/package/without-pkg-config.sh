#!/bin/bash
# without-pkg-config.sh - the variables that docs/install.md names do where there is no pkg-config
#
# SPDX-License-Identifier: MIT
set -eu
source=$(cd "${CONFAB_SOURCE:-$(dirname "$0")/../..}" && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
command=$(awk '/^\.\/configure PKG_CONFIG=false/ { inside = 1 } /^```/ { inside = 0 } inside' "$source/docs/install.md")
[[ -n $command ]]
eval "${command/.\/configure/"$source/configure" --quiet}" >/dev/null
make -s -j"$(nproc)"
CONFAB_CONFIG=/dev/null CONFAB_AUTH=trusted relay/confab-relay --check
