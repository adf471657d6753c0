#!/bin/bash
# check-man.sh - manual pages are sound mdoc, and confab.conf(5) names every setting
# SPDX-License-Identifier: MIT
cd "${CONFAB_SOURCE:-$(dirname "$0")/..}" || exit 1
bad=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
page=$work/confab.conf.5

awk -f docs/man/settings.awk shared/config.def shared/channels.def docs/man/confab.conf.5.in >"$page" || exit 1
mandoc -Tlint -Wwarning "$page" docs/man/*.8 || bad=1
while read -r name; do
    grep -qx ".It Cm $name" "$page" && continue
    echo "confab.conf(5) lacks $name"
    bad=1
done < <(sed -nE 's/^CONFIG\([A-Z]+, *([a-z0-9_]+),.*/\1/p' shared/config.def)

# what a page promises of a program is what its usage tells
if [[ -x ${CONFAB_BUILD:-}/ctl/confabctl ]]; then
    while read -r command; do
        grep -qE "^\.(It )?Cm $command( |$)" docs/man/confabctl.8 && continue
        echo "confabctl(8) lacks $command"
        bad=1
    done < <("$CONFAB_BUILD/ctl/confabctl" --help | sed -nE 's/^  ([a-z-]+).*/\1/p')
fi
exit $bad
