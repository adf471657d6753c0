/* setup - reading the settings, and telling two readings apart
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/setup.h"

#include <string.h>

enum err
setup_load(struct setup *s, struct fail *fail)
{
    struct setup anew = { .arena = arena_new() };
    enum err e;

    if ((e = config_load(anew.arena, &anew.config, fail)) != ERR_OK
        || (e = config_check(anew.config, fail)) != ERR_OK) {
        arena_free(anew.arena);
        return e;
    }
    if (anew.config->push) {
        if ((e = push_settings_new(anew.arena, anew.config, &anew.push, fail)) != ERR_OK)
            return e;
        anew.arena = NULL;
    }
    *s = anew;
    return ERR_OK;
}

void
setup_fini(struct setup *s)
{
    push_settings_unref(s->push);
    arena_free(s->arena);
    *s = (struct setup){ 0 };
}

/* ---- what changed ---- */

#define DIFFER_TEXT(a, b) (strcmp(a, b) != 0)
#define DIFFER_SECRET(a, b) (strcmp(a, b) != 0)
#define DIFFER_PATH(a, b) (strcmp(a, b) != 0)
#define DIFFER_INT(a, b) ((a) != (b))
#define DIFFER_BOOL(a, b) ((a) != (b))

static bool
is_taken(const char *name)
{
    return strncmp(name, "push_", strlen("push_")) == 0 || strcmp(name, "log_level") == 0
        || strcmp(name, "log_syslog") == 0;
}

void
setup_each_change(const struct setup *running, const struct setup *anew,
                  void (*each)(void *arg, const char *name), void *arg)
{
    const struct config *a = running->config, *b = anew->config;

#define CONFIG_SECTION(title)
#define CONFIG(kind, name, fallback, min, max, help) \
    if (DIFFER_##kind(a->name, b->name) && !is_taken(#name)) \
        each(arg, #name);
#include "shared/config.def"
#undef CONFIG
#undef CONFIG_SECTION
}
