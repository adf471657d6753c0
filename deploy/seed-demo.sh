#!/bin/sh
# seed-demo.sh URL ADMIN_TOKEN - the chats that the demo page shows, made once
#
# URL is where Confab answers, such as http://127.0.0.1:8080. Needs curl. A chat that is there
# already is left as it is, so this may run at every start.
# ADMIN_TOKEN may also be @FILE; it never appears in a command line that others can list.
#
# SPDX-License-Identifier: MIT
set -eu

if [ $# -ne 2 ]; then
    echo "usage: seed-demo.sh URL ADMIN_TOKEN|@FILE" >&2
    exit 2
fi
api=${1%/}/api/v1/management
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

alice='{"user_id":"alice","display_name":"Alice"}'
bob='{"user_id":"bob","display_name":"Bob"}'
carol='{"user_id":"carol","display_name":"Carol"}'
open='[{"scope_level0":["demo"]}]'

# The last one made stands first in the list.
chat town-hall '"Town hall"' "$open" "[$carol]"
chat lunch '"Lunch"' "$open" '[]'
chat alice-bob null '[]' "[$alice,$bob]"
chat team-room '"Team room"' '[]' "[$alice,$bob,$carol]"
