#!/bin/bash
# check-sql.sh - every statement of schema/ prepares against a freshly migrated database
# SPDX-License-Identifier: MIT
cd "${CONFAB_SOURCE:-$(dirname "$0")/..}" || exit 1
bad=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# folder of the migrations, then the files of statements
check() {
    local folder=$1
    shift
    rm -f "$work/db"
    cat "$folder"/[0-9]*.sql | sqlite3 -bail "$work/db" || exit 1
    awk -v make=explain -f schema/embed.awk "$@" >"$work/explain" || exit 1
    # NUL-separated: one statement a round, so that all faults are shown
    while IFS= read -r -d '' statement; do
        sqlite3 -bail "$work/db" >/dev/null 2>"$work/why" <<<"$statement" && continue
        echo "${statement%%$'\n'*}: $(cat "$work/why")"
        bad=1
    done <"$work/explain"
}
check schema schema/queries/*.sql
check schema/history schema/history/queries.sql

# what is not listed is neither built nor shipped
for file in schema/[0-9]*.sql schema/queries/*.sql schema/history/*.sql; do
    grep -q "$file" schema/Makefile.inc && continue
    echo "$file is not listed in schema/Makefile.inc"
    bad=1
done
exit $bad
