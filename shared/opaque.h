/* opaque - credentials that are random texts and nothing else: made, and hashed for storing
 *
 * 256 bits of randomness: a plain hash of one tells nothing, and looking it up by its hash needs no
 * constant time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_OPAQUE_H
#define SHARED_OPAQUE_H

#include <stdint.h>

#include "shared/arena.h"

#define OPAQUE_HASH_SIZE 32

/* prefix and 43 characters of A-Za-z0-9_- behind it. */
char *opaque_new(struct arena *a, const char *prefix);

void opaque_hash(const char *text, uint8_t hash_r[OPAQUE_HASH_SIZE]);

#endif
