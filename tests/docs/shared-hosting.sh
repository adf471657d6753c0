# shared-hosting.sh - an account, with an Apache that runs programs as that user, first without mod_fcgid
#
# SPDX-License-Identifier: MIT
run_as=me cwd=/home/me/release
site=/home/me/public_html
url=http://www.example.org/chat
modules=/usr/lib/apache2/modules

# httpd [fcgid]: an Apache as a host may have it, with the user's rights
httpd() {
    local m
    mkdir -p /run/httpd && chown me /run/httpd
    {
        for m in mpm_event authz_core mime dir rewrite alias proxy proxy_http proxy_wstunnel "$@"; do
            echo "LoadModule ${m}_module $modules/mod_$m.so"
        done
        [[ $* == *cgid* && $* != *fcgid* ]] && echo "ScriptSock /run/httpd/cgid"
        [[ $* == *fcgid* ]] && printf 'FcgidIPCDir /run/httpd/fcgid\nFcgidProcessTableFile /run/httpd/shm\n'
        cat <<CONF
ServerName www.example.org
Listen 127.0.0.1:80
PidFile /run/httpd/pid
ErrorLog /run/httpd/error.log
TypesConfig /etc/mime.types
DocumentRoot $site
<Directory />
    Require all denied
</Directory>
<Directory $site>
    AllowOverride All
    Require all granted
</Directory>
CONF
    } >/run/httpd/httpd.conf
    setpriv --reuid=me --regid=me --clear-groups apache2 -f /run/httpd/httpd.conf -DFOREGROUND &
    httpd_pid=$!
    wait_for curl -s -o /dev/null http://www.example.org/
}

end_httpd() {
    kill "$httpd_pid"
    wait "$httpd_pid" || true
}

# A cron that has its minute as soon as a line comes.
make_cron() {
    cat >/usr/local/bin/crontab <<'CRON'
#!/bin/sh
case $1 in
-l) cat "$HOME/.crontab" ;;
-) cat >"$HOME/.crontab"
   sed -n 's/^\* \* \* \* \* //p' "$HOME/.crontab" | while read -r line; do
       setsid sh -c "$line" </dev/null >/dev/null 2>&1 &
   done ;;
esac
CRON
    chmod 755 /usr/local/bin/crontab
}

before() {
    useradd --create-home --shell /bin/sh me
    chmod 711 /home/me
    [[ -e /etc/mime.types ]] || printf 'text/html html\ntext/javascript js\n' >/etc/mime.types
    tar -C /home/me -xf "$CONFAB_TARBALL" && mv /home/me/confab-* "$cwd" && chown -R me: "$cwd"
    mkdir "$site" && chown me: "$site"
    make_cron
    httpd cgid
}

status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }

is() {
    local got
    got=$("${@:2}")
    [[ $got == "$1" ]] || { echo "$got instead of $1: ${*:2}" >&2; return 1; }
}

try() {
    is 200 status $url/
    is 200 status $url/js/live.js
    is 403 status $url/.htaccess
    is 401 status $url/api/v1/dialogs
    is 404 status $url/api/v1/nothing
    [[ $(curl -s $url/health) == '{"status":"ok"'* ]]
    is 404 status $url/api/v1/dialogs/%2e%2e%2f/messages
    is 404 status $url/eventchat/v1/photos/run
    as_reader /home/me/confab/bin/confabctl doctor --url $url
}

# A database where it should not lie: init's own .htaccess refuses it, and without that the site's does.
try_inside() {
    local file state=$site/chat/data
    as_reader env CONFAB_STATE=$state /home/me/confab/bin/confabctl init --secrets
    as_reader mkdir -m 755 $state/photos && echo a >$state/photos/a.jpg
    chmod -R a+rX $state
    for file in confab.db confab.db.lock jwt_secret admin_token rooms_jwt_secret photos/a.jpg; do
        is 403 status "$url/data/$file"
    done
    rm $state/.htaccess
    as_reader touch $state/confab.db-wal $state/confab.db-shm && chmod a+r $state/confab.db-*
    for file in confab.db confab.db-wal confab.db-shm jwt_secret admin_token photos/a.jpg ../data/confab.db; do
        is 403 status --path-as-is "$url/data/$file"
    done
    rm -r $state
}

# Pages poll, and take to sockets when a relay comes, and poll again when it is gone.
try_client() {
    local relay
    relay=$(pgrep -x confab-relay)
    wait_for is 426 status $url/api/v1/ws
    NODE_PATH=$CONFAB_SOURCE/tests/node_modules node "$HERE/client.mjs" $url /home/me/confab "$relay" \
        setpriv --reuid=me --regid=me --clear-groups /home/me/confab/sbin/confab-relay
}

# What stands at the top of the snippet is what one has to write.
lighttpd_too() {
    local snippet=/home/me/confab/share/confab/examples/site-lighttpd.conf
    mkdir /run/lighttpd-me && chown me /run/lighttpd-me
    {
        echo 'server.modules = ("mod_alias", "mod_fastcgi", "mod_proxy")'
        echo 'server.bind = "127.0.0.1"'
        echo 'server.document-root = "/run/lighttpd-me"'
        echo 'mimetype.assign = (".html" => "text/html", ".js" => "text/javascript")'
        sed -n 's|^#   ||p' $snippet
    } >/run/lighttpd-me/conf
    setpriv --reuid=me --regid=me --clear-groups lighttpd -D -f /run/lighttpd-me/conf &
    httpd_pid=$!
    wait_for curl -s -o /dev/null http://www.example.org/
    is 200 status $url/
    is 200 status $url/js/live.js
    is 401 status $url/api/v1/dialogs
    is 404 status $url/api/v1/nothing
    as_reader /home/me/confab/bin/confabctl doctor --url $url
    end_httpd
}

after() {
    try
    try_inside
    try_client
    end_httpd
    httpd fcgid
    try
    end_httpd
    lighttpd_too
}
