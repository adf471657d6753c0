/* cors - what the relay's answers tell browsers about pages of other origins
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_CORS_H
#define RELAY_CORS_H

#include <stdbool.h>

#include "relay/io.h"

/* A page of origin may read the answer; it may send credentials along, or not. */
void cors_allow(struct sbuf *headers, const char *origin, bool credentials);

/* The answer to OPTIONS, behind cors_allow. methods: of Access-Control-Allow-Methods. */
void cors_preflight(const struct io_request *r, struct io_answer *a, const char *methods);

#endif
