/* fuzz_http - request targets and header values
 *
 * Whatever the bytes are: what was decoded is valid UTF-8 without NUL, and as many segments come out as
 * the path has slashes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/http.h"
#include "shared/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must_be_text(const char *s)
{
    if (!s || !utf8_valid(s, strlen(s)))
        abort();
}

static void
check_target(const struct target *t)
{
    size_t slashes = 0, i;
    const char *p;

    for (p = t->path; *p; p++)
        slashes += *p == '/';
    if (*t->path == '/' && slashes != t->n_segments)
        abort();
    for (i = 0; i < t->n_segments; i++) {
        if (t->segments[i].err == ERR_OK)
            must_be_text(t->segments[i].text);
        else if (t->segments[i].text)
            abort();
    }
    for (i = 0; i < t->n_pairs; i++) {
        must_be_text(t->pairs[i].name);
        must_be_text(t->pairs[i].value);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    char *text = arena_copy(a, data, size);
    struct target t;
    int64_t n;

    if (http_target(a, text, &t) == ERR_OK)
        check_target(&t);
    if (http_length(text, &n) && n < 0)
        abort();
    if (http_visible(text, 128) && !http_echoable(text))
        abort();
    http_etag_listed(text, "\"17\"");
    arena_free(a);
    return 0;
}
