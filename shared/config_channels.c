/* config_channels - the sections of the file that say how channels behave
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/config_channels.h"

#include <string.h>

#include "shared/config_row.h"

#define WORD "channels"
#define NAME_MIN 2

static const struct config_row rows[] = {
#define CHANNEL_OPTION(kind_, name_, fallback, min_, max_, help_) \
    { .kind = KIND_##kind_, .name = #name_, DEFAULT_##kind_(fallback), .min = min_, \
      .max = max_, .help = help_, .offset = offsetof(struct channel_options, name_) },
#define CHANNEL_CHOICE(name_, fallback, words_, help_) \
    { .kind = KIND_CHOICE, .name = #name_, .text = #fallback, .words = words_, .help = help_, \
      .offset = offsetof(struct channel_options, name_) },
#include "shared/channels.def"
#undef CHANNEL_OPTION
#undef CHANNEL_CHOICE
};

#define N_ROWS (sizeof rows / sizeof rows[0])

static void
add(struct config_channels *cc, struct arena *a, const char *name)
{
    struct channel_options *o;

    cc->all = arena_grow(a, cc->all, cc->n, &cc->size, sizeof *cc->all);
    o = &cc->all[cc->n++];
    memset(o, 0, sizeof *o);
    o->name = name;
    config_row_defaults(rows, N_ROWS, o);
}

void
config_channels_start(struct config_channels *cc, struct arena *a)
{
    *cc = (struct config_channels){ 0 };
    add(cc, a, "");
}

static bool
is_namespace(const char *s)
{
    size_t len = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    return s[len] == '\0' && len >= NAME_MIN;
}

enum err
config_channels_section(struct config_channels *cc, struct arena *a, char *title,
                        const char *where, struct fail *fail)
{
    size_t i, len = strcspn(title, " \t");
    const char *name = title + len + strspn(title + len, " \t");

    cc->inside = len == strlen(WORD) && memcmp(title, WORD, len) == 0;
    if (!cc->inside)
        return ERR_OK;
    if (name[0] == '\0') {
        if (cc->plain_seen)
            return err_fail(fail, ERR_FIELD, NULL, "%s: [channels] is there already", where);
        cc->plain_seen = true;
        cc->current = 0;
        return ERR_OK;
    }
    if (!is_namespace(name))
        return err_fail(fail, ERR_FIELD, NULL, "%s: a namespace is two or more of a-z A-Z 0-9 _ -",
                        where);
    for (i = 1; i < cc->n; i++)
        if (strcmp(cc->all[i].name, name) == 0)
            return err_fail(fail, ERR_FIELD, NULL, "%s: [channels %s] is there already", where,
                            name);
    add(cc, a, arena_string(a, name));
    cc->current = cc->n - 1;
    return ERR_OK;
}

enum err
config_channels_set(struct config_channels *cc, struct arena *a, const char *name,
                    const char *value, const char *where, struct fail *fail)
{
    const struct config_row *row;

    for (row = rows; row < rows + N_ROWS; row++)
        if (strcmp(row->name, name) == 0)
            return config_row_set(a, row, &cc->all[cc->current], value, where, fail);
    return err_fail(fail, ERR_FIELD, NULL, "%s: unknown option of channels %s", where, name);
}

void
config_channels_print(const struct config *c, struct sbuf *out, bool with_help)
{
    const struct channel_options *o;
    const struct config_row *row;

    for (o = c->channels; o < c->channels + c->n_channels; o++) {
        sbuf_printf(out, "\n[" WORD "%s%s]\n", o->name[0] != '\0' ? " " : "", o->name);
        for (row = rows; row < rows + N_ROWS; row++)
            config_row_print(row, o, out, with_help);
    }
}
