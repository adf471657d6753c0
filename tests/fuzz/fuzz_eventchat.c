/* fuzz_eventchat - what a stranger may send to event chat: payloads of commands, photos, and what they are said to be
 *
 * The first byte chooses: 's' send_message, 'r' read_messages, 'l' load_history, 'p' a photo's first bytes, 't' its
 * Content-Type.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/chat/photo.h"
#include "shared/utf8.h"
#include "shared/wire/eventchat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is let through keeps every rule. */
static void
check_message(const struct pair_message_new *m)
{
    const char *const *photos = m->all.items;
    size_t len = strlen(m->text);

    if (!utf8_valid(m->text, len) || utf8_length(m->text, len) > PAIR_TEXT_MAX || m->all.n > PAIR_PHOTOS_MAX)
        abort();
    for (size_t i = 0; i < m->all.n; i++) {
        if (!pair_photo_named(photos[i]))
            abort();
        for (size_t j = 0; j < i; j++)
            if (strcmp(photos[i], photos[j]) == 0)
                abort();
    }
    utf8_trim(m->text, len, &len);
    if (len == 0 && m->all.n == 0)
        abort();
}

static void
command(struct arena *a, enum eventchat_verb verb, const char *json, size_t len)
{
    struct eventchat_command c;
    struct fail fail = { 0 };
    struct sbuf out;
    enum err e = eventchat_read_command(a, verb, json, len, &c, &fail);

    sbuf_init(&out, 1 << 20);
    eventchat_write_debug_info(&out, e == ERR_OK ? ERR_INTERNAL : e, &fail, "x");
    if (!utf8_valid(sbuf_str(&out), out.len))
        abort();
    sbuf_fini(&out);
    if (e != ERR_OK)
        return;
    if (!c.chat || utf8_length(c.chat, strlen(c.chat)) > PAIR_CHAT_ID_MAX || c.n < 0 || c.n > PAIR_ID_MAX)
        abort();
    if (verb == EVENTCHAT_SEND)
        check_message(&c.message);
}

static void
photo(const char *bytes, size_t len)
{
    enum photo_type type;

    if (photo_sniff(bytes, len, &type) && strncmp(photo_media_type(type), "image/", 6) != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    enum photo_type type;
    const char *text;

    if (size > 0) {
        text = arena_copy(a, data + 1, size - 1);
        switch (data[0]) {
        case 's':
            command(a, EVENTCHAT_SEND, text, size - 1);
            break;
        case 'r':
            command(a, EVENTCHAT_READ, text, size - 1);
            break;
        case 'l':
            command(a, EVENTCHAT_LOAD, text, size - 1);
            break;
        case 'p':
            photo((const char *)data + 1, size - 1);
            break;
        default:
            photo_type_named(text, &type);
        }
    }
    arena_free(a);
    return 0;
}
