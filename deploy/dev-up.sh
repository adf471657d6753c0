# dev-up.sh - ./dev up: everything on this machine, in the foreground (sourced by ./dev)
#
# One shell starts handlers, relay and lighttpd, waits for whichever ends and starts it again. The
# programs write their logs to files themselves and a tail copies those to the terminal, so that a
# terminal (or a pipe) that nobody reads never holds a program up. Each is a session of its
# own, so that Ctrl-C reaches this shell alone and it decides the order; each dies with this shell.
#
# SPDX-License-Identifier: MIT

socket_path_max=107
pause_first_ms=100
pause_max_ms=10000
stable_ms=10000
start_tries=5
start_wait_s=60
stop_wait_s=10

declare -A name_of=()       # pid -> service, or what else is waited for
declare -A pid_of=()        # service -> pid
declare -A started_at=() pause_ms=() tries=()
is_ready=

now_ms() { printf '%s' $((${EPOCHREALTIME/[.,]/} / 1000)); }
note() { printf 'dev: %s\n' "$*" >>"$log/dev.log"; }

# The value of a setting as the programs see it.
setting() { "$top/build/ctl/confabctl" config | sed -n "s/^$1 = //p"; }

serves() { [[ ,$(setting systems | tr -d ' '), == *,"$1",* ]]; }

given() {
    local name
    for name in "$@"; do
        [[ -n ${!name:-} ]] && return 0
    done
    return 1
}

# An empty log; the one of the last run stays beside it.
fresh_log() {
    [[ -s $log/$1.log ]] && mv -f "$log/$1.log" "$log/$1.log.1"
    : >"$log/$1.log"
}

take_state() {
    state=${CONFAB_STATE:-$top/var}
    [[ $state == /* ]] || state=$PWD/$state
    (umask 077 && mkdir -p "$state/log") || exit 1
    state=$(cd "$state" && pwd -P) || exit 1
    log=$state/log
    exec {state_lock}>"$state/dev.lock"
    flock -n "$state_lock" || die "another ./dev up runs on $state"
    fresh_log dev
    export CONFAB_STATE=$state
}

take_port() {
    port=${CONFAB_PORT:-8080}
    handlers=${CONFAB_HANDLERS:-2}
    [[ $port =~ ^[1-9][0-9]{0,4}$ ]] && ((port < 65536)) || die "CONFAB_PORT: $port is no port"
    [[ $handlers =~ ^[1-9][0-9]?$ ]] || die "CONFAB_HANDLERS: 1 to 99"
    # Ours, not the programs': they would warn of settings they do not know.
    unset CONFAB_PORT CONFAB_HANDLERS
    port_free || die "port $port of 127.0.0.1 is taken; choose another with CONFAB_PORT"
}

port_free() { ! (exec {c}<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

# Sockets lie in state/run, or, where that is too long for a socket's address, in a folder
# of our own below /tmp that is found by the state's name.
take_run() {
    local longest=/bus-${CONFAB_RELAY_NAME:-relay}.sock
    run=${CONFAB_RUN:-$state/run}
    [[ $run == /* ]] || run=$PWD/$run
    run_is_temporary=
    if ((${#run} + ${#longest} > socket_path_max || ${#run} + 16 > socket_path_max)); then
        given CONFAB_RUN && die "CONFAB_RUN is too long for sockets: $run"
        run=/tmp/confab-$EUID-$(printf %s "$state" | sha256sum | cut -c1-16)
        run_is_temporary=yes
        mkdir -m 700 "$run" 2>/dev/null
        [[ -d $run && ! -L $run && -O $run && $(stat -c %a "$run") == 700 ]] ||
            die "$run is there and not ours alone"
    fi
    export CONFAB_RUN=$run
    export CONFAB_RELAY_LISTEN=${CONFAB_RELAY_LISTEN:-unix:$run/relay.sock}
}

in_config_file() {
    [[ -n ${CONFAB_CONFIG:-} ]] && grep -Eqs "^[[:space:]]*$1[[:space:]]*=" "$CONFAB_CONFIG"
}

# The demo's chats are made where nobody brought settings of his own for who may do what.
prepare_settings() {
    seed=
    given CONFAB_SYSTEMS || in_config_file systems || export CONFAB_SYSTEMS=mtchat,rooms,conversations,eventchat
    if ! given CONFAB_AUTH && ! in_config_file auth; then
        export CONFAB_AUTH=trusted
        seed=yes
        say "****************************************************************************"
        say "CONFAB_AUTH is trusted: everybody is who he says he is. For demos on this"
        say "machine only. CONFAB_AUTH=jwt asks for signed tokens (confabctl token)."
        say "****************************************************************************"
    fi
    run "$top/build/ctl/confabctl" init --secrets >>"$log/dev.log" ||
        die "confabctl init failed"
    if ! given CONFAB_JWT_SECRET CONFAB_JWT_SECRETS CONFAB_JWT_SECRET_FILE \
        CONFAB_JWT_SECRETS_FILE && ! in_config_file 'jwt_secrets?(_file)?'; then
        export CONFAB_JWT_SECRET_FILE=$state/jwt_secret
        say "tokens are signed with $CONFAB_JWT_SECRET_FILE"
    fi
    if ! given CONFAB_ADMIN_TOKEN CONFAB_ADMIN_TOKEN_FILE && ! in_config_file 'admin_token(_file)?'; then
        export CONFAB_ADMIN_TOKEN_FILE=$state/admin_token
        say "the management API's token is in $CONFAB_ADMIN_TOKEN_FILE"
    else
        seed=
    fi
}

# Rooms, where they are served, and the runner that lets their agents answer, where nobody brought his own.
prepare_rooms() {
    has_rooms= has_runner=
    if ! given CONFAB_ROOMS_JWT_SECRET CONFAB_ROOMS_JWT_SECRET_FILE &&
        ! in_config_file 'rooms_jwt_secret(_file)?'; then
        export CONFAB_ROOMS_JWT_SECRET_FILE=$state/rooms_jwt_secret
    fi
    serves rooms || return 0
    has_rooms=yes
    given CONFAB_RUNNER_KEY CONFAB_RUNNER_KEY_FILE && return
    in_config_file 'runner_key(_file)?' && return
    [[ -s $state/runner_key ]] ||
        (umask 077 && printf 'rk_%s\n' "$(od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n')" >"$state/runner_key") || exit 1
    export CONFAB_RUNNER_KEY_FILE=$state/runner_key
    # Before Node 22 the example wants the package ws.
    if can_run_runner || { (need_packages nodejs node-ws); can_run_runner; }; then
        has_runner=yes
    else
        say "no Node 18 with the package ws here: agents of rooms will not answer"
    fi
}

# Conversations and event chats always want a token. For a demo on this machine alone some people's lie beside the
# pages, where everybody may take them: only in trusted mode, and never with a secret that somebody brought.
demo_people=(Alice Bob Carol Dave)
demo_token_s=2592000

print_people() {
    local i token
    printf '['
    for ((i = 0; i < ${#demo_people[@]}; i++)); do
        token=$("$top/build/ctl/confabctl" token --user "$((i + 1))" --expires "$demo_token_s") || return 1
        ((i)) && printf ','
        printf '\n{"id":%d,"name":"%s","token":"%s"}' "$((i + 1))" "${demo_people[i]}" "$token"
    done
    printf '\n]\n'
}

prepare_people() {
    people=
    rm -f "$state/demo-people.json"
    serves conversations || serves eventchat || return 0
    [[ $(setting auth) == trusted && ${CONFAB_JWT_SECRET_FILE:-} == "$state/jwt_secret" ]] || return 0
    people=$state/demo-people.json
    (umask 077 && print_people >"$people") || die "confabctl token failed"
    say "****************************************************************************"
    say "A DEMO: tokens of ${demo_people[*]} for conversations and event"
    say "chats are handed to whoever asks, at /demo-people.json."
    say "****************************************************************************"
}

node_modules=$top/tests/node_modules:/usr/share/nodejs

can_run_runner() {
    NODE_PATH=$node_modules node -e \
        'process.exit(parseInt(process.versions.node) >= 18 && (globalThis.WebSocket || require("ws")) ? 0 : 1)' \
        </dev/null >/dev/null 2>&1
}

relay_as_lighttpd_knows_it() {
    local listen
    listen=$(setting relay_listen)
    case $listen in
    unix:*) printf '"host" => "%s"' "${listen#unix:}" ;;
    *) printf '"host" => "%s", "port" => %s' "${listen%:*}" "${listen##*:}" ;;
    esac
}

handler_as_lighttpd_knows_it() {
    printf '("socket" => "%s", "check-local" => "disable", "disable-time" => 0, "fix-root-scriptname" => "enable")' \
        "$run/$1.sock"
}

# Handlers answer with these headers themselves, with the same values.
cors_for_lighttpd() {
    [[ $(setting cors_allowed_origins) == '*' && $(setting cors_allow_credentials) =~ ^(0|false)$ ]] &&
        printf 'setenv.set-response-header = ("Access-Control-Allow-Origin" => "*")'
}

write_lighttpd_conf() {
    local text list= i kib logins
    text=$(<"$top/deploy/lighttpd.conf.in")
    for ((i = 1; i <= handlers; i++)); do
        list+="${list:+, }$(handler_as_lighttpd_knows_it "handler-$i")"
    done
    logins=$list
    [[ -n $has_rooms ]] && logins=$(handler_as_lighttpd_knows_it handler-logins)
    # Far above the handlers' own limit, so that it is they who refuse, in the API's form.
    kib=$(($(setting body_max) / 1024 * 16))
    ((kib > 2097152)) && kib=2097152
    text=${text//@PORT@/"$port"}
    text=${text//@BASE@/}
    text=${text//@MOUNT@//}
    text=${text//@WWW@/"$top/www"}
    text=${text//@ERRORS@/"$top/deploy/errors"}
    text=${text//@HANDLERS@/"$list"}
    text=${text//@LOGINS@/"$logins"}
    text=${text//@RELAY@/"$(relay_as_lighttpd_knows_it)"}
    text=${text//@BODY_KIB@/"$kib"}
    text=${text//@ERROR_LOG@/"$log/lighttpd.log"}
    text=${text//@ACCESS_LOG@/"$log/access.log"}
    text=${text//@CORS@/"$(cors_for_lighttpd)"}
    printf '%s\n' "$text" >"$state/lighttpd.conf"
    [[ -z $people ]] || printf '$HTTP["url"] == "/demo-people.json" { alias.url = ("/demo-people.json" => "%s") }\n' \
        "$people" >>"$state/lighttpd.conf"
}

# spawn NAME COMMAND...: a child that dies with this shell, its output in log/NAME.log.
spawn() {
    local name=$1
    shift
    setsid setpriv --pdeathsig TERM -- "$@" </dev/null >>"$log/$name.log" 2>&1 {state_lock}>&- &
    pid_of[$name]=$!
    name_of[$!]=$name
}

start_service() {
    started_at[$1]=$(now_ms)
    case $1 in
    handler-*)
        spawn "$1" "$top/build/fcgi/confab.fcgi" --listen "unix:$run/$1.sock"
        ;;
    relay)
        spawn relay "$top/build/relay/confab-relay"
        ;;
    runner)
        CONFAB_RUNNER_KEY=$(<"$state/runner_key") CONFAB_URL=http://127.0.0.1:$port NODE_PATH=$node_modules \
            spawn runner node "$top/docs/examples/runner/runner.mjs" --state "$state/runner.json"
        ;;
    lighttpd)
        spawn lighttpd lighttpd -D -f "$state/lighttpd.conf"
        ;;
    esac
}

# Waits in the background; the main loop hears when it is over.
later() {
    local seconds=$1 name=$2
    sleep "$seconds" </dev/null >/dev/null 2>&1 {state_lock}>&- &
    name_of[$!]=$name
}

answers_ready() {
    local line=
    { exec {c}<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
    printf 'GET /health/ready HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&"$c"
    read -r -t 3 line <&"$c"
    exec {c}>&-
    [[ $line == HTTP/1.?' 200'* ]]
}

wait_until_ready() {
    local until=$((SECONDS + start_wait_s))
    until answers_ready; do
        ((SECONDS < until)) || exit 1
        sleep 0.05
    done
    [[ -n $seed ]] && ! sh "$top/deploy/seed-demo.sh" "http://127.0.0.1:$port" "@$state/admin_token" "$people" \
        >>"$log/dev.log" 2>&1 && note "the demo's chats could not be made"
    exit 0
}

how_it_ended() {
    if (($1 > 128)); then
        printf 'signal %s' "$(kill -l $(($1 - 128)))"
    else
        printf 'status %s' "$1"
    fi
}

service_ended() {
    local name=$1 status=$2 pause
    unset "pid_of[$name]"
    if (($(now_ms) - started_at[$name] > stable_ms)); then
        pause_ms[$name]=$pause_first_ms
    fi
    pause=${pause_ms[$name]:-$pause_first_ms}
    pause_ms[$name]=$((pause * 2 > pause_max_ms ? pause_max_ms : pause * 2))
    tries[$name]=$((${tries[$name]:-0} + 1))
    if [[ -z $is_ready ]] && ((tries[$name] >= start_tries)); then
        note "$name ended ($(how_it_ended "$status")) $start_tries times without starting"
        give_up "$name does not start: $log/$name.log"
    fi
    note "$name ended ($(how_it_ended "$status")), again in $pause ms"
    later "$((pause / 1000)).$(printf %03d $((pause % 1000)))" "start:$name"
}

give_up() {
    stop
    tail -n 5 "$log"/{dev,lighttpd,relay,handler-1}.log >&2 2>/dev/null
    die "$*"
}

alive() {
    local pid
    for pid in "$@"; do
        kill -0 "$pid" 2>/dev/null && return 0
    done
    return 1
}

# Waits for processes to end, at most so many seconds.
ended_within() {
    local until=$((SECONDS + $1))
    shift
    while alive "$@"; do
        ((SECONDS < until)) || return 1
        sleep 0.02
    done
}

# The relay first, so that its farewell still reaches the clients through the web server; then the rest.
stop() {
    local pid pids=("${pid_of[@]}")
    trap '' INT TERM HUP
    trap - EXIT
    for pid in "${!name_of[@]}"; do
        [[ ${name_of[$pid]} == *:* ]] && kill "$pid" 2>/dev/null
    done
    if [[ -n ${pid_of[relay]:-} ]]; then
        kill -TERM "${pid_of[relay]}" 2>/dev/null
        ended_within "$((stop_wait_s / 2))" "${pid_of[relay]}"
    fi
    ((${#pids[@]})) && kill -TERM "${pids[@]}" 2>/dev/null
    if ! ended_within "$stop_wait_s" "${pids[@]}"; then
        note "had to be killed: ${pids[*]}"
        kill -KILL "${pids[@]}" 2>/dev/null
    fi
    rm -f "$run"/handler-*.sock "$run"/relay.sock "$run"/bus-*.sock
    [[ -n $run_is_temporary ]] && rm -rf "$run"
    note "stopped"
    sleep 0.05      # for the tail, which then has nothing left to show
    [[ -n ${tail_pid:-} ]] && kill "$tail_pid" 2>/dev/null
    wait
}

announce() {
    is_ready=yes
    tries=()
    [[ -n $has_runner ]] && start_service runner
    printf 'demo: http://127.0.0.1:%s/\n' "$port"
    [[ -n $has_rooms ]] && printf 'rooms: http://127.0.0.1:%s/rooms/\n' "$port"
    serves conversations && printf 'conversations: http://127.0.0.1:%s/conversations/\n' "$port"
    serves eventchat && printf 'event chat: http://127.0.0.1:%s/eventchat/\n' "$port"
    printf 'ready http://127.0.0.1:%s\n' "$port"
}

start_everything() {
    local i services=(relay) files=("$log/dev.log" "$log/runner.log") name
    for ((i = 1; i <= handlers; i++)); do
        services+=("handler-$i")
    done
    [[ -n $has_rooms ]] && services+=(handler-logins)
    services+=(lighttpd)
    fresh_log access
    fresh_log runner
    for name in "${services[@]}"; do
        fresh_log "$name"
        files+=("$log/$name.log")
    done
    setsid setpriv --pdeathsig TERM -- tail -q -n +1 -F "${files[@]}" \
        >&2 2>/dev/null </dev/null {state_lock}>&- &
    tail_pid=$!
    for name in "${services[@]}"; do
        start_service "$name"
    done
}

# Whatever ends is heard of here. The tick is for one that ended unheard between two waits.
supervise() {
    local ended status name
    later 1 tick:
    while :; do
        ended=
        wait -n -p ended "${!name_of[@]}"
        status=$?
        [[ -n $ended ]] || continue
        name=${name_of[$ended]:-}
        unset "name_of[$ended]"
        case $name in
        tick:)
            for name in "${!pid_of[@]}"; do
                kill -0 "${pid_of[$name]}" 2>/dev/null && continue
                unset "name_of[${pid_of[$name]}]"
                wait "${pid_of[$name]}"
                service_ended "$name" $?
            done
            later 1 tick:
            ;;
        start:*) start_service "${name#start:}" ;;
        probe:) ((status == 0)) && announce || give_up "not ready after $start_wait_s s" ;;
        *) service_ended "$name" "$status" ;;
        esac
    done
}

up() {
    take_state
    take_port
    take_run
    build build
    prepare_settings
    prepare_rooms
    prepare_people
    write_lighttpd_conf
    trap 'stop; exit 0' INT TERM HUP
    trap stop EXIT
    start_everything
    (trap - EXIT INT TERM HUP; wait_until_ready) </dev/null >>"$log/dev.log" 2>&1 {state_lock}>&- &
    name_of[$!]=probe:
    supervise
}
