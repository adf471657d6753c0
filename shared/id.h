/* id - UUIDs, version 7 (RFC 9562 section 5.7), and random ones, version 4
 *
 * Time and randomness are handed in, so that ids can be made in step with an
 * entry's own strictly rising time: of two entries of a conversation the later
 * one has the greater id, whatever the clock did.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_ID_H
#define SHARED_ID_H

#include <stdbool.h>
#include <stdint.h>

#define ID_TEXT_SIZE 37         /* 36 characters and a NUL */

struct id {
    uint8_t bytes[16];
    bool given;                 /* false: no id (absent in an input, NULL in a row) */
};

/* An id for at_ms (Unix milliseconds) with 74 bits of randomness from the operating system. */
struct id id_new(int64_t at_ms);

/* An id of 122 random bits and nothing else. */
struct id id_random(void);

/* Hyphenated hexadecimal of either case, exactly 36 characters, into *id_r. */
bool id_parse(const char *text, struct id *id_r);

/* Lower-case hyphenated text into out[ID_TEXT_SIZE]; returns out. "" when not given. */
char *id_text(const struct id *id, char *out);

/* Byte order: <0, 0, >0. */
int id_compare(const struct id *a, const struct id *b);

#endif
