/* group_world - a database with conversations in it, and users who come and go
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_GROUP_WORLD_H
#define TESTS_UNIT_GROUP_WORLD_H

#include "shared/chat/group.h"
#include "tests/unit/scratch.h"

#define RELAY "relay"
#define RUN "run"

struct world {
    char dir[SCRATCH_DIR], path[SCRATCH_PATH];
    struct config config;
    struct db *db;
    struct arena *arena;
    struct fail fail;
    struct op op;
    int64_t seen;                       /* newest event that said() gave out */
};

/* cmocka's; a relay is there, and users 1, 2 and 3 have a socket. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* Opens or closes the user's sockets on the relay's run. */
void world_live(struct world *w, const char *run, const char *user, bool online);

/* A group of the user's. */
int64_t world_group(struct world *w, const char *user, const char *name);

int64_t world_say(struct world *w, const char *user, int64_t group, const char *text);

/* What was said since the last call, without EVENT_CLOSING: bodies of all events, a line each. */
const char *world_said(struct world *w);

/* Does he hear the group, as the audience's rows say? */
bool world_hears(struct world *w, const char *user, int64_t group);

#endif
