# README.sh - a checkout: the first of the two commands; the other one is what runs this
#
# SPDX-License-Identifier: MIT

follow() {
    local up
    [[ $(sed -n '1s/ *#.*//p;2s/ *#.*//p' /run/page/page.sh) == $'./dev up\n./dev check' ]]
    mkdir /root/confab && tar -C /root/confab --strip-components=1 -xf "$CONFAB_TARBALL"
    cd /root/confab
    env -i HOME=/root PATH="$PATH" TERM=dumb ./dev up >/run/page/said 2>&1 &
    up=$!
    wait_for_ready "$up"
    curl --fail --silent http://127.0.0.1:8080/ | grep -q '<!doctype html>'
    curl --fail --silent http://127.0.0.1:8080/rooms/ >/dev/null
    curl --fail --silent 'http://127.0.0.1:8080/api/v1/dialogs?user_id=alice' -H "X-Scope-Config: $(printf '{"scope_level0":["demo"],"scope_level1":[],"scope_level2":[]}' | base64 -w0)" |
        grep -q 'Town hall\|Team room\|"data":\['
    kill -TERM "$up"
    wait "$up"
}

# It builds first, which takes its time.
wait_for_ready() {
    local i
    for ((i = 0; i < 6000; i++)); do
        grep -q '^ready http://127.0.0.1:8080$' /run/page/said && return
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    cat /run/page/said
    return 1
}
