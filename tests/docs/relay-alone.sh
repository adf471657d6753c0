# relay-alone.sh - a Debian machine, with the unpacked release where the package was made
#
# SPDX-License-Identifier: MIT
run_as=root cwd=/root/release

before() {
    mkdir -p "$cwd" && tar -C "$cwd" --strip-components=1 -xf "$CONFAB_TARBALL"
    cp "$HERE/systemctl" /usr/local/bin/
    if [[ -n ${CONFAB_PACKAGES:-} ]]; then
        cp "$CONFAB_PACKAGES"/*.deb /root/
    else
        (cd "$cwd" && DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" dpkg-buildpackage -us -uc -b >/run/page/package 2>&1) ||
            { tail -20 /run/page/package; return 1; }
    fi
}

after() {
    local answer
    [[ $(stat -c '%U %a' /var/lib/confab) == 'confab 700' ]]
    [[ $(stat -c '%U %a' /etc/confab/push.key) == 'confab 600' ]]
    systemctl is-active confab-push && return 1
    systemctl start confab-push
    wait_for curl --fail --silent http://127.0.0.1:8081/health
    answer=$(curl --silent -o /dev/null -w '%{http_code}' http://127.0.0.1:8082/api/publish -d '{"channel":"public:news","data":1}')
    [[ $answer == 401 ]]
    systemctl stop confab-push
    # both publications were there when the page asked
    grep '"publications"' /run/page/said | grep '"by ZeroMQ"' | grep -q '"by HTTP"'
    dpkg --purge confab-relay
    [[ -d /var/lib/confab && ! -e /usr/sbin/confab-relay && ! -e /etc/confab ]]
}
