/* fuzz_conversations - parameters of conversations, from query and body
 *
 * The input's first line is a query, the rest a body: JSON, a form and nothing in particular in turn. What is
 * accepted must keep the limits of its table.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/conversations/conversations.h"
#include "fcgi/conversations/input.h"
#include "shared/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct config config = { .conv_json_depth = 32, .conv_body_max = 65536 };

static void
check_text(const char *text, size_t min, size_t max)
{
    size_t len = text != NULL ? strlen(text) : 0;

    if (text != NULL && (!utf8_valid(text, len) || utf8_length(text, len) < min || utf8_length(text, len) > max))
        abort();
}

static enum err
read_as(struct request *q, const struct target *target, const struct field *table, void *in)
{
    const struct route route = { .query = table };

    q->fail = (struct fail){ 0 };
    return conversations_read_input(q, &route, target, in);
}

static void
check(struct request *q, const struct target *target)
{
    struct conversations_page page = { 0 };
    struct conversations_said said = { 0 };
    struct conversations_made made = { 0 };
    struct conversations_shown shown = { 0 };

    if (read_as(q, target, conversations_page_fields, &page) == ERR_OK && (page.chat < 0 || page.offset < 0))
        abort();
    if (read_as(q, target, conversations_said_fields, &said) == ERR_OK
        && (said.text == NULL || said.group < 0 || said.group > GROUP_ID_MAX))
        abort();
    check_text(said.text, 1, GROUP_TEXT_MAX);
    if (read_as(q, target, conversations_made_fields, &made) == ERR_OK && made.name == NULL)
        abort();
    check_text(made.name, GROUP_NAME_MIN, GROUP_NAME_MAX);
    read_as(q, target, conversations_shown_fields, &shown);
    check_text(shown.name, 1, TOKEN_NAME_MAX);
    check_text(shown.avatar, 0, TOKEN_PICTURE_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = { "application/json", "application/x-www-form-urlencoded", NULL };
    const uint8_t *line = memchr(data, '\n', size);
    size_t query = line != NULL ? (size_t)(line - data) : size, i;
    struct arena *a = arena_new();
    struct target target;

    if (http_target(a, arena_printf(a, "/?%.*s", (int)query, (const char *)data), &target) == ERR_OK) {
        for (i = 0; i < 3; i++) {
            struct request q = { .arena = a, .edge = &conversations_edge, .config = &config,
                                 .content_type = types[i], .body = "" };

            if (line != NULL) {
                q.body_len = size - query - 1;
                q.body = arena_copy(a, line + 1, q.body_len);
            }
            check(&q, &target);
        }
    }
    arena_free(a);
    return 0;
}
