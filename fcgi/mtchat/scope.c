/* scope - the X-Scope-Config header
 *
 * Standard Base64 of a JSON object with up to three lists of texts. Browsers make it with a
 * routine that emits one byte for each Latin-1 character, so bytes that are not UTF-8 are read as
 * ISO-8859-1.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sodium.h>
#include <string.h>

#include "fcgi/mtchat/input.h"
#include "fcgi/mtchat/mtchat.h"
#include "shared/json.h"
#include "shared/utf8.h"

#define SCOPE_DEPTH 8                   /* nesting of the header's JSON */

/* Padding is required, and nothing but the alphabet is taken. */
static bool
base64_decode(struct arena *a, const char *text, char **p_r, size_t *len_r)
{
    size_t len = strlen(text), size = len / 4 * 3 + 1;
    unsigned char *out = arena_alloc(a, size);

    *p_r = (char *)out;
    return len > 0 && sodium_base642bin(out, size, text, len, NULL, len_r, NULL,
                                        sodium_base64_VARIANT_ORIGINAL) == 0;
}

/* ISO-8859-1 is the first 256 code points. */
static char *
latin1_to_utf8(struct arena *a, const char *p, size_t len, size_t *len_r)
{
    char *out = arena_alloc(a, 2 * len + 1);
    size_t i, n = 0;

    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)p[i];

        if (c >= 0x80) {
            out[n++] = (char)(0xc0 | c >> 6);
            c = 0x80 | (c & 0x3f);
        }
        out[n++] = (char)c;
    }
    *len_r = n;
    return out;
}

static enum err
malformed(struct request *q, const char *why)
{
    return err_fail(&q->fail, ERR_MALFORMED, NULL, "the scope header is not valid: %s", why);
}

enum err
mtchat_read_scopes(struct request *q)
{
    struct scope_lists *scopes = arena_alloc(q->arena, sizeof *scopes);
    const struct list one = { scopes, 1 };
    struct json *json;
    char *text;
    size_t len;
    enum err e;

    if (!base64_decode(q->arena, q->scope_config, &text, &len))
        return malformed(q, "no Base64");
    if (!utf8_valid(text, len))
        text = latin1_to_utf8(q->arena, text, len, &len);
    if (json_parse(q->arena, text, len, SCOPE_DEPTH, &json, NULL) != ERR_OK)
        return malformed(q, "no JSON");
    if (json_type(json) != JSON_OBJECT)
        return malformed(q, "no object");
    e = field_read_json(q->arena, in_scope_fields, json, text, len, scopes, &q->fail);
    if (e != ERR_OK)
        return malformed(q, "levels are lists of texts");
    if ((e = mtchat_check_scopes(q, &one)) != ERR_OK)
        return e;
    q->scopes = scopes;
    return ERR_OK;
}

enum err
mtchat_check_scopes(struct request *q, const struct list *scopes)
{
    const struct scope_lists *lists = scopes->items;
    size_t i, level;

    if ((int64_t)scopes->n > q->config->scopes_max)
        return err_fail(&q->fail, ERR_LIMIT, "access_scopes", "at most %lld access scopes",
                        (long long)q->config->scopes_max);
    for (i = 0; i < scopes->n; i++) {
        for (level = 0; level < SCOPE_LEVELS; level++) {
            if ((int64_t)lists[i].level[level].n > q->config->scope_values_max)
                return err_fail(&q->fail, ERR_LIMIT, "access_scopes",
                                "at most %lld values in one scope level",
                                (long long)q->config->scope_values_max);
        }
    }
    return ERR_OK;
}
