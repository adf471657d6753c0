#!/bin/bash
# static.sh - handlers and confabctl of --enable-static-libs run where there is nothing but the C library
#
# SPDX-License-Identifier: MIT
set -eu
source=$(cd "${CONFAB_SOURCE:-$(dirname "$0")/../..}" && pwd -P)
[[ $EUID == 0 ]] || { echo "only root can change root"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$source/configure" --quiet --prefix=/confab --enable-static-libs >/dev/null
make -s -j"$(nproc)"
make -s install DESTDIR="$work/host" >/dev/null

# What they ask of the system: the C library, and what was copied beside them.
for program in libexec/confab/confab.fcgi bin/confabctl; do
    while read -r library; do
        case $library in
        libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | ld-linux*) ;;
        *) [[ -e host/confab/lib/confab/$library ]] || { echo "$program needs $library"; exit 1; } ;;
        esac
    done < <(readelf -d "host/confab/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
done
readelf -d host/confab/libexec/confab/confab.fcgi | grep -E 'NEEDED.*(sqlite|gumbo|fcgi|sodium|unistring)' && { echo "not static"; exit 1; }

# A host with the C library alone.
mkdir -p host/{lib64,proc,tmp}
ldd host/confab/bin/confabctl | grep -oE '/[^ ]*/(ld-linux[^ ]*|lib(c|m)\.so[^ ]*)' | sort -u >libraries
while read -r library; do
    mkdir -p "host$(dirname "$library")"
    cp -L "$library" "host$library"
done <libraries
mkdir -p host/usr/bin
cp /usr/bin/env host/usr/bin/
inside() { chroot host /usr/bin/env -i "$@"; }
inside /confab/bin/confabctl init --secrets
answer=$(inside REQUEST_METHOD=GET REQUEST_URI=/health GATEWAY_INTERFACE=CGI/1.1 /confab/libexec/confab/confab.fcgi </dev/null)
[[ $answer == *'"status":"ok"'* ]] || { echo "a handler says: $answer"; exit 1; }
answer=$(inside REQUEST_METHOD=GET REQUEST_URI=/api/v1/dialogs /confab/libexec/confab/confab.fcgi </dev/null)
[[ $answer == 'Status: 401'* ]] || { echo "a handler says: $answer"; exit 1; }
