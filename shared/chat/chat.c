/* chat - the table of chat systems
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/chat.h"

#include <string.h>

#include "shared/json.h"

static const struct chat_system *const systems[] = {
    &chat_mtchat, &chat_rooms, &chat_conversations, &chat_eventchat,
};

#define N_SYSTEMS (sizeof systems / sizeof *systems)

const struct chat_system *
chat_system_find(const char *name)
{
    for (size_t i = 0; i < N_SYSTEMS; i++)
        if (strcmp(systems[i]->name, name) == 0)
            return systems[i];
    return NULL;
}

char *
chat_systems_graced(struct arena *a)
{
    struct sbuf list;
    char *text;

    sbuf_init(&list, SIZE_MAX);
    json_open(&list, '[');
    for (size_t i = 0; i < N_SYSTEMS; i++)
        if (systems[i]->restart_grace)
            json_string(&list, systems[i]->name);
    json_close(&list, ']');
    text = arena_copy(a, sbuf_str(&list), list.len);
    sbuf_fini(&list);
    return text;
}
