/* op_world - a database, a dialog of three, and what one says, sees and hears there
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/op_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct scope_lists acme = {
    .level = {{.items = (const char *[]){"acme"}, .n = 1}},
};
const struct scope_lists acme_and_more = {
    .level = {{.items = (const char *[]){"other", "acme"}, .n = 2},
              {.items = (const char *[]){"sales"}, .n = 1}},
};
const struct scope_lists nothing;

int
world_set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->db = scratch_new(w->dir, w->path);
    w->config = (struct config){
        .log_keep_s = 3600, .log_keep_events = 100000, .idempotency_keep_s = 3600,
        .presence_max_members = 3, .lease_ms = 1000, .presence_restart_grace_ms = 500,
        .resume_max = 100,
    };
    w->arena = arena_new();
    w->op = (struct op){.db = w->db, .arena = w->arena, .config = &w->config,
                        .system = &chat_mtchat, .now_ms = 1700000000000, .fail = &w->fail};
    *state = w;
    return 0;
}

int
world_tear_down(void **state)
{
    struct world *w = *state;

    db_close(w->db);
    arena_free(w->arena);
    scratch_remove(w->dir);
    free(w);
    return 0;
}

void
make_dialog(struct world *w)
{
    const struct member_new members[] = {
        {.user = "a", .display_name = "A"}, {.user = "b", .display_name = "B"},
        {.user = "c", .display_name = "C"},
    };
    struct conversation_new in = {
        .object_type = "order", .object_id = "7", .title = "Стол №7",
        .members = members, .n_members = 3, .scopes = &acme, .n_scopes = 1,
    };
    struct conversation c;

    assert_int_equal(op_conversation_create(&w->op, &in, &c), ERR_OK);
    w->dialog = c.uid;
}

struct entry
say(struct world *w, const char *user, const char *content)
{
    struct message_new in = {.content = content};
    struct entry e;

    w->op.now_ms += 10;
    assert_int_equal(op_message_send(&w->op, user, &w->dialog, &in, ERR_OK, &e), ERR_OK);
    return e;
}

struct conversation_view
view(struct world *w, const char *user)
{
    struct viewer v = {.user = user};
    struct conversation_view view;

    assert_int_equal(op_conversation_get(&w->op, &v, &w->dialog, &view), ERR_OK);
    return view;
}

struct sync_page
heard(struct world *w, const char *user, int64_t since)
{
    struct sync_page page;

    assert_int_equal(op_sync(&w->op, user, since, 100, &page), ERR_OK);
    return page;
}
