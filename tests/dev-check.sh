# dev-check.sh - ./dev check: build for tests, run suites, sum up (sourced by ./dev)
#
# Each suite is a function suite_NAME that adds what it ran to passed and failed. The last line is
# `N passed, N failed`; the exit status is 1 when anything failed.
#
# SPDX-License-Identifier: MIT

all_suites=(lint unit fuzz integration security docs browser faults deploy)
suite_limit_s=900
passed=0
failed=0

add() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    say "$3: $1 passed, $2 failed"
}

# Node as found, if it is new enough; else Debian's.
need_node() {
    local major
    major=$(node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/')
    ((${major:-0} >= 18)) || need_packages nodejs
    command -v npm >/dev/null || need_packages npm
}

# node_modules follows package-lock.json: npm notes there what it installed.
need_node_modules() {
    local installed=$top/tests/node_modules/.package-lock.json
    [[ -e $top/tests/package-lock.json ]] || return 0
    [[ -e $installed && ! $top/tests/package-lock.json -nt $installed ]] && return 0
    say "npm ci"
    run npm --prefix "$top/tests" ci --no-audit --no-fund --loglevel=error >"$logs/npm.log" 2>&1 ||
        { tail -20 "$logs/npm.log" >&2; die "npm ci failed"; }
    [[ -e $installed ]] && touch "$installed"
}

# Runs a suite's command with its output in a file, within a time. Nothing it started outlives it:
# timeout makes it a process group of its own, which is ended with it.
logged() {
    local file=$1 group
    shift
    timeout -k 10 "$suite_limit_s" "$@" >"$file" 2>&1 </dev/null &
    group=$!
    running=$group
    wait "$group"
    local status=$?
    running=
    kill -TERM -- "-$group" 2>/dev/null
    return "$status"
}

count() { grep -cE "$1" "$2" 2>/dev/null; }

# Test programs run by make: each leaves a .trs with its result and a .log in TAP.
make_suite() {
    local name=$1 target=$2 dir=$3 status ok bad program_log sum_ok=0 sum_bad=0
    rm -f "$build_dir/$dir"/*.trs "$build_dir/$dir"/*.log
    CMOCKA_MESSAGE_OUTPUT=TAP logged "$logs/$name.log" make -k -C "$build_dir" "$target" -j"$(nproc)"
    status=$?
    for program_log in "$build_dir/$dir"/*.log; do
        [[ -e $program_log ]] || continue
        ok=$(grep -E '^ok ' "$program_log" | grep -vcE '# SKIP')
        bad=$(count '^not ok ' "$program_log")
        if ((ok + bad == 0)); then      # one that empties its environment speaks cmocka's own words
            ok=$(count '\[ +OK \]' "$program_log")
            bad=$(sed -nE 's/^ *([0-9]+) FAILED TEST\(S\)$/\1/p' "$program_log" | tail -1)
            bad=${bad:-0}
        fi
        # one that crashed, or said nothing, is a test by itself
        if ! grep -qs '^:test-result: PASS' "${program_log%.log}.trs"; then
            ((bad)) || bad=1
            say "FAILED $program_log"
            grep -A6 -E '^not ok ' "$program_log" >&2 || tail -20 "$program_log" >&2
        elif ((ok + bad == 0)); then
            ok=1
        fi
        sum_ok=$((sum_ok + ok))
        sum_bad=$((sum_bad + bad))
    done
    if ((status != 0 && sum_bad == 0)) || ((sum_ok + sum_bad == 0)); then
        tail -20 "$logs/$name.log" >&2
        sum_bad=$((sum_bad + 1))
    fi
    add "$sum_ok" "$sum_bad" "$name"
}

suite_unit() { make_suite unit check-unit tests/unit; }
suite_fuzz() { make_suite fuzz check-fuzz tests/fuzz; }

# Node's test files, counted from the summary its TAP ends with.
node_suite() {
    local name=$1 files ok bad
    mapfile -t files < <(find "$top/tests/$name" -name '*.test.mjs' | sort)
    if ((${#files[@]} == 0)); then
        say "$name: no test files"
        add 0 1 "$name"
        return
    fi
    logged "$logs/$name.log" env -C "$top/tests" node --test --test-reporter=tap "${files[@]}"
    ok=$(sed -n 's/^# pass //p' "$logs/$name.log" | tail -1)
    bad=$(($(sed -n 's/^# fail //p' "$logs/$name.log" | tail -1) + \
        $(sed -n 's/^# cancelled //p' "$logs/$name.log" | tail -1) + 0))
    [[ -n $ok ]] || { ok=0 bad=1; say "$name ended early"; tail -20 "$logs/$name.log" >&2; }
    ((bad)) && grep -E -A12 '^ *not ok ' "$logs/$name.log" | head -200 >&2
    add "$ok" "$bad" "$name"
}

suite_integration() { node_suite integration; }
suite_security() { node_suite security; }
suite_browser() { node_suite browser; }
suite_faults() { node_suite faults; }
suite_deploy() { node_suite deploy; }

# Each script says what is wrong and ends with 1.
suite_lint() {
    local script name ok=0 bad=0
    for script in "$top"/tests/check-*.sh; do
        name=$(basename "$script" .sh)
        if logged "$logs/$name.log" bash "$script"; then
            ok=$((ok + 1))
        else
            bad=$((bad + 1))
            say "FAILED $name"
            tail -40 "$logs/$name.log" >&2
        fi
    done
    add "$ok" "$bad" lint
}

# scripts NAME FILE...: each a test, a script or a page of docs/ that is followed; status 77: it cannot be run here, which
# is told.
scripts() {
    local name=$1 script command ok=0 bad=0 status log
    shift
    for script in "$@"; do
        log=$logs/$name-$(basename "${script%.*}").log
        command=(bash "$script")
        [[ $script == *.md ]] && command=(bash "$top/tests/docs/run-page.sh" "$script")
        logged "$log" "${command[@]}"
        status=$?
        if ((status == 77)); then
            say "skipped $script: $(tail -1 "$log")"
        elif ((status == 0)); then
            ok=$((ok + 1))
        else
            bad=$((bad + 1))
            say "FAILED $script"
            tail -40 "$log" >&2
        fi
    done
    add "$ok" "$bad" "$name"
}

# Pages of docs/ that are followed to the letter. Those for which packages have to be made are the suite package's.
suite_docs() {
    local script page pages=()
    for script in "$top"/tests/docs/*.sh; do
        page=$top/docs/$(basename "$script" .sh).md
        [[ -e $page && $page != */relay-alone.md ]] && pages+=("$page")
    done
    scripts docs "${pages[@]}"
}

# Packages, programs that carry their libraries, the same bytes twice.
suite_package() {
    need_packages debhelper lintian dpkg-dev fakeroot
    mkdir -p "$build_dir/packages"
    export CONFAB_KEEP_PACKAGES=$build_dir/packages
    scripts package "$top/tests/package/reproducible.sh"
    export CONFAB_PACKAGES=$CONFAB_KEEP_PACKAGES
    scripts package "$top/tests/package/debian.sh" "$top/tests/package/static.sh" "$top/tests/package/without-pkg-config.sh" \
        "$top/docs/relay-alone.md" "$top/README.md"
}

suite_distcheck() {
    if logged "$logs/distcheck.log" make -C "$build_dir" distcheck; then
        add 1 0 distcheck
    else
        tail -40 "$logs/distcheck.log" >&2
        add 0 1 distcheck
    fi
}

check() {
    local suites=() suite kind=plain known
    if [[ ${1:-} == asan ]]; then
        kind=asan
        shift
    fi
    for suite in "$@"; do
        known=" ${all_suites[*]} distcheck package "
        [[ $known == *" $suite "* ]] || { usage >&2; exit 2; }
        suites+=("$suite")
    done
    ((${#suites[@]})) || suites=("${all_suites[@]}")
    need_packages "${build_packages[@]}" "${check_packages[@]}"
    need_node
    if [[ $kind == asan ]]; then
        build_dir=$top/build-asan
        build build-asan --enable-werror --enable-fault-points --enable-sanitizers CFLAGS='-O1 -g'
    else
        build_dir=$top/build-check
        build build-check --enable-werror --enable-fault-points
    fi
    logs=$build_dir/check-logs
    mkdir -p "$logs"
    run make -s -C "$build_dir" -j"$(nproc)" check TESTS= >"$logs/programs.log" 2>&1 </dev/null ||
        { tail -40 "$logs/programs.log" >&2; die "make failed: $logs/programs.log"; }
    need_node_modules
    export CONFAB_BUILD=$build_dir CONFAB_SOURCE=$top
    # Asked for by name: every server in every mode, however long that takes.
    [[ " $* " == *" deploy "* ]] && export CONFAB_DEPLOY=all
    for suite in "${suites[@]}"; do
        say "suite $suite"
        "suite_$suite"
    done
    printf '%s passed, %s failed\n' "$passed" "$failed"
    exit $((failed > 0))
}
