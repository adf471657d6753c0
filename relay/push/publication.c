/* publication - one message of a channel, counted and immutable
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/push/publication.h"

#include <stdlib.h>
#include <string.h>

#include "relay/mem.h"

/* Copies a text and the NUL behind it; returns where the next one goes. A frame is a line, so no text
 * may hold a line end. */
static char *
put(char *to, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        to[i] = text[i];
        if (text[i] == '\n' || text[i] == '\r')
            to[i] = ' ';
    }
    to[len] = '\0';
    return to + len + 1;
}

struct publication *
publication_new(const char *data, size_t data_len, const char *info, const char *tags, bool delta)
{
    size_t info_len = info ? strlen(info) : 0, tags_len = tags ? strlen(tags) : 0;
    struct publication *p = mem_new(sizeof *p + data_len + info_len + tags_len + 3);
    char *at = put(p->bytes, data, data_len);

    p->refs = 1;
    p->data_len = (uint32_t)data_len;
    p->info_len = (uint32_t)info_len;
    p->tags_len = (uint32_t)tags_len;
    p->delta = delta;
    at = put(at, info ? info : "", info_len);
    put(at, tags ? tags : "", tags_len);
    return p;
}

struct publication *
publication_ref(struct publication *p)
{
    p->refs++;
    return p;
}

void
publication_unref(struct publication *p)
{
    if (p && --p->refs == 0)
        free(p);
}

const char *
publication_data(const struct publication *p)
{
    return p->bytes;
}

const char *
publication_info(const struct publication *p)
{
    return p->info_len ? p->bytes + p->data_len + 1 : NULL;
}

const char *
publication_tags(const struct publication *p)
{
    return p->tags_len ? p->bytes + p->data_len + p->info_len + 2 : NULL;
}

size_t
publication_size(const struct publication *p)
{
    return sizeof *p + p->data_len + p->info_len + p->tags_len + 3;
}
