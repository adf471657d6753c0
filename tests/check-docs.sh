#!/bin/bash
# check-docs.sh - docs/api/ has every route that confab.fcgi serves, and none that it does not
#
# A route stands in the documents as METHOD and path on one line, with nothing but spaces, `, | and *
# between them; {name} and :name are both a variable part.
#
# docs/push/protocol.md has every code and every method of the push server. The unit tests that HACKING.md names are
# where it says.
#
# SPDX-License-Identifier: MIT
cd "${CONFAB_SOURCE:-$(dirname "$0")/..}" || exit 1
bad=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
variable='s/([:*][a-z_]+|\{[^}]*\})/{}/g'

ls docs/api/*.md >/dev/null 2>&1 || { echo "docs/api has no documents"; exit 1; }
"$CONFAB_BUILD/fcgi/confab.fcgi" --routes >"$work/out" || exit 1
awk '$1 ~ /^[A-Z]+$/ && $2 ~ /^\// { print $1, $2 }' "$work/out" | sed -E "$variable" | sort -u >"$work/served"
[[ -s $work/served ]] || { echo "confab.fcgi --routes tells none"; exit 1; }
cat docs/api/*.md | grep -oE '\b(GET|POST|PUT|PATCH|DELETE)[]|`* ]+/[A-Za-z0-9_{}:*/.-]*' |
    sed -E 's/[]|`* ]+/ /' | sed -E "$variable" | sort -u >"$work/documented"

while read -r route; do
    echo "not documented: $route"
    bad=1
done < <(comm -23 "$work/served" "$work/documented")
# sockets are the relay's, so the handlers do not know them
while read -r route; do
    [[ $route =~ \ /(api/v1|v1|eventchat)/ws$ ]] && continue
    echo "documented, not served: $route"
    bad=1
done < <(comm -13 "$work/served" "$work/documented")

push=docs/push/protocol.md
{
    sed -nE 's/^PUSH_(ERROR|CLOSE|UNSUBSCRIBE)\([A-Z_]+, *([0-9]+),.*/\2/p' relay/push/code.def
    grep -hA1 -E '^(static )?const struct api_method [a-z_]+ = \{' relay/push/api_*.c | sed -nE 's/^ *"([a-z_]+)",.*/\1/p'
} >"$work/push"
[[ $(wc -l <"$work/push") -gt 40 ]] || { echo "few codes and methods found in relay/push"; bad=1; }
while read -r word; do
    grep -qw -- "$word" $push && continue
    echo "not in $push: $word"
    bad=1
done <"$work/push"

while IFS=: read -r program names; do
    for name in $(tr -d '`,' <<<"$names"); do
        grep -q "^$name(" "tests/unit/$program.c" && continue
        echo "HACKING.md: no $name in $program"
        bad=1
    done
done < <(grep -oE '\btest_[a-z_]+: `[a-z0-9_]+`(, `[a-z0-9_]+`)*' HACKING.md)
exit $bad
