/* config_channels - the sections of the file that say how channels behave
 *
 *   [channels]         names without a namespace
 *   [channels chat]    names that begin with "chat:"
 *
 * A section's lines are options of channels.def. Any other section header ends it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CONFIG_CHANNELS_H
#define SHARED_CONFIG_CHANNELS_H

#include "shared/config.h"

/* The sections while they are read; `all` holds [channels] from the start, so that it always exists. */
struct config_channels {
    struct channel_options *all;
    size_t n, size;
    bool inside;                /* lines are options of the last one read ... */
    size_t current;             /* ... which is this */
    bool plain_seen;            /* [channels] was in the file */
};

void config_channels_start(struct config_channels *cc, struct arena *a);

/* A section header, the text between its brackets: opens a section of channels, or ends one. */
enum err config_channels_section(struct config_channels *cc, struct arena *a, char *title,
                                 const char *where, struct fail *fail);

/* A line inside a section. */
enum err config_channels_set(struct config_channels *cc, struct arena *a, const char *name,
                             const char *value, const char *where, struct fail *fail);

/* All sections as a file would have them. */
void config_channels_print(const struct config *c, struct sbuf *out, bool with_help);

#endif
