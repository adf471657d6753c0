#!/bin/bash
# check-includes.sh - one foreign library, one owner; dependencies run one way
# SPDX-License-Identifier: MIT
cd "${CONFAB_SOURCE:-$(dirname "$0")/..}" || exit 1
bad=0

# A line "header owner-pattern": who may include it. Tests and benches may include what they need.
while read -r header owners; do
    while IFS=: read -r file _; do
        [[ $file =~ ^($owners)$ ]] && continue
        echo "$file includes $header, which belongs to $owners"
        bad=1
    done < <(grep -rnE "#[[:space:]]*include[[:space:]]*<$header>" \
        --include='*.[ch]' shared fcgi relay ctl schema)
done <<'LIST'
sqlite3\.h           shared/db/db_sqlite\.c
(cjson/)?cJSON\.h    shared/json\.c
gumbo\.h             shared/html\.c
uni(case|conv|ctype|gbrk|norm|str|types|width)\.h   shared/utf8\.c
sodium\.h            shared/(token|jws|vk|event|id|ratelimit|opaque|password)\.c|fcgi/mtchat/(messages|scope)\.c
zmq\.h               shared/bus_(receiver|sender)\.c|relay/push/publish_zmq(_gate|_message)?\.[ch]
openssl/.*           relay/io_tls\.c|relay/push/token[a-z_]*\.c
curl/.*              relay/http_post\.c
fcgi(app|_stdio)\.h  fcgi/cgi\.c
libwebsockets\.h     relay/io_lws\.c
LIST

# folder: what it may include of ours
while read -r folder allowed; do
    while IFS=: read -r file _ line; do
        header=${line#*\"}
        header=${header%%\"*}
        [[ $header =~ ^($allowed)/ || $header == queries.h || $header != */* ]] && continue
        echo "$file includes $header; $folder/ may include $allowed"
        bad=1
    done < <(grep -rnE '#[[:space:]]*include[[:space:]]*"' --include='*.[ch]' "$folder")
done <<'LIST'
shared shared|schema
schema schema
fcgi fcgi|shared
relay relay|shared
ctl ctl|shared
LIST

# Chat and push stand side by side on the same ground, and meet in main and setup; socketio stands on it, too, and
# the chat on socketio.
ground='relay/(io|http_post|hub|frame|outq|metrics|wheel|pool|mem|strmap|origin|cors)\.h'
while IFS=: read -r file _ line; do
    header=${line#*\"}
    header=${header%%\"*}
    if [[ $file == relay/push/* ]]; then
        [[ $header =~ ^relay/push/|^$ground$ || $header != relay/* ]] && continue
    elif [[ $file == relay/socketio/* ]]; then
        [[ $header =~ ^relay/socketio/|^$ground$ || $header != relay/* ]] && continue
    else
        [[ $file =~ ^relay/(main|setup)\.[ch]$ || $header != relay/push/* ]] && continue
    fi
    echo "$file includes $header: chat, push and socketio do not know each other"
    bad=1
done < <(grep -rnE '#[[:space:]]*include[[:space:]]*"' --include='*.[ch]' relay)

if grep -rnE '#[[:space:]]*include[[:space:]]*"shared/(chat|store|wire|eventlog|event)[/.]' --include='*.[ch]' relay/push relay/socketio; then
    echo "the push server and socketio need none of the chat"
    bad=1
fi

exit $bad
