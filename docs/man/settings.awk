# settings.awk - confab.conf(5): puts the tables of shared/config.def and shared/channels.def where the page says
# @SETTINGS@ and @CHANNELS@
#
# awk -f docs/man/settings.awk shared/config.def shared/channels.def docs/man/confab.conf.5.in
#
# SPDX-License-Identifier: MIT

function add(format, text) { table = table sprintf(format, text) }

# What stands behind the name of a number, a switch or a text.
function add_default(kind, fallback, least, most) {
    if (kind == "INT")
        table = table sprintf("A number from %s to %s; %s by default.\n", least, most, fallback)
    else if (kind == "BOOL")
        add("%s by default.\n", fallback == "1" ? "On" : "Off")
    else if (kind == "SECRET")
        add("A secret: it may lie in a file named by\n.Cm %s_file .\n", name)
    else if (fallback != "")
        add("By default\n.Dq %s .\n", fallback)
}

/^CONFIG_SECTION\(/ {
    title = $0
    sub(/^[^"]*"/, "", title)
    sub(/".*$/, "", title)
    table = table (table == "" ? "" : ".El\n")
    add(".Ss %s\n.Bl -tag -width Ds\n", toupper(substr(title, 1, 1)) substr(title, 2))
}

/^(CONFIG|CHANNEL_OPTION)\(/ {
    if (/^CHANNEL/ && settings == "") {
        settings = table
        table = ".Bl -tag -width Ds\n"
    }
    line = $0
    sub(/^[A-Z_]*\(/, "", line)
    help = line
    sub(/^.*, *"/, "", help)
    sub(/"\).*$/, "", help)
    if (match(line, /, *"[^"]*"\)[^"]*$/))
        line = substr(line, 1, RSTART - 1)
    kind = line
    sub(/,.*/, "", kind)
    sub(/^[^,]*, */, "", line)
    name = line
    sub(/,.*/, "", name)
    sub(/^[^,]*, */, "", line)
    # what is left: default, min, max; the default may hold commas
    match(line, /, *[0-9]+, *[0-9]+$/)
    fallback = substr(line, 1, RSTART - 1)
    bounds = substr(line, RSTART + 1)
    gsub(/ /, "", bounds)
    split(bounds, bound, ",")
    gsub(/"/, "", fallback)
    if (fallback == "CONFAB_STATE_DIR")
        fallback = "lib/confab in the system's directory for variable data"
    else if (fallback == "CONFIG_SYSTEMS_DEFAULT")
        fallback = "mtchat"     # a build without a database has neither
    else if (fallback == "CONFIG_PUSH_DEFAULT")
        fallback = "0"
    add(".It Cm %s\n", name)
    add("%s.\n", help)
    add_default(kind, fallback, bound[1], bound[2])
}

/^CHANNEL_CHOICE\(/ {
    if (settings == "") {
        settings = table
        table = ".Bl -tag -width Ds\n"
    }
    split($0, quoted, "\"")
    split($0, part, /[(,] */)
    gsub(/ /, ", ", quoted[2])
    add(".It Cm %s\n", part[2])
    add("%s.\n", quoted[4])
    add("One of: %s;", quoted[2])
    add(" %s by default.\n", part[3])
}

# the page
FILENAME !~ /\.def$/ {
    if ($0 == "@SETTINGS@")
        printf "%s.El\n", settings
    else if ($0 == "@CHANNELS@")
        printf "%s.El\n", table
    else
        print
}
