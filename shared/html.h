/* html - what may stay in a message (docs/api/mtchat.md, "HTML")
 *
 * Parses as HTML5 does, keeps the allowed tags and attributes and serialises again.
 * Sanitising twice changes nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_HTML_H
#define SHARED_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/sbuf.h"

/* Appends the sanitised form of html[0..len) (valid UTF-8) to out. *visible_r tells whether the
 * result has any text that shows (utf8_visible). Failure is out->failed. */
void html_sanitise(struct sbuf *out, const char *html, size_t len, bool *visible_r);

#endif
