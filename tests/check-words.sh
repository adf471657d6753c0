#!/bin/bash
# check-words.sh - nothing half done is left in the tree; each source says what it is and its licence
# SPDX-License-Identifier: MIT
cd "${CONFAB_SOURCE:-$(dirname "$0")/..}" || exit 1
bad=0
mark='T''ODO|F''IXME|X''XX'
sources() { find shared fcgi relay ctl schema tests bench www deploy docs -name node_modules -prune -o \
    -type f \( "$@" \) -print; }

if sources -name '*.[ch]' -o -name '*.sh' -o -name '*.mjs' -o -name '*.js' -o -name '*.sql' -o -name '*.md' \
    -o -name '*.html' -o -name '*.css' | xargs grep -nwE "$mark"; then
    echo "the above is not done"
    bad=1
fi
while read -r file; do
    grep -q 'SPDX-License-Identifier: MIT' "$file" && continue
    echo "$file does not name its licence"
    bad=1
done < <(sources -name '*.[ch]' -o -name '*.sh' -o -name '*.mjs' -o -name '*.js')
exit $bad
