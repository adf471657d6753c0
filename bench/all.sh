#!/bin/bash
# all.sh - every bench, one after the other (about twelve minutes)
# SPDX-License-Identifier: MIT
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
status=0
for name in rest relay chat-relay cgi memory; do
    node "$name.mjs" || status=1
done
exit $status
