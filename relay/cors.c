/* cors - what the relay's answers tell browsers about pages of other origins
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/cors.h"

void
cors_allow(struct sbuf *headers, const char *origin, bool credentials)
{
    sbuf_printf(headers, "Access-Control-Allow-Origin: %s\r\n", origin);
    if (credentials)
        sbuf_puts(headers, "Access-Control-Allow-Credentials: true\r\n");
    sbuf_puts(headers, "Vary: Origin\r\n");
}

void
cors_preflight(const struct io_request *r, struct io_answer *a, const char *methods)
{
    const char *headers = io_header(r, "Access-Control-Request-Headers");

    if (io_header(r, "Origin")) {
        sbuf_printf(&a->headers, "Access-Control-Allow-Methods: %s\r\n", methods);
        if (headers)
            sbuf_printf(&a->headers, "Access-Control-Allow-Headers: %s\r\n", headers);
    }
    a->status = 204;
}
