/* room_world - a database with two accounts, a room of the first, and who speaks there
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_ROOM_WORLD_H
#define TESTS_UNIT_ROOM_WORLD_H

#include "shared/chat/op_room.h"
#include "shared/wire/rooms.h"
#include "tests/unit/scratch.h"

#define OPERATOR_KEY "the operator's key of thirty-two!"

/* One database with two accounts. */
struct world {
    char dir[SCRATCH_DIR], path[SCRATCH_PATH];
    struct config config;
    struct db *db;
    struct arena *arena;
    struct fail fail;
    struct op op;
    struct room_actor anna, boris;
    struct room room;           /* anna's, of type circular */
};

/* cmocka's. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* What has to succeed. Where nobody is named it is anna's doing, where no room is, in hers. */
int64_t make_account(struct world *w, const char *email);
struct room make_room(struct world *w, const struct room_actor *who, enum orchestration type);
struct agent add_to(struct world *w, int64_t room, const char *name);
struct agent add(struct world *w, const char *name);
struct room_entry say(struct world *w, const char *text);
struct room look(struct world *w);
struct room_actor runner_of(struct world *w, int64_t room);

/* The log: its head, what came behind since, and what an event does to a channel; NULL: it does not close it. */
int64_t head(struct world *w);
struct event *events_after(struct world *w, int64_t since, size_t *n_r);
const struct event_operation *closing_of(const struct event *e, const char *channel);
bool heard_on(const struct event *e, const char *channel);

#endif
