/* listen - listening sockets, for the programs that open their own
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_LISTEN_H
#define SHARED_LISTEN_H

#include <stdbool.h>

#include "shared/err.h"

/* Does where name a socket file, "unix:PATH"? */
bool listen_is_local(const char *where);

/* A listening, blocking, close-on-exec socket at where: "unix:PATH" (mode 0660; a socket file that
 * nobody listens on is replaced), "HOST:PORT", "[IPV6]:PORT", or ":PORT" for every address. ERR_BUSY:
 * it is taken; ERR_FIELD: it is no place; ERR_INTERNAL. Failures are logged. */
enum err listen_open(const char *where, int *fd_r);

#endif
