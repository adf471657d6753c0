/* input - what each endpoint of event chat takes: the tables, and rules that no table says
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "fcgi/eventchat/eventchat.h"
#include "shared/chat/pair.h"

#define AT(type, member) .offset = offsetof(struct type, member)

#define EVENT_ID_DIGITS 16      /* of PAIR_ID_MAX */

const struct field eventchat_profile_fields[] = {
    { "name", F_TEXT, AT(eventchat_in_profile, name), .min = 1, .max = TOKEN_NAME_MAX,
      .flags = FIELD_NOT_NULL },
    { "imageUUID", F_TEXT, AT(eventchat_in_profile, image), .max = PAIR_PHOTO_MAX },
    { 0 },
};

const struct field eventchat_event_fields[] = {
    { "name", F_TEXT, AT(eventchat_in_event, name), .min = 1, .max = EVENTCHAT_NAME_MAX,
      .flags = FIELD_REQUIRED | FIELD_TRIM },
    { "iconsUUIDs", F_LIST, AT(eventchat_in_event, icons), .max = PAIR_PHOTOS_MAX,
      .element_max = PAIR_PHOTO_MAX },
    { "location", F_TEXT, AT(eventchat_in_event, location), .min = 1, .max = EVENTCHAT_LOCATION_MAX },
    { "dateFromS", F_INT, AT(eventchat_in_event, from_s), .max = PAIR_ID_MAX, .flags = FIELD_REQUIRED },
    { "dateToS", F_INT, AT(eventchat_in_event, to_s), .max = PAIR_ID_MAX, .flags = FIELD_REQUIRED },
    { 0 },
};

const struct field eventchat_page_fields[] = {
    { "offset", F_INT, AT(eventchat_in_page, offset), .max = PAIR_ID_MAX },
    { "limit", F_INT, AT(eventchat_in_page, limit), .min = 1, .max = EVENTCHAT_PAGE_MAX },
    { 0 },
};

/* Its length is for pair_message_check to judge. */
const struct field eventchat_open_fields[] = {
    { "text", F_TEXT, AT(eventchat_in_open, text) },
    { 0 },
};

bool
eventchat_references(const struct list *list)
{
    const char *const *texts = list->items;
    size_t i;

    for (i = 0; i < list->n; i++)
        if (!pair_photo_named(texts[i]))
            return false;
    return true;
}

int64_t
eventchat_event_id(const struct request *q)
{
    const char *text = EVENTCHAT_PATH(q)->event;
    size_t len = strspn(text, "0123456789");
    int64_t id;

    if (len == 0 || len > EVENT_ID_DIGITS || text[len])
        return 0;
    id = strtoll(text, NULL, 10);
    return id <= PAIR_ID_MAX ? id : 0;
}
