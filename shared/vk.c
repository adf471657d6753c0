/* vk - launch parameters of a VK mini-app
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/vk.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "shared/jws.h"
#include "shared/percent.h"
#include "shared/sbuf.h"
#include "shared/token.h"
#include "shared/utf8.h"

#define PAIRS_MAX 100
#define AHEAD_S 300                     /* how far their clock may be before ours */

struct vk_pair {
    const char *name;
    const char *value;
};

struct vk_pairs {
    struct vk_pair list[PAIRS_MAX];
    size_t n;
};

/* As in forms, the way everybody reads a query. */
static bool
decode(struct arena *a, const char *p, size_t len, const char **text_r)
{
    char *text;

    if (!percent_decode(a, p, len, true, &text, &len) || strlen(text) != len || !utf8_valid(text, len))
        return false;
    *text_r = text;
    return true;
}

static int
compare_pairs(const void *a, const void *b)
{
    return strcmp(((const struct vk_pair *)a)->name, ((const struct vk_pair *)b)->name);
}

/* Sorted by name, each name once. */
static bool
read_pairs(struct arena *a, const char *text, struct vk_pairs *pairs_r)
{
    size_t len, name_len;

    pairs_r->n = 0;
    for (; *text != '\0'; text += len + (text[len] == '&')) {
        struct vk_pair *p = &pairs_r->list[pairs_r->n];
        size_t value;

        len = strcspn(text, "&");
        if (len == 0)
            continue;
        if (pairs_r->n++ == PAIRS_MAX)
            return false;
        name_len = strcspn(text, "=&");
        value = name_len < len ? name_len + 1 : len;
        if (!decode(a, text, name_len, &p->name)
            || !decode(a, text + value, len - value, &p->value))
            return false;
    }
    qsort(pairs_r->list, pairs_r->n, sizeof pairs_r->list[0], compare_pairs);
    for (size_t i = 1; i < pairs_r->n; i++)
        if (strcmp(pairs_r->list[i - 1].name, pairs_r->list[i].name) == 0)
            return false;
    return true;
}

static const char *
value_of(const struct vk_pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->n; i++)
        if (strcmp(pairs->list[i].name, name) == 0)
            return pairs->list[i].value;
    return NULL;
}

/* As encodeURIComponent does. */
static void
encode(struct sbuf *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()";

    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            sbuf_putc(out, *text);
        else
            sbuf_printf(out, "%%%02X", (unsigned char)*text);
    }
}

static bool
signature_fits(struct arena *a, const struct vk_pairs *pairs, const char *secret)
{
    const char *sign = value_of(pairs, "sign");
    unsigned char mac[JWS_HS256_BYTES], *given;
    struct sbuf message;
    size_t len;
    bool fits;

    if (sign == NULL || (given = jws_base64url(a, sign, strlen(sign), &len)) == NULL
        || len != sizeof mac)
        return false;
    sbuf_init(&message, SIZE_MAX);
    for (size_t i = 0; i < pairs->n; i++) {
        if (strncmp(pairs->list[i].name, "vk_", 3) != 0)
            continue;
        if (message.len > 0)
            sbuf_putc(&message, '&');
        encode(&message, pairs->list[i].name);
        sbuf_putc(&message, '=');
        encode(&message, pairs->list[i].value);
    }
    jws_hs256(mac, secret, sbuf_str(&message), message.len);
    fits = !message.failed && sodium_memcmp(mac, given, sizeof mac) == 0;
    sodium_memzero(mac, sizeof mac);
    sbuf_fini(&message);
    return fits;
}

static bool
in_time(const char *ts, const struct vk_rules *rules, int64_t now_ms)
{
    int64_t now_s = now_ms / 1000, ts_s;

    if (rules->ttl_s == 0)
        return true;
    if (ts == NULL || !token_user_is_integer(ts))       /* an integer is an integer */
        return false;
    ts_s = strtoll(ts, NULL, 10);
    return ts_s >= now_s - rules->ttl_s && ts_s <= now_s + AHEAD_S;
}

enum err
vk_verify(struct arena *a, const char *text, const struct vk_rules *rules, int64_t now_ms,
          const char **user_r)
{
    struct vk_pairs pairs;
    const char *app, *user;

    if (rules->secret == NULL || strnlen(text, VK_MAX + 1) > VK_MAX)
        return ERR_UNAUTHORIZED;
    if (!read_pairs(a, text + (text[0] == '?'), &pairs) || !signature_fits(a, &pairs, rules->secret))
        return ERR_UNAUTHORIZED;
    app = value_of(&pairs, "vk_app_id");
    user = value_of(&pairs, "vk_user_id");
    if ((rules->app_id != NULL && (app == NULL || strcmp(app, rules->app_id) != 0))
        || !in_time(value_of(&pairs, "vk_ts"), rules, now_ms)
        || user == NULL || !token_user_is_integer(user))
        return ERR_UNAUTHORIZED;
    *user_r = user;
    return ERR_OK;
}
