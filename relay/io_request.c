/* io_request - request heads and plain answers as bytes
 *
 * Strict where leniency would let two programs read one head in two ways (line ends, folded
 * lines, repeated fields, bodies on an upgrade); deaf to every field it does not need.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_request.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define SPACES " \t"

/* What is noted while the fields are read, beyond struct io_head. */
struct reading {
    struct io_head *head;
    bool http_1_1;
    bool wants_websocket;       /* Upgrade names it */
    bool wants_upgrade;         /* Connection names Upgrade */
    bool has_body;
    const char *version;        /* Sec-WebSocket-Version */
};

static const struct reason {
    int status;
    const char *text;
} reasons[] = {
    { 200, "OK" },
    { 204, "No Content" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 408, "Request Timeout" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 426, "Upgrade Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 503, "Service Unavailable" },
    { 505, "HTTP Version Not Supported" },
};

static bool
is_token(const char *s)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9')
              || strchr(others, *s) != NULL))
            return false;
    return true;
}

/* Is word an element of the comma-separated list, without regard to case? */
static bool
list_names(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (*list != '\0') {
        size_t n;

        list += strspn(list, SPACES ",");
        n = strcspn(list, SPACES ",");
        if (n == len && strncasecmp(list, word, len) == 0)
            return true;
        list += strcspn(list, ",");
    }
    return false;
}

static bool
is_key(const char *s)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    return strlen(s) == IO_KEY_LENGTH && strspn(s, base64) == IO_KEY_LENGTH - 2
        && strcmp(s + IO_KEY_LENGTH - 2, "==") == 0;
}

/* The next line, ended by NUL in place of its CR; NULL when there is none or a stray CR or LF. */
static char *
line_next(char **at, const char *end)
{
    char *line = *at;
    char *eol = memchr(line, '\n', (size_t)(end - line));

    if (eol == NULL || eol == line || eol[-1] != '\r')
        return NULL;
    eol[-1] = '\0';
    *at = eol + 1;
    return strchr(line, '\r') == NULL ? line : NULL;
}

static int
request_line_parse(char *line, struct reading *r)
{
    char *target = strchr(line, ' ');
    char *version, *query;

    if (target == NULL || (version = strchr(target + 1, ' ')) == NULL)
        return 400;
    *target++ = '\0';
    *version++ = '\0';
    if (!is_token(line) || *target != '/' || strchr(target, '\t') != NULL)
        return 400;
    if (strcmp(version, "HTTP/1.1") == 0)
        r->http_1_1 = true;
    else if (strcmp(version, "HTTP/1.0") != 0)
        return strncmp(version, "HTTP/", 5) == 0 && strlen(version) <= 8 ? 505 : 400;

    if ((query = strchr(target, '?')) != NULL)
        *query++ = '\0';
    r->head->method = line;
    r->head->path = target;
    r->head->query = query != NULL ? query : "";
    return 0;
}

/* Keeps the value of a field that may come once. */
static int
keep_once(const char **slot, const char *value)
{
    if (*slot != NULL)
        return 400;
    *slot = value;
    return 0;
}

static const char *
last_element(const char *list)
{
    const char *comma = strrchr(list, ',');

    if (comma != NULL)
        list = comma + 1;
    return list + strspn(list, SPACES);
}

static int
field_keep(struct reading *r, const char *name, const char *value)
{
    if (strcasecmp(name, "Upgrade") == 0)
        r->wants_websocket |= list_names(value, "websocket");
    else if (strcasecmp(name, "Connection") == 0)
        r->wants_upgrade |= list_names(value, "upgrade");
    else if (strcasecmp(name, "Sec-WebSocket-Key") == 0)
        return keep_once(&r->head->key, value);
    else if (strcasecmp(name, "Sec-WebSocket-Version") == 0)
        return keep_once(&r->version, value);
    else if (strcasecmp(name, "Authorization") == 0)
        return keep_once(&r->head->authorization, value);
    else if (strcasecmp(name, "Origin") == 0)
        return keep_once(&r->head->origin, value);
    else if (strcasecmp(name, "X-Forwarded-For") == 0)
        r->head->forwarded = last_element(value);
    else if (strcasecmp(name, "Transfer-Encoding") == 0)
        r->has_body = true;
    else if (strcasecmp(name, "Content-Length") == 0)
        r->has_body |= strcmp(value, "0") != 0;
    return 0;
}

static int
field_parse(char *line, struct reading *r)
{
    char *colon = strchr(line, ':');
    char *value, *end;

    if (colon == NULL)
        return 400;
    *colon = '\0';
    if (!is_token(line))        /* also a folded line, which begins with a space */
        return 400;
    value = colon + 1 + strspn(colon + 1, SPACES);
    for (end = value + strlen(value); end > value && strchr(SPACES, end[-1]) != NULL; )
        *--end = '\0';
    return field_keep(r, line, value);
}

/* An upgrade is asked for properly or it is none, which the layer above refuses in its own words. A body
 * would be taken for frames. */
static int
upgrade_judge(struct reading *r)
{
    if (!r->wants_websocket || !r->wants_upgrade || !r->http_1_1
        || strcmp(r->head->method, "GET") != 0)
        return 0;
    r->head->upgrade = r->version != NULL && strcmp(r->version, "13") == 0
                       && r->head->key != NULL && is_key(r->head->key);
    return r->has_body ? 400 : 0;
}

enum io_scan
io_head_scan(const char *p, size_t len, size_t seen, size_t *end_r)
{
    if (len > 0 && (p[0] < 'A' || p[0] > 'Z'))     /* TLS, for one, begins with 0x16 */
        return IO_SCAN_BAD;
    for (size_t i = seen; i < len; i++) {
        unsigned char c = (unsigned char)p[i];

        if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
            return IO_SCAN_BAD;
        if (c == '\n' && i >= 3 && memcmp(p + i - 3, "\r\n\r", 3) == 0) {
            *end_r = i + 1;
            return IO_SCAN_DONE;
        }
    }
    return IO_SCAN_MORE;
}

int
io_head_parse(char *p, size_t len, struct io_head *head_r)
{
    struct reading r = { .head = head_r };
    const char *end = p + len;
    char *line;
    int status;

    *head_r = (struct io_head){ 0 };
    if (memchr(p, '\0', len) != NULL || (line = line_next(&p, end)) == NULL)
        return 400;
    if ((status = request_line_parse(line, &r)) != 0)
        return status;
    while ((line = line_next(&p, end)) != NULL && *line != '\0')
        if ((status = field_parse(line, &r)) != 0)
            return status;
    if (line == NULL || p != end)
        return 400;
    return upgrade_judge(&r);
}

void
io_answer_write(struct sbuf *out, const struct io_answer *a, bool head_only)
{
    const char *reason = "Answer";

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == a->status)
            reason = reasons[i].text;
    sbuf_printf(out, "HTTP/1.1 %d %s\r\n", a->status, reason);
    if (a->content_type != NULL)
        sbuf_printf(out, "Content-Type: %s\r\n", a->content_type);
    if (a->status != 204)
        sbuf_printf(out, "Content-Length: %zu\r\n", a->body.len);
    sbuf_put(out, sbuf_str(&a->headers), a->headers.len);
    sbuf_puts(out, "Connection: close\r\n\r\n");
    if (!head_only && a->status != 204)
        sbuf_put(out, sbuf_str(&a->body), a->body.len);
}
