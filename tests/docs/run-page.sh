#!/bin/bash
# run-page.sh PAGE.md - does what a page of the documentation says, to the letter, where it can harm nothing
#
# The blocks that begin with ```sh are run, in order, as one script that ends at the first failure. Beside this file,
# NAME.sh (the page's name) says how the machine looks that the page speaks of and what has to be so afterwards: it sets
#
#   run_as=USER         who reads the page (root); cwd=DIR where he stands
#   before() { ... }    run as root, first: users, servers, what the page takes for granted
#   after() { ... }     run as root, behind the page: looks whether it holds; its status is the test's
#   follow() { ... }    instead of running /run/page/page.sh as it stands, where a command is not one that ends
#
# All that happens in namespaces of its own: a copy-on-write view of the whole file system that is thrown away, a network
# with nothing but a loopback, so that ports 80 and 443 are free and www.example.org is here, and a process tree that ends with
# this script. It takes root; status 77: not possible here.
#
# In the sandbox $CONFAB_SOURCE is the source tree, $CONFAB_TARBALL the release's tarball, $HERE this folder; what the page's
# commands have said is in /run/page/said.
#
# SPDX-License-Identifier: MIT
set -u
case $1 in --*) page=$2 ;; *) page=$(realpath "$1") || exit 1 ;; esac
HERE=$(cd "$(dirname "$0")" && pwd -P)
CONFAB_SOURCE=$(cd "${CONFAB_SOURCE:-$HERE/../..}" && pwd -P)
name=$(basename "$page" .md)
export HERE CONFAB_SOURCE

blocks() {
    awk '/^```sh$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$1"
}

# ---- outside ----

outside() {
    local work status
    [[ $EUID == 0 ]] || { echo "run-page.sh: only root can make a sandbox"; exit 77; }
    unshare --mount --net --pid --fork --propagation private true 2>/dev/null ||
        { echo "run-page.sh: no namespaces here"; exit 77; }
    if [[ -z ${CONFAB_TARBALL:-} ]]; then
        make -s -C "${CONFAB_BUILD:?names a build}" dist >/dev/null || exit 1
        CONFAB_TARBALL=$(ls -t "$CONFAB_BUILD"/confab-*.tar.gz | head -1)
    fi
    export CONFAB_TARBALL
    work=$(mktemp -d) || exit 1
    unshare --mount --net --pid --fork --kill-child --propagation private bash "$HERE/run-page.sh" --inside "$page" "$work"
    status=$?
    rmdir "$work"
    return $status
}

# ---- inside: the first process of its namespaces ----

overlay() {
    mount -t tmpfs -o mode=755 tmpfs "$1" && mkdir "$1"/{upper,work,root} || return
    mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root" || return
    mount -t proc proc "$1/root/proc" && mount --rbind /dev "$1/root/dev" &&
        mount -t tmpfs -o mode=1777 tmpfs "$1/root/tmp" || return
    # What lies in /tmp is needed where a build or its tarball lies there.
    local dir
    for dir in "$CONFAB_SOURCE" "${CONFAB_BUILD:-}" "$(dirname "$CONFAB_TARBALL")" "${CONFAB_PACKAGES:-}"; do
        [[ $dir == /tmp/* ]] || continue
        mkdir -p "$1/root$dir" && mount --bind -o ro "$dir" "$1/root$dir" || return
    done
}

inside() {
    overlay "$2" || exit 77
    exec chroot "$2/root" bash "$HERE/run-page.sh" --chrooted "$1"
}

# ---- in the sandbox ----

loopback_up() {
    ip link set lo up 2>/dev/null || python3 - <<'PY'
import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    fcntl.ioctl(s, 0x8914, struct.pack('16sh', b'lo', 0x1 | 0x40))  # SIOCSIFFLAGS: IFF_UP | IFF_RUNNING
PY
    echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
    printf '127.0.0.1 localhost www.example.org %s\n' "$(hostname)" >/etc/hosts
}

# Waits until the command succeeds: for servers that were started in the background.
wait_for() {
    local i
    for ((i = 0; i < 300; i++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "waited in vain for: $*" >&2
    return 1
}

as_reader() {
    (cd "$cwd" && exec setpriv --reuid="$run_as" --regid="$(id -g "$run_as")" --init-groups \
        env -i HOME="$(getent passwd "$run_as" | cut -d: -f6)" USER="$run_as" LOGNAME="$run_as" LC_ALL=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin MAKEFLAGS="-s -j$(nproc)" "$@")
}

chrooted() {
    run_as=root cwd=/root
    before() { :; }
    follow() {
        as_reader sh -eux /run/page/page.sh 2>&1 | tee /run/page/said
        ((PIPESTATUS[0] == 0)) || exit 1
    }
    after() { :; }
    loopback_up || exit 1
    mkdir -p /run/page
    blocks "$1" >/run/page/page.sh
    [[ -s /run/page/page.sh ]] || { echo "$1 has no blocks of sh"; exit 1; }
    . "$HERE/$name.sh"
    set -e
    before
    follow
    echo "--- what the page says was done"
    after
    echo "--- and it holds"
}

case $1 in
--inside) inside "$2" "$3" ;;
--chrooted) (chrooted "$2") ;;
*) outside ;;
esac
