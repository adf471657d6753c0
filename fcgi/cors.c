/* cors - what browsers of other origins may do, on every answer
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/cors.h"

#include <string.h>

#include "fcgi/http.h"
#include "fcgi/router.h"

/* Allowed when a page asks for nothing in particular. */
#define USUAL_HEADERS "Content-Type, Authorization, X-Scope-Config, Idempotency-Key"

static bool
is_listed(const char *list, const char *value)
{
    size_t len = strlen(value), n;

    while (*list) {
        list += strspn(list, " \t,");
        n = strcspn(list, " \t,");
        if (n == len && memcmp(list, value, len) == 0)
            return true;
        list += n;
    }
    return false;
}

/* What stands in Access-Control-Allow-Origin; NULL: no header. *varies_r: it depends on Origin. */
static const char *
allowed_origin(const struct config *config, const char *origin, bool cookies, bool *varies_r)
{
    bool any = strcmp(config->cors_allowed_origins, "*") == 0;

    *varies_r = !any || cookies;
    if (any && !cookies)
        return "*";
    if (!origin || !*origin || !http_echoable(origin))
        return NULL;
    return any || is_listed(config->cors_allowed_origins, origin) ? origin : NULL;
}

static void
write_preflight(struct sbuf *out, const struct config *config, const struct request *q)
{
    const char *headers = q->edge->cors_headers ? q->edge->cors_headers : config->cors_allowed_headers;
    const char *methods = q->edge->cors_methods;

    if (strcmp(headers, "*") == 0) {
        headers = USUAL_HEADERS;
        if (q->cors_headers && *q->cors_headers && http_echoable(q->cors_headers))
            headers = q->cors_headers;
        sbuf_puts(out, "Vary: Access-Control-Request-Headers\r\n");
    }
    sbuf_printf(out, "Access-Control-Allow-Methods: %s\r\n", methods ? methods : config->cors_allowed_methods);
    sbuf_printf(out, "Access-Control-Allow-Headers: %s\r\n", headers);
    sbuf_printf(out, "Access-Control-Max-Age: %lld\r\n", (long long)config->cors_max_age);
}

void
cors_write(struct sbuf *out, const struct config *config, const struct request *q, bool preflight)
{
    bool cookies = config->cors_allow_credentials && !q->edge->never_credentials;
    bool varies;
    const char *origin = allowed_origin(config, q->origin, cookies, &varies);

    if (varies)
        sbuf_puts(out, "Vary: Origin\r\n");
    if (!origin)
        return;
    sbuf_printf(out, "Access-Control-Allow-Origin: %s\r\n", origin);
    if (cookies)
        sbuf_puts(out, "Access-Control-Allow-Credentials: true\r\n");
    if (preflight)
        write_preflight(out, config, q);
    else
        sbuf_puts(out, "Access-Control-Expose-Headers: ETag, Retry-After, X-Request-Id\r\n");
}
