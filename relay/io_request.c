/* io_request - request heads and answers as bytes
 *
 * Strict where leniency would let two programs read one head in two ways (line ends, folded
 * lines, repeated fields, the length of a body, bodies on an upgrade); deaf to every field it does
 * not need. The fields are put together in place, so that all of them can be asked for.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/io_request.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define SPACES " \t"
#define LENGTH_DIGITS 18        /* of a Content-Length: what surely fits */

/* What is noted while the fields are read, beyond struct io_head. */
struct reading {
    struct io_head *head;
    bool wants_websocket;       /* Upgrade names it */
    bool wants_upgrade;         /* Connection names Upgrade */
    const char *version;        /* Sec-WebSocket-Version */
    const char *length;         /* Content-Length */
    const char *coding;         /* Transfer-Encoding */
    unsigned seen;              /* of the fields in `single`, a bit each */
};

/* Fields of which a second one would be believed by one program and not by the next. */
static const char *const single[] = {
    "Authorization", "Content-Length", "Content-Type", "Expect", "Host", "Origin", "Sec-WebSocket-Key",
    "Sec-WebSocket-Version", "Transfer-Encoding", "X-API-Key",
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
    { 409, "Conflict" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
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
    if (strlen(target) > IO_TARGET_MAX)
        return 413;
    if (strcmp(version, "HTTP/1.1") == 0)
        r->head->http_1_1 = true;
    else if (strcmp(version, "HTTP/1.0") != 0)
        return strncmp(version, "HTTP/", 5) == 0 && strlen(version) <= 8 ? 505 : 400;

    if ((query = strchr(target, '?')) != NULL)
        *query++ = '\0';
    r->head->method = line;
    r->head->path = target;
    r->head->query = query != NULL ? query : "";
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

/* Is it a field that came before and may not come again? */
static bool
field_repeats(struct reading *r, const char *name)
{
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (strcasecmp(name, single[i]) == 0) {
            unsigned bit = 1u << i;
            bool before = r->seen & bit;

            r->seen |= bit;
            return before;
        }
    return false;
}

static int
field_keep(struct reading *r, const char *name, const char *value)
{
    if (field_repeats(r, name))
        return 400;
    if (strcasecmp(name, "Upgrade") == 0) {
        r->wants_websocket |= list_names(value, "websocket");
    } else if (strcasecmp(name, "Connection") == 0) {
        r->wants_upgrade |= list_names(value, "upgrade");
        r->head->close |= list_names(value, "close");
    } else if (strcasecmp(name, "Sec-WebSocket-Key") == 0) {
        r->head->key = value;
    } else if (strcasecmp(name, "Sec-WebSocket-Version") == 0) {
        r->version = value;
    } else if (strcasecmp(name, "X-Forwarded-For") == 0) {
        r->head->forwarded = last_element(value);
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        r->coding = value;
    } else if (strcasecmp(name, "Content-Length") == 0) {
        r->length = value;
    } else if (strcasecmp(name, "Expect") == 0) {
        if (strcasecmp(value, "100-continue") != 0)
            return 417;
        r->head->expects_continue = true;
    }
    return 0;
}

/* Reads a field and puts name and value behind those before it: what is left out (colon, spaces, CRLF)
 * is never shorter than the two NULs. */
static int
field_parse(char *line, struct reading *r, char **put)
{
    char *colon = strchr(line, ':');
    char *value, *end, *name = *put;
    size_t name_len, len;

    if (colon == NULL)
        return 400;
    *colon = '\0';
    if (!is_token(line))        /* also a folded line, which begins with a space */
        return 400;
    value = colon + 1 + strspn(colon + 1, SPACES);
    for (end = value + strlen(value); end > value && strchr(SPACES, end[-1]) != NULL; )
        *--end = '\0';
    name_len = (size_t)(colon - line) + 1;
    len = (size_t)(end - value) + 1;
    memmove(name, line, name_len);
    memmove(name + name_len, value, len);
    *put = name + name_len + len;
    return field_keep(r, name, name + name_len);
}

/* A length as digits and nothing else; -1 when it is none. */
static int64_t
length_parse(const char *s)
{
    size_t len = strlen(s);
    int64_t n = 0;

    if (len == 0 || len > LENGTH_DIGITS || strspn(s, "0123456789") != len)
        return -1;
    for (; *s != '\0'; s++)
        n = n * 10 + (*s - '0');
    return n;
}

/* Where does the request end? If two programs could disagree (RFC 9112 section 6.3), nowhere. */
static int
length_judge(struct reading *r)
{
    struct io_head *head = r->head;

    if (r->coding != NULL) {
        if (r->length != NULL || !head->http_1_1 || strcasecmp(r->coding, "chunked") != 0)
            return 400;
        head->chunked = true;
    } else if (r->length != NULL && (head->content_length = length_parse(r->length)) < 0) {
        return 400;
    }
    return 0;
}

/* An upgrade is asked for properly or it is none, which the layer above refuses in its own words. A body
 * would be taken for frames. */
static int
upgrade_judge(struct reading *r)
{
    struct io_head *head = r->head;

    if (!r->wants_websocket || !r->wants_upgrade || !head->http_1_1
        || strcmp(head->method, "GET") != 0)
        return 0;
    head->close = true;         /* a proxy may take whatever is answered for an open socket: no request may follow */
    head->upgrade = r->version != NULL && strcmp(r->version, "13") == 0
                    && head->key != NULL && is_key(head->key);
    return io_head_has_body(head) ? 400 : 0;
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
    char *line, *put;
    int status;

    *head_r = (struct io_head){ 0 };
    if (memchr(p, '\0', len) != NULL || (line = line_next(&p, end)) == NULL)
        return 400;
    if ((status = request_line_parse(line, &r)) != 0)
        return status;
    if (end - p > IO_FIELDS_MAX)
        return 431;
    put = p;
    head_r->fields.at = p;
    while ((line = line_next(&p, end)) != NULL && *line != '\0')
        if ((status = field_parse(line, &r, &put)) != 0)
            return status;
    head_r->fields.end = put;
    if (line == NULL || p != end)
        return 400;
    if (!head_r->http_1_1)
        head_r->close = true;
    if ((status = length_judge(&r)) != 0)
        return status;
    return upgrade_judge(&r);
}

const char *
io_header(const struct io_request *r, const char *name)
{
    const char *p = r->fields != NULL ? r->fields->at : NULL;

    while (p != NULL && p < r->fields->end) {
        const char *value = p + strlen(p) + 1;

        if (strcasecmp(p, name) == 0)
            return value;
        p = value + strlen(value) + 1;
    }
    return NULL;
}

/* The first lines, up to where those differ that tell the end. */
static void
answer_begin(struct sbuf *out, int status, const struct io_answer *a)
{
    const char *reason = "Answer";

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            reason = reasons[i].text;
    sbuf_printf(out, "HTTP/1.1 %d %s\r\n", status, reason);
    if (a->content_type != NULL)
        sbuf_printf(out, "Content-Type: %s\r\n", a->content_type);
    sbuf_put(out, sbuf_str(&a->headers), a->headers.len);
}

void
io_answer_write(struct sbuf *out, const struct io_answer *a, bool head_only, bool close)
{
    answer_begin(out, a->status, a);
    if (a->status != 204)
        sbuf_printf(out, "Content-Length: %zu\r\n", a->body.len);
    sbuf_puts(out, close ? "Connection: close\r\n\r\n" : "\r\n");
    if (!head_only && a->status != 204)
        sbuf_put(out, sbuf_str(&a->body), a->body.len);
}

void
io_answer_write_stream(struct sbuf *out, const struct io_answer *a, bool chunked)
{
    answer_begin(out, 200, a);
    if (chunked)
        sbuf_puts(out, "Transfer-Encoding: chunked\r\n");
    sbuf_puts(out, "Connection: close\r\n\r\n");
}
