/* fossil - patches in the delta format of the Fossil version control system
 *
 * A patch is the target's size and a line end, then commands: LENGTH@OFFSET, copies from the source, LENGTH:bytes
 * inserts, CHECKSUM; ends it. Numbers are written in base 64, the sum is that of the target's big-endian words. Source and
 * documentation of the format: fossil-scm.org, "Delta Format".
 *
 * Where source and target are valid UTF-8, so is the patch: no command begins or ends within a character.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_FOSSIL_H
#define RELAY_PUSH_FOSSIL_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/sbuf.h"

/* Appends the patch that makes `to` of `from`. false: it would not be shorter than `to`; out is as before. Time grows
 * with the lengths alone; memory is at most a megabyte. */
bool fossil_delta(const char *from, size_t from_len, const char *to, size_t to_len, struct sbuf *out);

#endif
