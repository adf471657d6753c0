/* push - the push server's side: watching one channel or one user live
 *
 * Asks the relay's server listener with the configured key and prints what comes, a line of JSON an event, until
 * interrupted. Plain HTTP over a TCP or a unix socket.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "ctl/ctl.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "shared/listen.h"
#include "shared/sbuf.h"

#define HTTP "http://"
#define REQUEST_MAX 16384
#define CHUNK_MAX (64UL << 20)
#define PING "{}\n"                 /* says only that the connection lives */

/* ---- where ---- */

/* Where the server API listens: the --url, else what the settings say. NULL: explained. */
static const char *
place(const struct ctl *ctl, const char *url)
{
    const struct config *c = ctl->config;

    if (url != NULL && strncmp(url, HTTP, strlen(HTTP)) == 0) {
        url += strlen(HTTP);
        return arena_copy(ctl->arena, url, strcspn(url, "/"));
    }
    if (url != NULL && listen_is_local(url))
        return url;
    if (url != NULL) {
        ctl_fail("%s: http://HOST:PORT or unix:PATH is expected", url);
        return NULL;
    }
    return strcmp(c->push_api_listen, "clients") == 0 ? c->relay_listen : c->push_api_listen;
}

static FILE *
dial(const struct ctl *ctl, const char *where)
{
    int fd = ctl_dial(ctl, where);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r+");

    if (f == NULL && fd >= 0)
        close(fd);
    return f;
}

/* ---- asking ---- */

static void
put_percent(struct sbuf *b, const char *text)
{
    for (; *text != '\0'; text++) {
        if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL)
            sbuf_putc(b, *text);
        else
            sbuf_printf(b, "%%%02X", (unsigned char)*text);
    }
}

static bool
ask(const struct ctl *ctl, FILE *f, const char *where, const char *name, const char *value)
{
    struct sbuf b;
    bool sent;

    sbuf_init(&b, REQUEST_MAX);
    sbuf_printf(&b, "GET /admin/tail?%s=", name);
    put_percent(&b, value);
    sbuf_printf(&b, " HTTP/1.1\r\nHost: %s\r\n", listen_is_local(where) ? "localhost" : where);
    if (ctl->config->push_api_key[0] != '\0')
        sbuf_printf(&b, "X-API-Key: %s\r\n", ctl->config->push_api_key);
    sbuf_puts(&b, "Connection: close\r\n\r\n");
    sent = !b.failed && fwrite(b.data, 1, b.len, f) == b.len && fflush(f) == 0;
    sbuf_fini(&b);
    return sent;
}

/* Status line and header; the status, 0 for anything that is no answer in chunks or a refusal. */
static int
read_head(FILE *f)
{
    bool chunked = false;
    char *line = NULL;
    size_t size = 0;
    int status = 0;

    if (getline(&line, &size, f) > 0 && sscanf(line, "HTTP/1.%*1[01] %3d", &status) != 1)
        status = 0;
    while (status != 0 && getline(&line, &size, f) > 2)
        if (strncasecmp(line, "Transfer-Encoding:", 18) == 0 && strcasestr(line, "chunked") != NULL)
            chunked = true;
    free(line);
    return status == 200 && !chunked ? 0 : status;
}

/* Appends one chunk; false at the end. */
static bool
read_chunk(FILE *f, struct sbuf *b)
{
    unsigned long n;
    char line[64];
    char *room;

    if (fgets(line, sizeof line, f) == NULL)
        return false;
    n = strtoul(line, NULL, 16);
    if (n == 0 || n > CHUNK_MAX || (room = sbuf_grow(b, n)) == NULL)
        return false;
    return fread(room, 1, n, f) == n && fgets(line, sizeof line, f) != NULL;
}

/* Prints the whole lines of b and keeps the rest. */
static bool
print_lines(struct sbuf *b)
{
    char *end = memrchr(b->data, '\n', b->len), *p, *next;
    size_t whole = end == NULL ? 0 : (size_t)(end - b->data) + 1;

    for (p = b->data; p < b->data + whole; p = next) {
        next = (char *)memchr(p, '\n', whole - (size_t)(p - b->data)) + 1;
        if (strncmp(p, PING, strlen(PING)) != 0)
            fwrite(p, 1, (size_t)(next - p), stdout);
    }
    memmove(b->data, b->data + whole, b->len - whole);
    b->len -= whole;
    return fflush(stdout) == 0;
}

static int
follow(FILE *f)
{
    struct sbuf b;

    sbuf_init(&b, 2 * CHUNK_MAX);
    while (read_chunk(f, &b) && print_lines(&b))
        ;
    sbuf_fini(&b);
    return ctl_fail("push-tail: the relay has ended it");
}

static int
tail(const struct ctl *ctl, const char *url, const char *name, const char *value)
{
    const char *where = place(ctl, url);
    int status;
    FILE *f;

    if (where == NULL)
        return 1;
    if ((f = dial(ctl, where)) == NULL)
        return ctl_fail("%s: nobody answers: %s", where, strerror(errno));
    status = ask(ctl, f, where, name, value) ? read_head(f) : 0;
    if (status == 200)
        status = follow(f);
    else if (status == 401)
        status = ctl_fail("%s: push_api_key is not the relay's", where);
    else if (status == 0)
        status = ctl_fail("%s: no server listener answers there, or one with TLS, which push-tail does not speak",
                          where);
    else
        status = ctl_fail("%s: the relay refuses, status %d", where, status);
    fclose(f);
    return status;
}

int
ctl_push_tail(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        { "channel", required_argument, NULL, 'c' },
        { "user", required_argument, NULL, 'u' },
        { "url", required_argument, NULL, 'l' },
        { 0 }
    };
    const char *channel = NULL, *user = NULL, *url = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'c')
            channel = optarg;
        else if (c == 'u')
            user = optarg;
        else if (c == 'l')
            url = optarg;
        else
            return CTL_USAGE;
    }
    if (optind != argc || (channel == NULL) == (user == NULL))
        return CTL_USAGE;
    return tail(ctl, url, channel != NULL ? "channel" : "user", channel != NULL ? channel : user);
}
