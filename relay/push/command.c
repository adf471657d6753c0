/* command - reads the lines of a message
 *
 * A line is one object. Its `id` and the first of its methods count; what is not known is
 * ignored, what is known must have its type.
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/command.h"

#include <string.h>

#include "shared/field.h"

#define DEPTH_MAX   128         /* nesting of one command, data included */
#define OFFSET_MAX  9007199254740991
#define AGENT_MAX   16          /* code points of a client library's name */
#define VERSION_MAX 64

/* An object on its way into a struct: parsed, and its exact text for the raw parts. */
struct object {
    const struct json *json;
    const char *text;
    size_t len;
};

/* In the tables below a .max of 0 means unbounded, but for the size of a message. */
#define AT(member) offsetof(struct command, member)

static const struct field none_fields[] = { { 0 } };

static const struct field channel_fields[] = {
    { "channel", F_TEXT, AT(channel), .min = 1, .flags = FIELD_REQUIRED },
    { 0 }
};

static const struct field subscribe_fields[] = {
    { "channel", F_TEXT, AT(channel), .min = 1, .flags = FIELD_REQUIRED },
    { "token", F_TEXT, AT(token), .max = 0 },
    { "recover", F_BOOL, AT(recover.recover), .max = 0 },
    { "epoch", F_TEXT, AT(recover.epoch), .max = 0 },
    { "offset", F_INT, AT(recover.offset), .max = OFFSET_MAX },
    { "positioned", F_BOOL, AT(positioned), .max = 0 },
    { "recoverable", F_BOOL, AT(recoverable), .max = 0 },
    { "join_leave", F_BOOL, AT(join_leave), .max = 0 },
    { "delta", F_TEXT, AT(delta), .max = 0 },
    { "flag", F_INT, AT(flag), .max = 0 },
    { 0 }
};

static const struct field history_fields[] = {
    { "channel", F_TEXT, AT(channel), .min = 1, .flags = FIELD_REQUIRED },
    { "limit", F_INT, AT(limit), .min = INT32_MIN, .max = INT32_MAX },
    { "reverse", F_BOOL, AT(reverse), .max = 0 },
    { 0 }
};

static const struct field since_fields[] = {
    { "offset", F_INT, AT(since_offset), .max = OFFSET_MAX },
    { "epoch", F_TEXT, AT(since_epoch), .max = 0 },
    { 0 }
};

static const struct field rpc_fields[] = {
    { "method", F_TEXT, AT(rpc_method), .max = 0 },
    { 0 }
};

static const struct field refresh_fields[] = {
    { "token", F_TEXT, AT(token), .max = 0 },
    { 0 }
};

static const struct field sub_refresh_fields[] = {
    { "channel", F_TEXT, AT(channel), .min = 1, .flags = FIELD_REQUIRED },
    { "token", F_TEXT, AT(token), .max = 0 },
    { 0 }
};

/* In the order in which the first of several counts; connect is read apart. */
static const struct method {
    const char *name;
    enum command_method method;
    const struct field *fields;
    bool data, data_needed, id_needed;
} methods[] = {
    /* name              method                  fields              data  needed  id */
    { "connect",        COMMAND_CONNECT,        none_fields,        0,    0,      1 },
    { "subscribe",      COMMAND_SUBSCRIBE,      subscribe_fields,   1,    0,      1 },
    { "unsubscribe",    COMMAND_UNSUBSCRIBE,    channel_fields,     0,    0,      1 },
    { "publish",        COMMAND_PUBLISH,        channel_fields,     1,    1,      1 },
    { "presence",       COMMAND_PRESENCE,       channel_fields,     0,    0,      1 },
    { "presence_stats", COMMAND_PRESENCE_STATS, channel_fields,     0,    0,      1 },
    { "history",        COMMAND_HISTORY,        history_fields,     0,    0,      1 },
    { "ping",           COMMAND_PING,           none_fields,        0,    0,      1 },
    { "send",           COMMAND_SEND,           none_fields,        1,    0,      0 },
    { "rpc",            COMMAND_RPC,            rpc_fields,         1,    0,      1 },
    { "refresh",        COMMAND_REFRESH,        refresh_fields,     0,    0,      1 },
    { "sub_refresh",    COMMAND_SUB_REFRESH,    sub_refresh_fields, 0,    0,      1 },
};

static const struct field recover_fields[] = {
    { "recover", F_BOOL, offsetof(struct command_recover, recover), .max = 0 },
    { "epoch", F_TEXT, offsetof(struct command_recover, epoch), .max = 0 },
    { "offset", F_INT, offsetof(struct command_recover, offset), .max = OFFSET_MAX },
    { 0 }
};

static const struct field connect_fields[] = {
    { "token", F_TEXT, offsetof(struct command_connect, token), .max = 0 },
    { "name", F_TEXT, offsetof(struct command_connect, name), .max = AGENT_MAX },
    { "version", F_TEXT, offsetof(struct command_connect, version), .max = VERSION_MAX },
    { 0 }
};

/* Every fault of an input is one and the same here. */
static enum err
malformed_unless(enum err e)
{
    return e == ERR_OK ? ERR_OK : ERR_MALFORMED;
}

static enum err
read_fields(struct arena *a, const struct field *table, const struct json *object, void *out)
{
    return malformed_unless(field_read_json(a, table, object, NULL, 0, out, NULL));
}

/* The member of that name; NULL when it is absent, which null means, too. */
static const struct json *
given(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);

    return v && json_type(v) != JSON_NULL ? v : NULL;
}

/* Data may be any JSON: here null is a value. A text in it may hold NUL, for it stays JSON. */
static const char *
raw_data(struct arena *a, const struct object *o)
{
    return json_get(o->json, "data") ? json_raw(a, o->text, o->len, "data") : NULL;
}

static enum err
read_recover(struct arena *a, const struct json *v, struct command_recover *r_r)
{
    const char *name = json_name(v);

    *r_r = (struct command_recover){ .epoch = "" };
    if (!*name || json_nul_present(name))
        return ERR_MALFORMED;
    r_r->channel = arena_string(a, name);
    return json_type(v) == JSON_NULL ? ERR_OK : read_fields(a, recover_fields, v, r_r);
}

static enum err
read_subs(struct arena *a, const struct json *subs, struct command_connect *c)
{
    struct command_recover *list;
    const struct json *v;
    enum err e;

    if (!subs)
        return ERR_OK;
    if (json_type(subs) != JSON_OBJECT)
        return ERR_MALFORMED;
    c->subs = list = arena_array(a, json_count(subs), sizeof *list);
    for (v = json_first(subs); v; v = json_next(v))
        if ((e = read_recover(a, v, &list[c->n_subs++])) != ERR_OK)
            return e;
    return ERR_OK;
}

static enum err
read_connect(struct arena *a, const struct object *o, struct command_connect *c)
{
    enum err e = read_fields(a, connect_fields, o->json, c);

    if (e == ERR_OK)
        e = read_subs(a, given(o->json, "subs"), c);
    c->data = raw_data(a, o);
    return e;
}

static struct command_connect
connect_of_nothing(void)
{
    return (struct command_connect){ .token = "", .name = "", .version = "" };
}

static enum err
read_since(struct arena *a, const struct json *since, struct command *c)
{
    c->since = since != NULL;
    return since ? read_fields(a, since_fields, since, c) : ERR_OK;
}

static enum err
read_method(struct arena *a, const struct method *m, const struct object *o, struct command *c)
{
    enum err e = read_fields(a, m->fields, o->json, c);

    if (e != ERR_OK)
        return e;
    if (m->data && !(c->data = raw_data(a, o)) && m->data_needed)
        return ERR_MALFORMED;
    switch (m->method) {
    case COMMAND_CONNECT:
        return read_connect(a, o, &c->connect);
    case COMMAND_SUBSCRIBE:
        c->recover.channel = c->channel;
        return !*c->delta || strcmp(c->delta, "fossil") == 0 ? ERR_OK : ERR_MALFORMED;
    case COMMAND_HISTORY:
        return read_since(a, given(o->json, "since"), c);
    default:
        return ERR_OK;
    }
}

static enum err
read_id(const struct json *object, uint32_t *id_r)
{
    const struct json *v = given(object, "id");
    int64_t n = 0;

    if (v && (!json_integer(v, &n) || n < 0 || n > UINT32_MAX))
        return ERR_MALFORMED;
    *id_r = (uint32_t)n;
    return ERR_OK;
}

/* The first method given. Others may stand beside it, but must be objects like it. */
static enum err
find_method(const struct json *object, const struct method **m_r)
{
    const struct json *v;
    size_t i;

    *m_r = NULL;
    for (i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (!(v = given(object, methods[i].name)))
            continue;
        if (json_type(v) != JSON_OBJECT)
            return ERR_MALFORMED;
        if (!*m_r)
            *m_r = &methods[i];
    }
    return ERR_OK;
}

static enum err
read_command(struct arena *a, const struct object *line, struct command *c)
{
    const struct method *m;
    struct object inner;
    enum err e;

    if (json_type(line->json) != JSON_OBJECT)
        return ERR_MALFORMED;
    if ((e = read_id(line->json, &c->id)) != ERR_OK || (e = find_method(line->json, &m)) != ERR_OK)
        return e;
    if (!m) {
        c->method = c->id ? COMMAND_UNKNOWN : COMMAND_PONG;
        return ERR_OK;
    }
    c->method = m->method;
    if (m->id_needed && !c->id)
        return ERR_MALFORMED;
    inner.json = json_get(line->json, m->name);
    inner.text = json_raw(a, line->text, line->len, m->name);
    inner.len = strlen(inner.text);
    return read_method(a, m, &inner, c);
}

static struct command
command_of_nothing(void)
{
    return (struct command){ .connect = connect_of_nothing(), .channel = "", .token = "",
                             .rpc_method = "", .recover = { .channel = "", .epoch = "" },
                             .delta = "", .since_epoch = "" };
}

static enum err
parse(struct arena *a, const char *text, size_t len, struct object *o_r)
{
    struct json *json;

    if (json_parse(a, text, len, DEPTH_MAX, &json, NULL) != ERR_OK)
        return ERR_MALFORMED;
    *o_r = (struct object){ json, text, len };
    return ERR_OK;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next line that is not empty, without white space around it. */
static bool
next_line(struct command_reader *r, const char **line_r, size_t *len_r)
{
    const char *from, *to;

    while (r->at < r->end) {
        from = r->at;
        to = memchr(from, '\n', (size_t)(r->end - from));
        r->at = to ? to + 1 : r->end;
        to = to ? to : r->end;
        while (from < to && is_space(*from))
            from++;
        while (from < to && is_space(to[-1]))
            to--;
        if (from < to) {
            *line_r = from;
            *len_r = (size_t)(to - from);
            return true;
        }
    }
    return false;
}

enum err
command_next(struct arena *a, struct command_reader *r, struct command *c_r)
{
    struct command c = command_of_nothing();
    struct object object;
    const char *line;
    size_t len;
    enum err e;

    if (!next_line(r, &line, &len))
        return r->any ? ERR_NOT_FOUND : ERR_MALFORMED;
    r->any = true;
    if (len == 2 && memcmp(line, "{}", 2) == 0) {       /* most of what clients ever say */
        *c_r = c;
        return ERR_OK;
    }
    if ((e = parse(a, line, len, &object)) != ERR_OK || (e = read_command(a, &object, &c)) != ERR_OK)
        return e;
    *c_r = c;
    return ERR_OK;
}

enum err
command_connect_read(struct arena *a, const char *text, size_t len, struct command_connect *c_r)
{
    struct command_connect c = connect_of_nothing();
    struct object object;
    enum err e;

    if ((e = parse(a, text, len, &object)) != ERR_OK || (e = read_connect(a, &object, &c)) != ERR_OK)
        return e;
    *c_r = c;
    return ERR_OK;
}
