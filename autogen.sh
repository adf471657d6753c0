#!/bin/sh
# autogen.sh - make ./configure from configure.ac; needed once in a git checkout
# SPDX-License-Identifier: MIT
set -e
cd "$(dirname "$0")"
exec autoreconf --install --warnings=all,no-portability,no-obsolete "$@"
