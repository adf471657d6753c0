/* fuzz_html - the sanitiser
 *
 * Whatever comes in, what comes out is UTF-8, holds no tag that is not allowed, and comes out of a
 * second run unchanged.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/html.h"
#include "shared/utf8.h"

#define OUTPUT_MAX (16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Does an allowed tag begin here, at its '<'? */
static int
is_allowed_tag(const char *p)
{
    static const char *const names[] = { "p", "br", "strong", "b", "em", "i", "u", "s", "strike",
                                         "a", "ul", "ol", "li", "blockquote", "code", "pre",
                                         "span" };
    size_t i, len;

    p += p[1] == '/' ? 2 : 1;
    len = strcspn(p, " <>");
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == len && memcmp(names[i], p, len) == 0)
            return p[len] != '<' && p[len] != '\0';
    return 0;
}

static void
check(const struct sbuf *out)
{
    const char *p = sbuf_str(out);

    if (!utf8_valid(p, out->len) || strlen(p) != out->len)
        abort();
    while ((p = strchr(p, '<')) != NULL) {
        if (!is_allowed_tag(p))
            abort();
        p++;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sbuf once, twice;
    bool visible_once, visible_twice;

    if (!utf8_valid((const char *)data, size))
        return 0;
    sbuf_init(&once, OUTPUT_MAX);
    sbuf_init(&twice, OUTPUT_MAX);
    html_sanitise(&once, (const char *)data, size, &visible_once);
    if (!once.failed) {
        check(&once);
        html_sanitise(&twice, sbuf_str(&once), once.len, &visible_twice);
        if (twice.failed || once.len != twice.len || visible_once != visible_twice ||
            memcmp(sbuf_str(&once), sbuf_str(&twice), once.len) != 0)
            abort();
    }
    sbuf_fini(&once);
    sbuf_fini(&twice);
    return 0;
}
