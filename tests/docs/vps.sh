# vps.sh - a Debian machine with systemd and three web servers, of which the page wants one
#
# Blocks of one server, and those of the end, have its name behind ```sh.
#
# SPDX-License-Identifier: MIT
run_as=root cwd=/root/release

unit() { # NAME COMMAND...
    printf '[Service]\nExecStart=%s\n' "${*:2}" >"/etc/systemd/system/$1.service"
}

# What Debian's package apache2 brings besides its programs.
make_apache() {
    local modules=/usr/lib/apache2/modules
    mkdir -p /etc/apache2/mods-enabled /etc/apache2/sites-enabled /etc/apache2/sites-available /var/log/apache2
    for name in authz_core alias dir env mime setenvif; do
        echo "LoadModule ${name}_module $modules/mod_$name.so" >/etc/apache2/mods-enabled/$name.load
    done
    touch /etc/apache2/sites-enabled/000-default.conf
    cat >/etc/apache2/apache2.conf <<'CONF'
ServerName www.example.org
User www-data
Group www-data
Listen 80
PidFile /run/apache2.pid
DefaultRuntimeDir /run
ErrorLog /var/log/apache2/error.log
TypesConfig /etc/mime.types
<Directory />
    Require all denied
</Directory>
IncludeOptional mods-enabled/*.load
IncludeOptional sites-enabled/*.conf
CONF
    printf '#!/bin/sh\nfor m; do echo "LoadModule ${m}_module %s/mod_$m.so" >/etc/apache2/mods-enabled/$m.load; done\n' $modules \
        >/usr/local/bin/a2enmod
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nln -sf ../sites-available/$1.conf /etc/apache2/sites-enabled/$1.conf\n' >/usr/local/bin/a2ensite
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nrm /etc/apache2/sites-enabled/$1.conf\n' >/usr/local/bin/a2dissite
    printf '#!/bin/sh\nexec apache2 -t -d /etc/apache2 -f apache2.conf\n' >/usr/local/bin/apache2ctl
    chmod 755 /usr/local/bin/a2* /usr/local/bin/apache2ctl
    unit apache2 /usr/sbin/apache2 -DFOREGROUND -d /etc/apache2 -f apache2.conf
}

before() {
    mkdir -p "$cwd" /etc/systemd/system /usr/local/lib && tar -C "$cwd" --strip-components=1 -xf "$CONFAB_TARBALL"
    cp "$HERE/systemctl" /usr/local/bin/
    cp "$HERE/listener.py" /usr/local/lib/
    [[ -e /etc/mime.types ]] || printf 'text/html html\n' >/etc/mime.types
    make_apache
    mkdir -p /var/log/nginx /var/log/lighttpd && chown www-data /var/log/lighttpd
    unit lighttpd /usr/sbin/lighttpd -D -f /etc/lighttpd/lighttpd.conf
    printf '#!/bin/sh\nexec /usr/sbin/nginx -g "daemon off;"\n' >/usr/local/bin/nginx-in-front && chmod 755 /usr/local/bin/nginx-in-front
    unit nginx /usr/local/bin/nginx-in-front
}

blocks_of() { awk -v first="\`\`\`sh $1" '$0 == first { inside = 1; next } /^```/ { inside = 0 } inside' "$CONFAB_SOURCE/docs/vps.md"; }

take() {
    blocks_of "$1" >"/run/page/$1.sh"
    [[ -s /run/page/$1.sh ]]
    as_reader sh -eux "/run/page/$1.sh"
}

status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }

is() {
    local got
    got=$("${@:2}")
    [[ $got == "$1" ]] || { echo "$got instead of $1: ${*:2}" >&2; return 1; }
}

try() {
    local url=http://www.example.org
    wait_for is 200 status $url/health/ready
    is 200 status $url/
    is 200 status $url/js/live.js
    is 401 status $url/api/v1/dialogs
    is 404 status $url/api/v1/nothing
    is 426 status $url/api/v1/ws
    as_reader runuser -u confab -- confabctl doctor --url $url
}

after() {
    local server
    [[ $(stat -c '%U %G %a' /run/confab/handler.sock) == 'confab www-data 660' ]]
    wait_for test -S /run/confab/relay.sock || { cat /run/page/journal; return 1; }
    [[ $(stat -c '%U %G %a' /run/confab/relay.sock) == 'confab www-data 660' ]]
    for server in nginx lighttpd apache; do
        echo "--- $server"
        take $server
        take check
        try
        take upgrade
        try
        [[ $server == apache ]] && server=apache2
        systemctl stop $server
        ! curl -s http://www.example.org/
    done
    # What Debian's init script reopens logs by would be a pid-file, and with one a reload ends lighttpd.
    if grep -q pid-file /etc/lighttpd/lighttpd.conf; then return 1; fi
    grep -q 'systemctl reload lighttpd' /etc/logrotate.d/lighttpd
    ! grep -r 'token=[^*]' /var/log/nginx /var/log/lighttpd /var/log/apache2
}
