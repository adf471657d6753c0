#!/bin/sh
# seed-demo.sh URL ADMIN_TOKEN [PEOPLE] - what the demo pages show at first, made once
#
# URL is where Confab answers, such as http://127.0.0.1:8080. Needs curl. A chat that is there
# already is left as it is, so this may run at every start.
# ADMIN_TOKEN may also be @FILE; no token ever appears in a command line that others can list.
# PEOPLE: the file of people that ./dev up makes, who then have names and a first event, where those systems are served.
#
# SPDX-License-Identifier: MIT
set -eu

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    echo "usage: seed-demo.sh URL ADMIN_TOKEN|@FILE [PEOPLE]" >&2
    exit 2
fi
url=${1%/}
api=$url/api/v1/management
case $2 in
@*) token=$(cat "${2#@}") ;;
*) token=$2 ;;
esac

# post PATH JSON: the answer's body; fails on anything but 2xx.
post() {
    printf 'header = "Authorization: Bearer %s"\n' "$token" |
        curl -fsS --max-time 20 -K - -H 'Content-Type: application/json' -d "$2" "$api$1"
}

# chat NAME TITLE SCOPES PARTICIPANTS, the last three in JSON
chat() {
    found=$(post /dialogs/search "{\"object_type\":\"demo\",\"object_id\":\"$1\",\"access_scopes\":$3}")
    case $found in
    '{"data":null}')
        post /dialogs "{\"object_type\":\"demo\",\"object_id\":\"$1\",\"title\":$2,\"access_scopes\":$3,\"participants\":$4}" \
            >/dev/null
        ;;
    '{"data":{'*) ;;
    *)
        echo "seed-demo.sh: unexpected answer: $found" >&2
        exit 1
        ;;
    esac
}

# as TOKEN METHOD PATH [JSON]: the answer's body, as that user
as() {
    printf 'header = "Authorization: Bearer %s"\n' "$1" |
        curl -fsS --max-time 20 -K - -X "$2" -H 'Content-Type: application/json' ${4:+-d "$4"} "$url$3"
}

# Names, and one event of the first one's, in case there is none.
people() {
    first=
    while read -r name bearer; do
        [ -n "$first" ] || first=$bearer
        for profile in 'POST /v1/profile' 'PUT /eventchat/v1/profile'; do
            as "$bearer" $profile "{\"name\":\"$name\"}" >/dev/null 2>&1 || :
        done
    done
    events=$(as "$first" GET /eventchat/v1/events 2>/dev/null) || return 0
    [ "$events" = '{"events":[]}' ] || return 0
    from=$(($(date +%s) / 3600 * 3600 + 90000))
    as "$first" POST /eventchat/v1/events \
        "{\"name\":\"Walk along the river\",\"location\":\"At the old bridge\",\"dateFromS\":$from,\"dateToS\":$((from + 7200))}" >/dev/null
}

if [ -n "${3:-}" ]; then
    sed -nE 's/^\{"id":[0-9]+,"name":"([^"]*)","token":"([^"]*)"\},?$/\1 \2/p' "$3" | people
fi

alice='{"user_id":"alice","display_name":"Alice"}'
bob='{"user_id":"bob","display_name":"Bob"}'
carol='{"user_id":"carol","display_name":"Carol"}'
open='[{"scope_level0":["demo"]}]'

# The last one made stands first in the list.
chat town-hall '"Town hall"' "$open" "[$carol]"
chat lunch '"Lunch"' "$open" '[]'
chat alice-bob null '[]' "[$alice,$bob]"
chat team-room '"Team room"' '[]' "[$alice,$bob,$carol]"
