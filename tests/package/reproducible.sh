#!/bin/bash
# reproducible.sh - the same source gives the same tarball and the same packages, wherever and whenever
#
# Two trees in two directories, with other times of files, another umask, time zone, locale and hour.
#
# SPDX-License-Identifier: MIT
set -eu
source=$(cd "${CONFAB_SOURCE:-$(dirname "$0")/../..}" && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1795262400

dist() {
    (
        umask "$2"
        mkdir -p "$work/$1" && cd "$work/$1"
        "$source/configure" --quiet >/dev/null
        make -s dist >/dev/null
    )
}

# packages DIR TIME-ZONE LOCALE: from the first tarball. What is newer than the epoch is given its time, so all of it is.
packages() {
    (
        mkdir -p "$work/$1"
        cd "$work/$1"
        tar -xf "$work"/one/confab-*.tar.gz
        cd confab-*
        find . -exec touch {} +
        DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" TZ=$2 LC_ALL=$3 dpkg-buildpackage -us -uc -b >"$work/$1/log" 2>&1 || { tail -40 "$work/$1/log"; exit 1; }
    )
}

same() {
    local a=$1 b=$2
    cmp "$a" "$b" && return
    echo "$(basename "$a") differs"
    exit 1
}

dist one 022
sleep 1.1               # files that were made later carry another second
dist two/deeper 077
tar -tzf "$work"/one/confab-*.tar.gz | grep -q '/debian/rules$'
same "$work"/one/confab-*.tar.gz "$work"/two/deeper/confab-*.tar.gz
echo "the tarball is the same"

packages first UTC C.UTF-8
packages second/deeper Asia/Tokyo C
for package in "$work"/first/*.deb; do
    same "$package" "$work/second/deeper/$(basename "$package")"
    echo "$(basename "$package") is the same"
done
[[ -z ${CONFAB_KEEP_PACKAGES:-} ]] || cp "$work"/first/*.deb "$work"/first/log "$CONFAB_KEEP_PACKAGES"
