#!/bin/sh
# publish.sh - publish with curl
#
#   PUSH_KEY=... [PUSH_URL=http://127.0.0.1:8082] publish.sh CHANNEL DATA
#
# DATA is one JSON value. Prints what the relay answered; fails when that is an error.
# SPDX-License-Identifier: MIT
set -eu
channel=${1:?channel} data=${2:?data}

# a channel's name may hold quotes and backslashes
name=$(printf '%s' "$channel" | sed 's/[\\"]/\\&/g')

# errors come as HTTP statuses here, so that curl itself notices them
printf '{"channel":"%s","data":%s}' "$name" "$data" |
    curl --silent --show-error --fail-with-body --max-time 10 \
        --header "X-API-Key: ${PUSH_KEY:?PUSH_KEY}" \
        --header 'X-Centrifugo-Error-Mode: transport' \
        --data-binary @- "${PUSH_URL:-http://127.0.0.1:8082}/api/publish"
echo
