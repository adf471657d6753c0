/* http - the pure part of HTTP: targets, percent coding, header values
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/http.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "shared/percent.h"
#include "shared/utf8.h"

/* Number of pieces that `separator` makes of p[0..len). */
static size_t
count_pieces(const char *p, size_t len, char separator)
{
    size_t n = 1, i;

    for (i = 0; i < len; i++)
        n += p[i] == separator;
    return n;
}

static void
split_path(struct arena *a, const char *p, size_t len, struct target *t)
{
    const char *end = p + len, *stop;

    t->segments = arena_array(a, count_pieces(p, len, '/'), sizeof *t->segments);
    for (;;) {
        struct segment *s = &t->segments[t->n_segments++];

        stop = memchr(p, '/', (size_t)(end - p));
        s->err = http_decode(a, p, (size_t)((stop ? stop : end) - p), false, &s->text);
        if (!stop)
            return;
        p = stop + 1;
    }
}

static void
add_pair(struct arena *a, const char *p, size_t len, struct target *t)
{
    const char *equals = memchr(p, '=', len);
    size_t name_len = equals ? (size_t)(equals - p) : len;
    struct pair *pair = &t->pairs[t->n_pairs];
    enum err e;

    e = http_decode(a, p, name_len, true, &pair->name);
    if (e == ERR_OK && equals)
        e = http_decode(a, equals + 1, len - name_len - 1, true, &pair->value);
    else if (e == ERR_OK)
        pair->value = "";
    if (e == ERR_OK)
        t->n_pairs++;
    else if (t->query_err == ERR_OK) {
        t->query_err = e;
        t->query_bad = pair->name;
    }
}

static void
split_query(struct arena *a, const char *p, size_t len, struct target *t)
{
    const char *end = p + len, *stop;

    t->pairs = arena_array(a, count_pieces(p, len, '&'), sizeof *t->pairs);
    for (; p < end; p = stop + 1) {
        stop = memchr(p, '&', (size_t)(end - p));
        if (!stop)
            stop = end;
        if (stop > p)
            add_pair(a, p, (size_t)(stop - p), t);
    }
}

/* Skips "http://host" of an absolute-form target; NULL when raw has no known form. */
static const char *
skip_authority(const char *raw)
{
    size_t scheme;

    if (raw[0] == '/' || strcmp(raw, "*") == 0)
        return raw;
    if (strncasecmp(raw, "http://", 7) == 0)
        scheme = 7;
    else if (strncasecmp(raw, "https://", 8) == 0)
        scheme = 8;
    else
        return NULL;
    return raw + scheme + strcspn(raw + scheme, "/?");
}

/* path[len] is the slash behind the first len bytes of script_name. */
static bool
begins_with(const char *path, const char *script_name, size_t len)
{
    return len > 0 && strncmp(path, script_name, len) == 0 && path[len] == '/';
}

const char *
http_below(const char *raw, const char *script_name, const char *path_info)
{
    const char *path = skip_authority(raw), *slash;

    if (!path || !script_name || script_name[0] != '/')
        return raw;
    if (begins_with(path, script_name, strlen(script_name)))
        return path + strlen(script_name);
    /* Without path_info it may be that the server calls the whole path the script's name. */
    slash = strrchr(script_name, '/');
    if (path_info && *path_info && begins_with(path, script_name, (size_t)(slash - script_name)))
        return path + (slash - script_name);
    return raw;
}

bool
http_is_below(const char *target, const char *path)
{
    size_t len = strlen(path);

    return strncmp(target, path, len) == 0 && (target[len] == '\0' || strchr("/?", target[len]));
}

enum err
http_target(struct arena *a, const char *raw, struct target *target_r)
{
    const char *path = skip_authority(raw), *query;
    size_t len;

    memset(target_r, 0, sizeof *target_r);
    target_r->path = "";
    if (!path)
        return ERR_MALFORMED;
    len = strcspn(path, "?");
    query = path[len] == '?' ? path + len + 1 : path + len;
    target_r->path = len > 0 ? arena_copy(a, path, len) : "/";
    split_path(a, path + (path[0] == '/'), len - (path[0] == '/'), target_r);
    split_query(a, query, strlen(query), target_r);
    return ERR_OK;
}

enum err
http_decode(struct arena *a, const char *p, size_t len, bool plus, const char **text_r)
{
    char *text;
    size_t n;
    bool well_formed = percent_decode(a, p, len, plus, &text, &n);

    *text_r = NULL;
    if (!well_formed)
        return ERR_MALFORMED;
    if (memchr(text, '\0', n))
        return ERR_LIMIT;
    if (!utf8_valid(text, n))
        return ERR_MALFORMED;
    *text_r = text;
    return ERR_OK;
}

bool
http_length(const char *value, int64_t *length_r)
{
    int64_t n = 0;

    if (!value || !*value)
        return false;
    for (; *value; value++) {
        if (!isdigit((unsigned char)*value) || n > (INT64_C(1) << 53) / 10)
            return false;
        n = n * 10 + (*value - '0');
    }
    *length_r = n;
    return true;
}

bool
http_etag_listed(const char *header, const char *tag)
{
    size_t len = strlen(tag), n;

    while (header && *header) {
        header += strspn(header, " \t,");
        if (strncmp(header, "W/", 2) == 0)
            header += 2;
        n = strcspn(header, " \t,");
        if (n == len && memcmp(header, tag, len) == 0)
            return true;
        header += n;
    }
    return false;
}

bool
http_is_type(const char *header, const char *type)
{
    size_t len = strlen(type);

    return strncasecmp(header, type, len) == 0 && (header[len] == '\0' || strchr("; \t", header[len]));
}

bool
http_visible(const char *value, size_t max)
{
    size_t n;

    for (n = 0; value[n]; n++) {
        if (n == max || value[n] <= ' ' || value[n] > '~')
            return false;
    }
    return n > 0;
}

bool
http_echoable(const char *value)
{
    for (; *value; value++) {
        if (*value < ' ' || *value > '~')
            return false;
    }
    return true;
}

const char *
http_reason(int status)
{
    static const struct { int status; const char *reason; } reasons[] = {
        { 200, "OK" }, { 201, "Created" }, { 204, "No Content" }, { 304, "Not Modified" },
        { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
        { 404, "Not Found" }, { 405, "Method Not Allowed" }, { 408, "Request Timeout" },
        { 409, "Conflict" }, { 413, "Content Too Large" }, { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" }, { 422, "Unprocessable Content" },
        { 428, "Precondition Required" }, { 429, "Too Many Requests" }, { 500, "Internal Server Error" },
        { 503, "Service Unavailable" },
    };
    size_t i;

    for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Status";
}
