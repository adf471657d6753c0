/* chat - the table of chat systems
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/chat.h"

#include <string.h>

static const struct chat_system *const systems[] = { &chat_mtchat, &chat_rooms };

const struct chat_system *
chat_system_find(const char *name)
{
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
        if (strcmp(systems[i]->name, name) == 0)
            return systems[i];
    return NULL;
}
