/* config - every setting, typed
 *
 * config.def becomes the table `rows`; the file and the environment both end in config_row_set(). What settings
 * must be together is config_check.c, what credentials are judged by config_rules.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/config_channels.h"
#include "shared/config_row.h"
#include "shared/log.h"

#define FILE_MAX_BYTES (128 * 1024)
#define ENV_PREFIX "CONFAB_"
#define DEFAULT_FILE CONFAB_SYSCONFDIR "/confab/confab.conf"
#define SECRET_SUFFIX "_file"

static const struct config_row rows[] = {
#define CONFIG_SECTION(title) { .kind = KIND_SECTION, .name = title },
#define CONFIG(kind_, name_, fallback, min_, max_, help_) \
    { .kind = KIND_##kind_, .name = #name_, DEFAULT_##kind_(fallback), .min = min_, \
      .max = max_, .help = help_, .offset = offsetof(struct config, name_) },
#include "shared/config.def"
#undef CONFIG
#undef CONFIG_SECTION
};

#define N_ROWS (sizeof rows / sizeof rows[0])

/* Variables that are no settings, yet ours. */
static const char *const other_variables[] = { "CONFAB_CONFIG", "CONFAB_FAULT", NULL };

extern char **environ;

/* ---- values ---- */

/* Reads at most max bytes of what fd is; -1 and errno on failure, EFBIG for more. */
static ssize_t
read_all(int fd, char *into, size_t max)
{
    size_t len = 0;
    ssize_t n;

    while ((n = read(fd, into + len, max + 1 - len)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        len += (size_t)n;
        if (len > max) {
            errno = EFBIG;
            return -1;
        }
    }
    return (ssize_t)len;
}

/* A secret's file: its first line, if nobody else may read it. */
static enum err
set_secret_file(struct arena *a, struct config *c, const struct config_row *row, const char *path,
                const char *where, struct fail *fail)
{
    size_t max = (size_t)row->max + 2;      /* the line's end may be CRLF */
    char *text = arena_alloc(a, max + 2);
    const char *fault = NULL;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return err_fail(fail, ERR_FIELD, row->name, "%s: cannot open %s: %s", where, path,
                        strerror(errno));
    if (fstat(fd, &st) != 0 || (st.st_mode & 007) != 0)
        fault = "others may use it (chmod o= it)";
    else if (read_all(fd, text, max) < 0)
        fault = strerror(errno);
    else if ((text[strcspn(text, "\r\n")] = '\0', text[0] == '\0'))
        fault = "its first line is empty";
    close(fd);
    if (fault != NULL)
        return err_fail(fail, ERR_FIELD, row->name, "%s: secret file %s: %s", where, path, fault);
    return config_row_set(a, row, c, text, where, fail);
}

/* ---- the file ---- */

/* The row of that name; *by_file_r tells a secret's _file form. NULL when unknown. */
static const struct config_row *
find_row(const char *name, bool *by_file_r)
{
    size_t i, len;

    for (i = 0; i < N_ROWS; i++) {
        if (rows[i].kind == KIND_SECTION)
            continue;
        len = strlen(rows[i].name);
        if (strncmp(name, rows[i].name, len) != 0)
            continue;
        *by_file_r = rows[i].kind == KIND_SECRET && strcmp(name + len, SECRET_SUFFIX) == 0;
        if (name[len] == '\0' || *by_file_r)
            return &rows[i];
    }
    return NULL;
}

static enum err
set_named(struct arena *a, struct config *c, const char *name, const char *value,
          const char *where, struct fail *fail)
{
    bool by_file;
    const struct config_row *row = find_row(name, &by_file);

    if (row == NULL)
        return err_fail(fail, ERR_FIELD, NULL, "%s: unknown setting %s", where, name);
    return by_file ? set_secret_file(a, c, row, value, where, fail)
                   : config_row_set(a, row, c, value, where, fail);
}

/* The text without white space at both ends, cut in place. */
static char *
trim(char *s)
{
    size_t len;

    while (isspace((unsigned char)*s))
        s++;
    for (len = strlen(s); len > 0 && isspace((unsigned char)s[len - 1]); len--)
        ;
    s[len] = '\0';
    return s;
}

/* One line: nothing, a comment, [section], or name = value. */
static enum err
read_line(struct arena *a, struct config *c, struct config_channels *channels, char *line,
          const char *where, struct fail *fail)
{
    char *equals;
    size_t len;

    line = trim(line);
    if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
        return ERR_OK;
    len = strlen(line);
    if (line[0] == '[' && line[len - 1] == ']') {
        line[len - 1] = '\0';
        return config_channels_section(channels, a, trim(line + 1), where, fail);
    }
    equals = strchr(line, '=');
    if (equals == NULL || equals == line)
        return err_fail(fail, ERR_FIELD, NULL, "%s: expected name = value", where);
    *equals = '\0';
    if (channels->inside)
        return config_channels_set(channels, a, trim(line), trim(equals + 1), where, fail);
    return set_named(a, c, trim(line), trim(equals + 1), where, fail);
}

static enum err
read_lines(struct arena *a, struct config *c, struct config_channels *channels, const char *path,
           char *text, size_t len, struct fail *fail)
{
    char *line, *next = text;
    unsigned number = 0;
    enum err e;

    if (memchr(text, '\0', len) != NULL)
        return err_fail(fail, ERR_FIELD, NULL, "%s: not a text file", path);
    while ((line = next) != NULL) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        e = read_line(a, c, channels, line, arena_printf(a, "%s:%u", path, ++number), fail);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err
read_file(struct arena *a, struct config *c, struct config_channels *channels, struct fail *fail)
{
    const char *named = getenv("CONFAB_CONFIG");
    const char *path = named != NULL ? named : DEFAULT_FILE;
    char *text;
    ssize_t len;
    int saved, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0 && named == NULL && (errno == ENOENT || errno == ENOTDIR))
        return ERR_OK;
    if (fd < 0)
        return err_fail(fail, ERR_FIELD, NULL, "%s: %s", path, strerror(errno));
    text = arena_alloc(a, FILE_MAX_BYTES + 2);
    len = read_all(fd, text, FILE_MAX_BYTES);
    saved = errno;
    close(fd);
    if (len < 0)
        return err_fail(fail, ERR_FIELD, NULL, "%s: %s", path, strerror(saved));
    return read_lines(a, c, channels, path, text, (size_t)len, fail);
}

/* ---- the environment ---- */

static bool
is_listed(const char *const *list, const char *word)
{
    for (; *list != NULL; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

/* The variable of a setting: "CONFAB_JWT_SECRET" with "" or "_file" behind. */
static char *
variable_of(struct arena *a, const char *name, const char *suffix)
{
    char *variable = arena_printf(a, ENV_PREFIX "%s%s", name, suffix);
    char *p;

    for (p = variable; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    return variable;
}

static enum err
read_variables(struct arena *a, struct config *c, struct fail *fail)
{
    const char *variable, *file_variable, *value, *path;
    enum err e = ERR_OK;
    size_t i;

    for (i = 0; i < N_ROWS && e == ERR_OK; i++) {
        if (rows[i].kind == KIND_SECTION)
            continue;
        variable = variable_of(a, rows[i].name, "");
        value = getenv(variable);
        if (value != NULL)
            e = config_row_set(a, &rows[i], c, value, variable, fail);
        if (rows[i].kind != KIND_SECRET || e != ERR_OK)
            continue;
        file_variable = variable_of(a, rows[i].name, SECRET_SUFFIX);
        path = getenv(file_variable);
        if (path != NULL && value != NULL)
            return err_fail(fail, ERR_FIELD, rows[i].name, "%s and %s are both set", variable,
                            file_variable);
        if (path != NULL)
            e = set_secret_file(a, c, &rows[i], path, file_variable, fail);
    }
    return e;
}

static void
warn_unknown_variables(struct arena *a)
{
    const size_t prefix_len = strlen(ENV_PREFIX);
    const char *const *v;
    char *variable, *name, *p;
    bool by_file;

    for (v = (const char *const *)environ; *v != NULL; v++) {
        if (strncmp(*v, ENV_PREFIX, prefix_len) != 0)
            continue;
        variable = arena_copy(a, *v, strcspn(*v, "="));
        name = arena_string(a, variable + prefix_len);
        for (p = name; *p != '\0'; p++)
            *p = (char)tolower((unsigned char)*p);
        if (!is_listed(other_variables, variable) && find_row(name, &by_file) == NULL)
            log_event(LOG_LEVEL_WARNING, "unknown_variable", "name", variable, NULL);
    }
}

/* ---- lists and what is derived ---- */

/* The parts of a comma-separated text, trimmed, without empty ones; NULL-terminated. */
static const char *const *
split(struct arena *a, const char *text)
{
    char *part, *rest = NULL, *copy = arena_string(a, text);
    const char **list;
    size_t n = 1;

    for (part = copy; *part != '\0'; part++)
        n += *part == ',';
    list = arena_array(a, n + 1, sizeof *list);
    n = 0;
    for (part = strtok_r(copy, ",", &rest); part != NULL; part = strtok_r(NULL, ",", &rest)) {
        part = trim(part);
        if (part[0] != '\0')
            list[n++] = part;
    }
    return list;
}

/* The list of that one key; empty for "". */
static const char *const *
one_key(struct arena *a, const char *key)
{
    const char **list = arena_array(a, 2, sizeof *list);

    if (key[0] != '\0')
        list[0] = key;
    return list;
}

static void
derive(struct arena *a, struct config *c)
{
    if (c->run[0] == '\0')
        c->run = arena_printf(a, "%s/run", c->state);
    if (c->database[0] == '\0')
        c->database = arena_printf(a, "%s/confab.db", c->state);
    c->trusted = strcmp(c->auth, "trusted") == 0;
    c->jwt_keys = split(a, c->jwt_secrets);
    if (c->jwt_keys[0] == NULL)
        c->jwt_keys = one_key(a, c->jwt_secret);
    c->rooms_keys = one_key(a, c->rooms_jwt_secret);
}

/* What `confabctl init --secrets` has made counts where nothing else is said. */
static enum err
take_made_secrets(struct arena *a, struct config *c, struct fail *fail)
{
    static const char *const names[] = { "jwt_secret", "admin_token", "rooms_jwt_secret" };
    enum err e = ERR_OK;
    bool by_file;
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0] && e == ERR_OK; i++) {
        const struct config_row *row = find_row(names[i], &by_file);
        const char *path = arena_printf(a, "%s/%s", c->state, names[i]);

        if ((*(const char *const *)((const char *)c + row->offset))[0] == '\0' && access(path, F_OK) == 0)
            e = set_secret_file(a, c, row, path, "state", fail);
    }
    return e;
}

enum err
config_load(struct arena *a, const struct config **config_r, struct fail *fail)
{
    struct config *c = arena_alloc(a, sizeof *c);
    struct config_channels channels;
    enum err e;

    config_row_defaults(rows, N_ROWS, c);
    config_channels_start(&channels, a);
    if ((e = read_file(a, c, &channels, fail)) != ERR_OK || (e = read_variables(a, c, fail)) != ERR_OK)
        return e;
    if (config_has_chat(c) && (e = take_made_secrets(a, c, fail)) != ERR_OK)
        return e;
    warn_unknown_variables(a);
    c->channels = channels.all;
    c->n_channels = channels.n;
    derive(a, c);
    *config_r = c;
    return ERR_OK;
}

/* ---- use ---- */

void
config_print(const struct config *c, struct sbuf *out, bool with_help)
{
    const struct config_row *row;

    for (row = rows; row < rows + N_ROWS; row++) {
        if (row->kind == KIND_SECTION) {
            sbuf_printf(out, "%s[%s]\n", row == rows ? "" : "\n", row->name);
            continue;
        }
        config_row_print(row, c, out, with_help);
    }
    config_channels_print(c, out, with_help);
}

void
config_bound_core(const struct config *c)
{
    const struct rlimit none = { 0 };

    if (!c->core_dumps)
        setrlimit(RLIMIT_CORE, &none);
}
