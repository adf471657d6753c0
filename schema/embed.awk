# embed.awk - files as C, so that programs carry them: statements and migrations, the operator's page
#
# awk -v make=queries.h    -f embed.awk queries/*.sql
# awk -v make=queries.c    -f embed.awk queries/*.sql
# awk -v make=migrations.c -f embed.awk 0001_*.sql 0002_*.sql ...
# awk -v make=page.c       -f embed.awk index.html ...
# awk -v make=explain      -f embed.awk queries/*.sql      (for tests/check-sql.sh)
#
# -v set=history makes those of another file's schema, whose names all begin with that word.
#
# A statement in queries/ begins with a line `-- name: some_name` and ends at the next one or
# with its file. Its comments and final semicolon are dropped. Migrations are taken as they are.
#
# SPDX-License-Identifier: MIT

function die(why) {
    printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"
    failed = 1
    exit 1
}

# line without its comment; knows '...' that spans lines (in_quotes).
function uncomment(line,    i, c) {
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (c == "'")
            in_quotes = !in_quotes
        else if (!in_quotes && substr(line, i, 2) == "--")
            return substr(line, 1, i - 1)
    }
    return line
}

function c_string(line) {
    gsub(/\\/, "\\\\&", line)       # a backslash and itself
    gsub(/"/, "\\\"", line)
    gsub(/\?\?/, "?\\?", line)
    gsub(/\t/, "\\t", line)
    return "\"" line "\\n\""
}

function end_statement(    t) {
    if (name == "")
        return
    if (in_quotes)
        die("statement " name " ends within quotes")
    t = text
    gsub(/^[ \n]+/, "", t)
    gsub(/[ ;\n]+$/, "", t)
    if (t == "")
        die("statement " name " is empty")
    n++
    names[n] = name
    texts[n] = t
    name = ""
}

function begin_statement(line) {
    end_statement()
    sub(/^-- name:[ \t]*/, "", line)
    sub(/[ \t\r]+$/, "", line)
    if (line !~ /^[a-z][a-z0-9_]*$/)
        die("a name is lower case, digits and underscores: " line)
    if (line in seen)
        die("statement " line " is there already, in " seen[line])
    seen[line] = FILENAME
    name = line
    text = ""
    in_quotes = 0
}

BEGIN { prefix = set == "" ? "" : set "_" }

make == "migrations.c" || make == "page.c" {
    if (FNR == 1) {
        n++
        names[n] = FILENAME
        sub(/.*\//, "", names[n])
    }
    texts[n] = texts[n] "\n    " c_string($0)
    next
}

FNR == 1 { end_statement() }

/^-- name:/ {
    begin_statement($0)
    next
}

{
    line = uncomment($0)
    sub(/[ \t\r]+$/, "", line)
    if (line == "")
        next
    if (name == "")
        die("SQL before the first `-- name:`")
    text = text line "\n"
}

function write_header(    i) {
    printf "#ifndef %sQUERIES_H\n#define %sQUERIES_H\n\nenum %squery {\n", toupper(prefix),
           toupper(prefix), prefix
    for (i = 1; i <= n; i++)
        printf "    %sQ_%s,\n", toupper(prefix), toupper(names[i])
    printf "    %sQ_COUNT\n};\n\n#endif\n", toupper(prefix)
}

function write_statements(    i, j, lines, count) {
    print "#include \"schema/embedded.h\"\n"
    printf "const char *const %squery_name[%sQ_COUNT + 1] = {\n", prefix, toupper(prefix)
    for (i = 1; i <= n; i++)
        printf "    \"%s\",\n", names[i]
    printf "    0\n};\n\nconst char *const %squery_text[%sQ_COUNT + 1] = {\n", prefix, toupper(prefix)
    for (i = 1; i <= n; i++) {
        count = split(texts[i], lines, "\n")
        for (j = 1; j <= count; j++)
            printf "    %s%s\n", c_string(lines[j]), j == count ? "," : ""
    }
    print "    0\n};"
}

# Prepares each statement without running it; a NUL behind each.
function write_explain(    i) {
    for (i = 1; i <= n; i++)
        printf "-- %s\nEXPLAIN %s;%c", names[i], texts[i], 0
}

function write_migrations(    i) {
    print "#include \"schema/embedded.h\"\n"
    printf "const char *const %smigration_text[] = {\n", prefix
    for (i = 1; i <= n; i++)
        printf "%s,\n", texts[i]
    print "    0\n};\n"
    printf "const int %smigration_count = %d;\n", prefix, n
}

function write_page(    i) {
    print "#include \"relay/push/page.h\"\n"
    print "const struct page_file page_files[] = {"
    for (i = 1; i <= n; i++)
        printf "    { \"%s\",%s },\n", names[i], texts[i]
    print "    { 0 }\n};"
}

END {
    if (failed)
        exit 1
    end_statement()
    if (make == "explain") {
        write_explain()
        exit 0
    }
    print "/* made by schema/embed.awk; do not edit */"
    if (make == "queries.h")
        write_header()
    else if (make == "queries.c")
        write_statements()
    else if (make == "migrations.c")
        write_migrations()
    else if (make == "page.c")
        write_page()
}
