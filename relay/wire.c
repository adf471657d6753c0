/* wire - the table of systems, and what they share: paths and queries
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/wire.h"

#include <string.h>

#include "shared/percent.h"
#include "shared/utf8.h"

static const struct wire *const wires[] = {
    &wire_mtchat, &wire_rooms_chat, &wire_rooms_graph, &wire_rooms_runner,
    &wire_eventchat, &wire_eventchat_namespace, &wire_eventchat_path, &wire_eventchat_root,
    &wire_conversations, &wire_conversations_namespace, &wire_conversations_path,
    &wire_conversations_root,
};

#define N_WIRES (sizeof wires / sizeof *wires)

#define ID "{id}"

#define SINCE_DIGITS_MAX 18     /* fits into int64_t whatever the digits */

/* A stray '%' stands for itself: clients of this query do not encode what they put there. */
static char *
decode(struct arena *a, const char *p, size_t len, size_t *len_r)
{
    char *text;

    percent_decode(a, p, len, false, &text, len_r);
    return text;
}

static bool
same(const char *text, size_t len, const char *wanted)
{
    return len == strlen(wanted) && memcmp(text, wanted, len) == 0;
}

static bool
served(const struct config *config, const struct wire *wire)
{
    return config_serves(config, wire->system)
        && (!wire->root || strcmp(config->socketio_root_system, wire->system) == 0);
}

const struct wire *
wire_served(const struct config *config, size_t i)
{
    for (size_t at = 0; at < N_WIRES; at++)
        if (served(config, wires[at]) && i-- == 0)
            return wires[at];
    return NULL;
}

void
wire_put_event(struct sbuf *out, const struct wire *wire, const struct event *e)
{
    if (wire->named)
        named_put_body(out, wire->namespace, e->body, e->body_len);
    else
        wire->write_event(out, e);
}

static bool
same_namespace(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool
wire_same_format(const struct wire *a, const struct wire *b)
{
    if (a->named || b->named)
        return a->named && b->named && same_namespace(a->namespace, b->namespace);
    return a->write_event == b->write_event;
}

size_t
wire_path_fixed(const struct wire *wire)
{
    const char *id = strstr(wire->path, ID);

    return id ? (size_t)(id - wire->path) : strlen(wire->path);
}

static const char *
behind_id(const struct wire *wire)
{
    const char *id = strstr(wire->path, ID);

    return id ? id + strlen(ID) : "";
}

/* Any text may stand for the id, so that one that is malformed is still refused by the wire, in its way. */
static bool
fits(const struct wire *wire, const char *path, size_t len)
{
    size_t before = wire_path_fixed(wire), behind = strlen(behind_id(wire));

    if (!wire->path[before])
        return same(path, len, wire->path);
    return len >= before + behind && memcmp(path, wire->path, before) == 0
        && memcmp(path + len - behind, behind_id(wire), behind) == 0;
}

const struct wire *
wire_find(struct arena *a, const struct config *config, const char *path)
{
    size_t len;
    const char *decoded = decode(a, path, strlen(path), &len);
    const struct wire *wire;

    for (size_t i = 0; (wire = wire_served(config, i)); i++)
        if (!wire->namespace && fits(wire, decoded, len))
            break;
    return wire;
}

const struct wire *
wire_near(const struct config *config, const char *path)
{
    const struct wire *wire;

    for (size_t i = 0; (wire = wire_served(config, i)); i++)
        if (strncmp(path, wire->path, wire_path_fixed(wire)) == 0)
            return wire;
    return wire_served(config, 0);
}

const char *
wire_path_id(struct arena *a, const struct wire *wire, const char *path, size_t *len_r)
{
    size_t before = wire_path_fixed(wire), behind = strlen(behind_id(wire));
    char *id = decode(a, path, strlen(path), len_r) + before;

    *len_r -= before + behind;
    id[*len_r] = '\0';
    return id;
}

enum err
wire_query(struct arena *a, const char *query, const char *name, const char **value_r)
{
    while (*query) {
        size_t len = strcspn(query, "&"), name_len, value_len;
        const char *equals = memchr(query, '=', len);
        size_t raw = equals ? (size_t)(equals - query) : len;
        const char *found = decode(a, query, raw, &name_len), *value;

        if (same(found, name_len, name)) {
            value = equals ? decode(a, equals + 1, len - raw - 1, &value_len)
                           : decode(a, "", 0, &value_len);
            if (memchr(value, 0, value_len) || !utf8_valid(value, value_len))
                return ERR_LIMIT;
            *value_r = value;
            return ERR_OK;
        }
        query += len;
        query += *query == '&';
    }
    return ERR_NOT_FOUND;
}

int64_t
wire_since(struct arena *a, const char *query)
{
    const char *text;
    enum err e = wire_query(a, query, "since", &text);
    int64_t n = 0;

    if (e == ERR_NOT_FOUND)
        return WIRE_SINCE_NONE;
    if (e != ERR_OK || !*text || strlen(text) > SINCE_DIGITS_MAX)
        return WIRE_SINCE_UNUSABLE;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return WIRE_SINCE_UNUSABLE;
        n = n * 10 + (*text - '0');
    }
    return n;
}
