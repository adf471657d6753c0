/* setup - what a relay process goes by: the settings as read, checked and compiled
 *
 * Read once at the start, and once more at each SIGHUP.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_SETUP_H
#define RELAY_SETUP_H

#include "relay/push/settings.h"
#include "shared/config.h"

struct setup {
    const struct config *config;
    struct push_settings *push;     /* NULL: the push server is off */
    struct arena *arena;            /* holds config, unless push does; NULL then */
};

/* Reads, checks and compiles. ERR_FIELD and the reason in fail, which needs no memory of the setup:
 * *s is untouched then. */
enum err setup_load(struct setup *s, struct fail *fail);
void setup_fini(struct setup *s);

/* Names the settings that differ and that no part of a running relay can take: all but the push server's,
 * which are its own business (push_reload), and those of the log. */
void setup_each_change(const struct setup *running, const struct setup *anew,
                       void (*each)(void *arg, const char *name), void *arg);

#endif
