/* log - one line an event, on standard error or syslog
 *
 * A line is built on the stack and leaves in one write(2), so that lines of several threads
 * and processes do not mix, and logging works when memory is out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "shared/when.h"

#define LINE_MAX_BYTES 4000         /* below PIPE_BUF: a pipe takes it in one piece */
#define NUMBERS 8                   /* log_number results alive at once, per thread */
#define GATE_MS 1000

struct line {
    size_t len;
    char text[LINE_MAX_BYTES + 2];  /* newline and NUL always fit */
};

static const char *const level_words[] = { "error", "warning", "info", "debug" };
static const int level_priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

static const char *log_program = "confab";
static enum log_level log_threshold = LOG_LEVEL_INFO;
static bool log_syslog;

/* Appends as far as there is room; a line that is too long is cut, never lost. */
static void
add(struct line *l, const char *p, size_t len)
{
    if (len > LINE_MAX_BYTES - l->len)
        len = LINE_MAX_BYTES - l->len;
    memcpy(l->text + l->len, p, len);
    l->len += len;
}

static void
add_string(struct line *l, const char *s)
{
    add(l, s, strlen(s));
}

/* Bytes of the character at p, which is not the end; 0 for what must not stand as it is: control
 * characters (they could steer a terminal, C1 ones too) and what is no UTF-8. */
static size_t
plain_len(const unsigned char *p)
{
    size_t i, n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;

    if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
        return 0;
    for (i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

static bool
needs_quotes(const char *value)
{
    const unsigned char *p = (const unsigned char *)value;
    size_t n;

    for (; *p != '\0'; p += n)
        if ((n = plain_len(p)) == 0 || strchr(" \"\\=", *p) != NULL)
            return true;
    return p == (const unsigned char *)value;
}

static void
add_value(struct line *l, const char *value)
{
    const unsigned char *p;
    char escape[8];
    size_t n;

    if (!needs_quotes(value)) {
        add_string(l, value);
        return;
    }
    add(l, "\"", 1);
    for (p = (const unsigned char *)value; *p != '\0'; p += n > 0 ? n : 1) {
        n = plain_len(p);
        if (*p == '\n') {
            add(l, "\\n", 2);
        } else if (n == 0) {
            snprintf(escape, sizeof escape, "\\x%02x", *p);
            add_string(l, escape);
        } else if (*p == '"' || *p == '\\') {
            add(l, (const char[]){ '\\', (char)*p }, 2);
        } else {
            add(l, (const char *)p, n);
        }
    }
    add(l, "\"", 1);
}

static void
send_line(struct line *l, enum log_level level)
{
    ssize_t n;

    if (log_syslog) {
        l->text[l->len] = '\0';
        syslog(level_priorities[level], "%s", l->text);
        return;
    }
    l->text[l->len++] = '\n';
    n = write(STDERR_FILENO, l->text, l->len);
    (void)n;        /* there is nobody left to tell */
}

void
log_setup(const char *program, enum log_level level, bool to_syslog)
{
    log_program = program;
    log_threshold = level;
    log_syslog = to_syslog;
    if (log_syslog)
        openlog(program, LOG_PID, LOG_DAEMON);
}

bool
log_level_named(const char *name, enum log_level *level_r)
{
    size_t i;

    for (i = 0; i < sizeof level_words / sizeof level_words[0]; i++) {
        if (strcmp(name, level_words[i]) == 0) {
            *level_r = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void
log_event(enum log_level level, const char *event, ...)
{
    struct line l = { .len = 0 };
    char now[WHEN_TEXT_SIZE];
    const char *key, *value;
    va_list args;

    if (!log_enabled(level))
        return;
    if (!log_syslog) {
        add_string(&l, when_text(when_now_ms(), now));
        add(&l, " ", 1);
        add_string(&l, log_program);
        add(&l, " ", 1);
    }
    add_string(&l, level_words[level]);
    add(&l, " ", 1);
    add_string(&l, event);
    va_start(args, event);
    while ((key = va_arg(args, const char *)) != NULL) {
        value = va_arg(args, const char *);
        if (value == NULL)
            continue;
        add(&l, " ", 1);
        add_string(&l, key);
        add(&l, "=", 1);
        add_value(&l, value);
    }
    va_end(args);
    send_line(&l, level);
}

const char *
log_number(long long n)
{
    static _Thread_local char ring[NUMBERS][24];
    static _Thread_local unsigned next;
    char *text = ring[next++ % NUMBERS];

    snprintf(text, sizeof ring[0], "%lld", n);
    return text;
}

bool
log_enabled(enum log_level level)
{
    return level <= log_threshold;
}

bool
log_gate_opens(struct log_gate *g, int64_t now_ms, int64_t *unsaid_r)
{
    if (now_ms < g->next_ms) {
        g->unsaid++;
        return false;
    }
    *unsaid_r = g->unsaid;
    *g = (struct log_gate){ .next_ms = now_ms + GATE_MS };
    return true;
}
