/* origin - where a page comes from: scheme, host and port, compared whole
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/origin.h"

#include <ctype.h>
#include <string.h>

#define PORT_MAX 65535
#define WHITE " \t\r\n"
#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static unsigned
default_port(const char *scheme)
{
    if (strcmp(scheme, "http") == 0)
        return 80;
    return strcmp(scheme, "https") == 0 ? 443 : 0;
}

static bool
copy_lower(char *into, size_t size, const char *p, size_t len)
{
    size_t i;

    if (len == 0 || len >= size)
        return false;
    for (i = 0; i < len; i++)
        into[i] = (char)tolower((unsigned char)p[i]);
    into[len] = '\0';
    return true;
}

/* Bytes of the host at p: a name, an IPv4 address, or an IPv6 address in brackets. */
static size_t
host_length(const char *p, size_t len)
{
    const char *end;
    size_t n;

    if (len > 0 && p[0] == '[') {
        end = memchr(p, ']', len);
        n = end != NULL ? (size_t)(end - p) + 1 : 0;
        return n > 2 && strspn(p + 1, "0123456789abcdefABCDEF:.") == n - 2 ? n : 0;
    }
    for (n = 0; n < len && strchr(WORD "-._", p[n]) != NULL && p[n] != '\0'; n++)
        ;
    return n;
}

/* HOST[:PORT] to its end; *port stays what it is when none is given. */
static bool
parse_host(const char *p, size_t len, struct origin *o)
{
    size_t n = host_length(p, len);
    unsigned port = 0;

    if (!copy_lower(o->host, sizeof o->host, p, n))
        return false;
    if (n == len)
        return true;
    if (p[n] != ':' || n + 1 == len)
        return false;
    for (n++; n < len; n++) {
        if (!isdigit((unsigned char)p[n]) || (port = port * 10 + (unsigned)(p[n] - '0')) > PORT_MAX)
            return false;
    }
    o->port = port;
    return true;
}

bool
origin_parse(const char *text, size_t len, struct origin *o_r)
{
    struct origin o = { 0 };
    size_t n;

    for (n = 0; n < len && text[n] != '\0' && strchr(WORD "+-.", text[n]) != NULL; n++)
        ;
    if (len - n < 3 || memcmp(text + n, "://", 3) != 0
        || !copy_lower(o.scheme, sizeof o.scheme, text, n))
        return false;
    o.port = default_port(o.scheme);
    if (!parse_host(text + n + 3, len - n - 3, &o))
        return false;
    *o_r = o;
    return true;
}

bool
origin_equal(const struct origin *a, const struct origin *b)
{
    return a->port == b->port && strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0;
}

bool
origin_is_host(const struct origin *o, const char *host)
{
    struct origin other = { .port = default_port(o->scheme) };

    return parse_host(host, strlen(host), &other) && other.port == o->port
           && strcmp(other.host, o->host) == 0;
}

/* ---- lists ---- */

static void
list_add(struct arena *a, struct origin_list *l, const struct origin *o)
{
    l->list = arena_grow(a, l->list, l->n, &l->size, sizeof *l->list);
    l->list[l->n++] = *o;
}

const char *
origin_list_read(struct arena *a, const char *text, struct origin_list *l_r, size_t *len_r)
{
    const char *wrong = NULL;
    struct origin origin;
    size_t len, end;

    for (; text[0] != '\0'; text += end + (text[end] == ',')) {
        text += strspn(text, WHITE);
        end = strcspn(text, ",");
        for (len = end; len > 0 && strchr(WHITE, text[len - 1]) != NULL; len--)
            ;
        if (len == 1 && text[0] == '*') {
            l_r->any = true;
        } else if (len > 0 && origin_parse(text, len, &origin)) {
            list_add(a, l_r, &origin);
        } else if (len > 0 && wrong == NULL) {
            wrong = text;
            *len_r = len;
        }
    }
    return wrong;
}

bool
origin_listed(const struct origin_list *l, const char *origin)
{
    struct origin o;

    if (l->any)
        return true;
    if (l->n == 0 || !origin_parse(origin, strlen(origin), &o))
        return false;
    for (size_t i = 0; i < l->n; i++)
        if (origin_equal(&l->list[i], &o))
            return true;
    return false;
}
