/* api_read - what the methods of the server API share in reading
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/api.h"

#include <string.h>

/* PHP writes an empty object as an empty array. */
static bool
is_empty_array(const struct json *v)
{
    return json_type(v) == JSON_ARRAY && !json_first(v);
}

static bool
is_absent(const struct json *v)
{
    return !v || json_type(v) == JSON_NULL;
}

static int
base64_value(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(alphabet, c) : NULL;

    return at ? (int)(at - alphabet) : -1;
}

/* RFC 4648 section 4, padding optional. NULL when it is not that. */
static char *
base64_decode(struct arena *a, const char *text, size_t *len_r)
{
    size_t len = strlen(text), n = 0;
    unsigned bits = 0, value = 0;
    char *out = arena_alloc(a, len + 1);

    if (len > 0 && len % 4 == 0)
        for (int i = 0; i < 2 && text[len - 1] == '='; i++)
            len--;
    for (size_t i = 0; i < len; i++) {
        int v = base64_value(text[i]);

        if (v < 0)
            return NULL;
        value = value << 6 | (unsigned)v;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (char)(value >> bits);
        }
    }
    if (len % 4 == 1)
        return NULL;
    *len_r = n;
    return out;
}

static enum err
read_base64(struct api_call *c, const struct json *v, const char **raw_r)
{
    size_t len;
    char *text;

    if (json_type(v) != JSON_STRING)
        return ERR_FIELD;
    text = base64_decode(c->arena, json_text(v), &len);
    if (!text)
        return ERR_LIMIT;
    *raw_r = json_compact(c->arena, text, len, (int)c->push->config->json_depth);
    return *raw_r ? ERR_OK : ERR_LIMIT;
}

enum err
api_read_raw(struct api_call *c, const struct json *object, const char *text, size_t len,
             const char *name, const char *b64name, const char **raw_r)
{
    const struct json *coded = json_get(object, b64name);

    *raw_r = NULL;
    if (!is_absent(coded) && !(json_type(coded) == JSON_STRING && !*json_text(coded)))
        return read_base64(c, coded, raw_r);
    if (json_get(object, name))
        *raw_r = json_raw(c->arena, text, len, name);
    return ERR_OK;
}

enum err
api_read_object(struct api_call *c, const struct json *object, const char *name,
                const struct field *fields, void *out, bool *given_r)
{
    const struct json *v = json_get(object, name);

    if (is_absent(v) || is_empty_array(v))      /* a PHP caller's default stands for nothing given */
        return ERR_OK;
    *given_r = true;
    return field_read_json(c->arena, fields, v, NULL, 0, out, NULL);
}

/* {"value": true}; without the value it is false. */
static enum err
read_flag(const struct json *override, const char *name, enum token_flag *flag)
{
    const struct json *v = json_get(override, name), *value = json_get(v, "value");

    if (is_absent(v))
        return ERR_OK;
    if (json_type(v) != JSON_OBJECT && !is_empty_array(v))
        return ERR_FIELD;
    if (!is_absent(value) && json_type(value) != JSON_BOOL)
        return ERR_FIELD;
    *flag = json_is_true(value) ? FLAG_ON : FLAG_OFF;
    return ERR_OK;
}

enum err
api_read_override(const struct json *object, struct token_override *o_r)
{
    const struct json *v = json_get(object, "override");
    const struct {
        const char *name;
        enum token_flag *flag;
    } flags[] = {
        { "presence", &o_r->presence },
        { "join_leave", &o_r->join_leave },
        { "force_recovery", &o_r->force_recovery },
        { "force_positioning", &o_r->force_positioning },
        { "force_push_join_leave", &o_r->force_push_join_leave },
    };

    if (is_absent(v) || is_empty_array(v))
        return ERR_OK;
    if (json_type(v) != JSON_OBJECT)
        return ERR_FIELD;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (read_flag(v, flags[i].name, flags[i].flag) != ERR_OK)
            return ERR_FIELD;
    return ERR_OK;
}

enum err
api_check_tags(const struct json *object, const char **tags)
{
    const struct json *v = json_get(object, "tags"), *member;

    if (is_absent(v) || is_empty_array(v)) {
        *tags = NULL;
        return ERR_OK;
    }
    if (json_type(v) != JSON_OBJECT)
        return ERR_FIELD;
    for (member = json_first(v); member; member = json_next(member))
        if (json_type(member) != JSON_STRING)
            return ERR_FIELD;
    return ERR_OK;
}

static bool
misses_required(const struct api_method *m, const struct json *object)
{
    for (size_t i = 0; i < sizeof m->required / sizeof *m->required && m->required[i]; i++)
        if (is_absent(json_get(object, m->required[i])))
            return true;
    return false;
}

enum err
api_call_read(struct api_call *c, const struct api_method *m, const struct json *params,
              const char *text, size_t len)
{
    const struct json *object = is_empty_array(params) ? NULL : params;
    enum err e = ERR_OK;

    c->method = m;
    c->in = arena_alloc(c->arena, m->size);
    sbuf_init(&c->out, API_ANSWER_MAX);
    if (object)
        e = field_read_json(c->arena, m->fields, object, text, len, c->in, NULL);
    if (e == ERR_OK && misses_required(m, object))
        e = ERR_LIMIT;
    if (e == ERR_OK && m->check)
        e = m->check(c, object, text, len);
    if (e == ERR_LIMIT) {
        c->error = PUSH_BAD_REQUEST;
        e = ERR_OK;
    }
    return e;
}
