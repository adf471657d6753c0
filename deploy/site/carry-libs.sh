#!/bin/sh
# carry-libs.sh DIR PROGRAM... - copies the shared libraries of the programs to DIR, but for those of the C library
#
# SPDX-License-Identifier: MIT
set -eu
dir=$1
shift
mkdir -p "$dir"
for program in "$@"; do
    ldd "$program"
done | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u | while read -r library; do
    case ${library##*/} in
    libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | librt.so.* | libresolv.so.* | libmvec.so.* | ld-*) continue ;;
    esac
    [ "${library%/*}" = "$dir" ] || cp "$library" "$dir/"
done
