/* utf8 - validity, length in code points, visible content, case folding
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_UTF8_H
#define SHARED_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/arena.h"

/* Well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong, at most U+10FFFF)? */
bool utf8_valid(const char *p, size_t len);

/* Code points in valid UTF-8. */
size_t utf8_length(const char *p, size_t len);

/* Any code point that shows something, that is not white space (every Unicode White_Space
 * and NBSP), zero-width (U+200B-U+200F, U+2060-U+2064, U+FEFF, U+00AD) or a control? */
bool utf8_visible(const char *p, size_t len);

/* The text without white space at both ends (Unicode White_Space), as a slice of it. */
const char *utf8_trim(const char *p, size_t len, size_t *len_r);

/* A lower-case copy. */
char *utf8_lower(struct arena *a, const char *text);

/* Case-folded and NFC-normalised copy for caseless search in all scripts
 * (Unicode 3.13, default caseless matching). "" for NULL. */
char *utf8_fold(struct arena *a, const char *text);

#endif
