/* fuzz_push_api - what a server may send: a method's name, a line end, a body; or a publication in frames
 *
 * After "z" and a line end come channel, data and options of a publication over ZeroMQ, a line each. Answers must be JSON;
 * publications are answered late when the input begins with '+'.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/unit/push_api_fakes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_json(struct arena *a, const struct sbuf *b)
{
    if (b->len > 0 && !json_compact(a, b->data, b->len, 200))
        abort();
}

static void
post(struct arena *a, const char *method, const char *body, size_t len)
{
    struct io_request r = { .method = "POST", .path = arena_printf(a, "/api/%s", method), .query = "",
                            .body = body, .body_len = len };
    struct io_answer answer = { 0 };
    struct io_client *client = NULL;
    enum io_verdict v;

    sbuf_init(&answer.body, 1 << 20);
    sbuf_init(&answer.headers, 1 << 12);
    v = api_request(&fakes.push, &r, (struct io_exchange *)&fakes, &answer, &client);
    if (v == IO_ANSWER && answer.status == 200)
        check_json(a, &answer.body);
    while (fakes.n_late > 0)
        fakes_answer();
    check_json(a, &fakes.answered);
    sbuf_fini(&answer.body);
    sbuf_fini(&answer.headers);
}

static void
call_done(struct api_call *c)
{
    struct sbuf b;

    sbuf_init(&b, 1 << 20);
    api_write_answer(&b, c);
    check_json(c->arena, &b);
    sbuf_fini(&b);
}

static void
publish(struct arena *a, const char *channel, char *text)
{
    struct api_call c = { .push = &fakes.push, .arena = a, .done = call_done };
    char *options = strchr(text, '\n');

    if (options)
        *options++ = '\0';
    api_call_read_publish(&c, &channel, 1, text, strlen(text), options, options ? strlen(options) : 0);
    api_call_run(&c);
    api_call_fini(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    char *text = arena_copy(a, data, size), *end, *channel;
    size_t used;

    fakes_begin();
    if (*text == '+') {
        fakes.hold = true;
        text++;
        size--;
    }
    end = memchr(text, '\n', size);
    if (end) {
        *end++ = '\0';
        used = (size_t)(end - text);
        if (strcmp(text, "z") != 0) {
            post(a, text, end, size - used);
        } else if ((channel = strsep(&end, "\n")) && end) {
            fakes.hold = false;
            publish(a, channel, end);
        }
    }
    fakes_end();
    arena_free(a);
    return 0;
}
