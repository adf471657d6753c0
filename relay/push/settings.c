/* settings - what the push server goes by: one compiled, immutable picture of the configuration
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/settings.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "relay/origin.h"
#include "relay/push/settings_check.h"
#include "shared/utf8.h"

/* One section, compiled. */
struct section {
    const struct channel_options *options;
    regex_t *pattern;               /* NULL: any name */
};

struct push_settings {
    unsigned refs;
    struct arena *arena;            /* in which all of this lies */
    const struct config *config;
    struct token_keys *keys;
    struct section *sections;       /* by name; the first is the one without */
    size_t n_sections;
    struct origin_list origins;
};

/* ---- making ---- */

static void
free_pattern(void *p)
{
    regfree(p);
}

static enum err
compile_pattern(struct arena *a, const struct channel_options *o, regex_t **r, struct fail *fail)
{
    char why[80];
    int e;

    *r = NULL;
    if (o->pattern[0] == '\0')
        return ERR_OK;
    *r = arena_alloc(a, sizeof **r);
    if ((e = regcomp(*r, o->pattern, REG_EXTENDED)) != 0) {
        regerror(e, *r, why, sizeof why);
        return settings_fault(fail, o, "pattern", why);
    }
    arena_on_reset(a, free_pattern, *r);
    return ERR_OK;
}

static int
by_name(const void *a, const void *b)
{
    const struct section *x = a, *y = b;

    return strcmp(x->options->name, y->options->name);
}

static enum err
compile_sections(struct push_settings *s, struct fail *fail)
{
    const struct config *c = s->config;
    enum err e;
    size_t i;

    s->n_sections = c->n_channels;
    s->sections = arena_array(s->arena, c->n_channels, sizeof *s->sections);
    for (i = 0; i < c->n_channels; i++) {
        s->sections[i].options = &c->channels[i];
        if ((e = settings_check_section(c, &c->channels[i], fail)) != ERR_OK)
            return e;
        e = compile_pattern(s->arena, &c->channels[i], &s->sections[i].pattern, fail);
        if (e != ERR_OK)
            return e;
    }
    qsort(s->sections, s->n_sections, sizeof *s->sections, by_name);
    return ERR_OK;
}

static enum err
compile_origins(struct push_settings *s, struct fail *fail)
{
    static const char name[] = "push_allowed_origins";
    size_t len;
    const char *wrong
        = origin_list_read(s->arena, s->config->push_allowed_origins, &s->origins, &len);

    if (wrong == NULL)
        return ERR_OK;
    return err_fail(fail, ERR_FIELD, name, "%s: %.*s is not SCHEME://HOST[:PORT] or *", name,
                    (int)(len < 80 ? len : 80), wrong);
}

enum err
push_settings_new(struct arena *a, const struct config *config, struct push_settings **s_r,
                  struct fail *fail)
{
    struct push_settings *s = arena_alloc(a, sizeof *s);
    enum err e;

    s->refs = 1;
    s->arena = a;
    s->config = config;
    if ((e = settings_check(config, fail)) != ERR_OK || (e = compile_sections(s, fail)) != ERR_OK
        || (e = compile_origins(s, fail)) != ERR_OK
        || (e = token_keys_new(config, &s->keys, fail)) != ERR_OK) {
        arena_free(a);
        return e;
    }
    settings_warn(config, token_keys_empty(s->keys));
    *s_r = s;
    return ERR_OK;
}

struct push_settings *
push_settings_ref(struct push_settings *s)
{
    s->refs++;
    return s;
}

void
push_settings_unref(struct push_settings *s)
{
    if (s == NULL || --s->refs > 0)
        return;
    token_keys_free(s->keys);
    arena_free(s->arena);
}

const struct config *
push_settings_config(const struct push_settings *s)
{
    return s->config;
}

const struct token_keys *
push_settings_keys(const struct push_settings *s)
{
    return s->keys;
}

/* ---- channels ---- */

struct name {
    const char *p;
    size_t len;
};

static int
compare_name(const void *key, const void *element)
{
    const struct name *name = key;
    const char *other = ((const struct section *)element)->options->name;
    int order = strncmp(name->p, other, name->len);

    return order != 0 ? order : -(other[name->len] != '\0');
}

/* The namespace of a channel: what stands before its first colon, without '$'. p is NULL when there is no colon. */
static struct name
namespace_of(const char *channel)
{
    const char *start = channel + (channel[0] == '$'), *colon = strchr(channel, ':');

    if (colon == NULL)
        return (struct name){ NULL, 0 };
    return (struct name){ start, (size_t)(colon - start) };
}

static const struct section *
find_section(const struct push_settings *s, const struct name *name)
{
    if (name->p == NULL)
        return &s->sections[0];
    if (name->len == 0)         /* ":x" is not a name without namespace */
        return NULL;
    return bsearch(name, s->sections, s->n_sections, sizeof *s->sections, compare_name);
}

static bool
is_name(const char *channel, size_t max)
{
    const unsigned char *p;
    size_t len = strnlen(channel, max + 1);

    if (len == 0 || len > max || !utf8_valid(channel, len))
        return false;
    for (p = (const unsigned char *)channel; *p != '\0'; p++)
        if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))     /* C0, DEL, C1 */
            return false;
    return true;
}

/* POSIX wants the longest of the leftmost matches, so that a match of the whole, if there is one, is what comes. */
static bool
pattern_fits(const regex_t *pattern, const char *name)
{
    regmatch_t match;

    return regexec(pattern, name, 1, &match, 0) == 0 && match.rm_so == 0
           && name[match.rm_eo] == '\0';
}

enum channel_fault
push_settings_channel(const struct push_settings *s, const char *channel,
                      const struct channel_options **o_r)
{
    const struct section *section;
    struct name namespace;

    if (!is_name(channel, (size_t)s->config->push_channel_max))
        return CHANNEL_BAD_NAME;
    namespace = namespace_of(channel);
    if ((section = find_section(s, &namespace)) == NULL)
        return CHANNEL_UNKNOWN;
    if (section->pattern != NULL
        && !pattern_fits(section->pattern,
                         namespace.p != NULL ? namespace.p + namespace.len + 1 : channel))
        return CHANNEL_BAD_NAME;
    *o_r = section->options;
    return CHANNEL_FINE;
}

bool
channel_is_private(const char *channel)
{
    const char *colon = strchr(channel, ':');

    return channel[0] == '$' || (colon != NULL && colon[1] == '$');
}

bool
channel_lists_user(const char *channel, const char *user)
{
    const char *p = strchr(channel, '#');
    size_t len, user_len = strlen(user);
    bool listed = false;

    /* A second '#' or an empty part may come from an id that was put in unchecked: then nobody is listed. */
    if (p == NULL || user_len == 0 || strchr(p + 1, '#') != NULL)
        return false;
    do {
        p++;
        len = strcspn(p, ",");
        if (len == 0)
            return false;
        listed |= len == user_len && memcmp(p, user, len) == 0;
        p += len;
    } while (*p == ',');
    return listed;
}

/* ---- origins ---- */

bool
push_settings_origin(const struct push_settings *s, const char *origin, const char *host,
                     bool secure)
{
    struct origin o;

    if (origin == NULL)
        return true;
    if (strcmp(origin, "null") == 0)
        return false;
    if (origin_listed(&s->origins, origin))
        return true;
    /* Behind a web server that ends TLS we are not secure though the page is; the other way round it is no page of ours.
     * Nor is what an app names as it likes, by a scheme of its own. */
    return s->origins.n == 0 && host != NULL && origin_parse(origin, strlen(origin), &o)
           && origin_is_host(&o, host)
           && (strcmp(o.scheme, "https") == 0 || (!secure && strcmp(o.scheme, "http") == 0));
}
