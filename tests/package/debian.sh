#!/bin/bash
# debian.sh - the packages: what they hold, what lintian says, and that their programs run from where they were unpacked
#
# $CONFAB_PACKAGES: where they lie, else they are made.
#
# SPDX-License-Identifier: MIT
set -eu
source=$(cd "${CONFAB_SOURCE:-$(dirname "$0")/../..}" && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
packages=${CONFAB_PACKAGES:-}
if [[ -z $packages ]]; then
    mkdir "$work/build" && cd "$work/build"
    "$source/configure" --quiet >/dev/null
    make -s dist >/dev/null
    tar -xf confab-*.tar.gz && cd confab-*/
    DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" dpkg-buildpackage -us -uc -b >"$work/log" 2>&1 || { tail -40 "$work/log"; exit 1; }
    packages=$work/build
fi

lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs,no-manual-page "$packages"/confab-*.deb

# A file in both, and dpkg refuses the second one.
files() { dpkg -c "$1" | awk '!/^d/ { print $6 }' | sort; }
both=$(comm -12 <(files "$packages"/confab-relay_*.deb) <(files "$packages"/confab-fcgi_*.deb))
[[ -z $both ]] || { echo "in both packages: $both"; exit 1; }

root=$work/root
for package in "$packages"/confab-{relay,fcgi}_*.deb; do
    dpkg -x "$package" "$root"
done
# What each does for processes that run, when it is upgraded and when it is removed.
script() { dpkg --ctrl-tarfile "$packages"/"$1"_*.deb | tar -xO "./$2"; }
runs() { script "$1" "$2" | grep -q "deb-systemd-invoke $3" || { echo "$1.$2 does not $3"; exit 1; }; }
runs confab-relay postinst 'try-restart.*confab-relay.service'
runs confab-relay prerm 'stop.*confab-relay.service'
runs confab-fcgi postinst "try-restart 'confab-handler@"
runs confab-fcgi prerm "stop 'confab-handler@"

has() {
    local what
    for what; do
        [[ -e $root/$what ]] || { echo "$what is missing"; exit 1; }
    done
}
has usr/libexec/confab/confab.fcgi usr/sbin/confab-relay usr/bin/confabctl etc/confab/confab.conf \
    usr/lib/tmpfiles.d/confab-relay.conf usr/share/confab/www/index.html usr/share/confab/site/.htaccess \
    usr/share/man/man8/{confab.fcgi,confab-relay,confabctl}.8.gz usr/share/man/man5/confab.conf.5.gz \
    usr/share/doc/confab-relay/{install,relay-alone,shared-hosting,operate}.md
[[ -e $root/usr/lib/systemd/system/confab-relay.service || -e $root/lib/systemd/system/confab-relay.service ]] ||
    { echo "there is no unit"; exit 1; }

# Without it ZeroMQ aborts where it is to listen at tcp://.
for unit in relay push; do
    grep -q '^RestrictAddressFamilies=.*AF_NETLINK' "$root"/{usr/,}lib/systemd/system/confab-$unit.service 2>/dev/null ||
        { echo "confab-$unit.service may not ask for interfaces"; exit 1; }
done

unset "${!CONFAB_@}"
export CONFAB_CONFIG=$work/confab.conf CONFAB_STATE=$work/state
sed "s|/run/confab|$work/run|" "$root/etc/confab/confab.conf" >"$CONFAB_CONFIG"
grep -q "^run = $work/run" "$CONFAB_CONFIG"
"$root/usr/bin/confabctl" init --secrets
"$root/usr/bin/confabctl" doctor
answer=$(env REQUEST_METHOD=GET REQUEST_URI=/health "$root/usr/libexec/confab/confab.fcgi" </dev/null)
[[ $answer == *'"status":"ok"'* ]] || { echo "a handler says: $answer"; exit 1; }
"$root/usr/sbin/confab-relay" --check
