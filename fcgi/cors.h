/* cors - what browsers of other origins may do, on every answer
 *
 * An error without these headers reaches a page as a bare network failure, so they stand on
 * errors, too. What a wildcard would not cover (Authorization; credentials) is answered by echo.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_CORS_H
#define FCGI_CORS_H

#include "fcgi/req.h"
#include "shared/sbuf.h"

/* Appends header lines for this request; preflight adds what only an OPTIONS answer carries. */
void cors_write(struct sbuf *out, const struct config *config, const struct request *q,
                bool preflight);

#endif
