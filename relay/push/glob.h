/* glob - names that fit a pattern
 *
 *   *      any text, also none        ?      any one character
 *   [a-z]  one of these, [!a-z] none  {a,b}  one of these texts, which may hold the others but no braces
 *   \c     c itself
 *
 * Bytes are compared, but ? and a class take a whole UTF-8 character. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_GLOB_H
#define RELAY_PUSH_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/arena.h"

#define GLOB_BYTES 512  /* a longer pattern fits nothing */
#define GLOB_MAX 64     /* patterns without braces that one with braces may stand for; more are left out */

struct glob {
    const char *patterns[GLOB_MAX];
    size_t n;
};

/* Compiles text into the arena. "" fits every name. */
void glob_compile(struct arena *a, const char *text, struct glob *g_r);
bool glob_fits(const struct glob *g, const char *name);

#endif
