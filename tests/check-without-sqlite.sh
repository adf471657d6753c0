#!/bin/bash
# check-without-sqlite.sh - the push server alone compiles, passes its tests, needs no database and starts
# SPDX-License-Identifier: MIT
source=$(cd "${CONFAB_SOURCE:-$(dirname "$0")/..}" && pwd -P) || exit 1
work=$(mktemp -d) || exit 1
relay=
trap '[[ -n $relay ]] && kill -KILL "$relay" 2>/dev/null; rm -rf "$work"' EXIT
build=${CONFAB_BUILD:+$CONFAB_BUILD/without-sqlite}
[[ -n $build ]] || build=$work/build
mkdir -p "$build" && cd "$build" || exit 1
[[ -e Makefile ]] || "$source/configure" --quiet --without-sqlite --enable-werror || exit 1
make -s -j"$(nproc)" || exit 1

bad=0
complain() {
    echo "$*"
    bad=1
}
make -s check-unit -j"$(nproc)" >"$work/unit.log" 2>&1 || { complain "its unit tests fail"; grep -E '^(FAIL|ERROR):|error:' "$work/unit.log"; }
readelf -d relay/confab-relay | grep -E 'NEEDED.*(sqlite|gumbo|fcgi)' && complain "confab-relay is linked with it"
[[ -e fcgi/confab.fcgi ]] && complain "handlers were built"

clean=(env -i CONFAB_CONFIG=/dev/null CONFAB_PUSH_API_KEY=a-key-of-this-check-and-no-other
    CONFAB_RELAY_LISTEN="unix:$work/clients.sock" CONFAB_PUSH_API_LISTEN="unix:$work/servers.sock")
"${clean[@]}" relay/confab-relay --check >/dev/null || complain "the default settings are refused"
"${clean[@]}" CONFAB_SYSTEMS=mtchat relay/confab-relay --check 2>/dev/null && complain "a chat system is not refused"

# its log goes through a pipe, so that each line can be waited for
exec {log}< <(
    "${clean[@]}" relay/confab-relay 2>&1 &
    echo "pid $!"
    wait $!
    echo "ended $?"
)
read -r -t 10 _ relay <&"$log"
wait_for() {
    local line
    while read -r -t 10 line <&"$log"; do
        echo "$line" >>"$work/log"
        [[ " $line " == *" $1 "* ]] && return
    done
    complain "never came: $1"
    cat "$work/log"
}
wait_for started
[[ $(curl -sS --max-time 10 --unix-socket "$work/clients.sock" http://relay/health) == '{}' ]] || complain "/health says otherwise"
kill -TERM "$relay"
wait_for "ended 0" && relay=
exit $bad
