/* id - UUIDs
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/id.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/percent.h"

#define TEXT_LEN (ID_TEXT_SIZE - 1)
#define TIME_MAX ((INT64_C(1) << 48) - 1)

/* All bits random but for version and variant. */
static struct id
random_id(uint8_t version)
{
    struct id id = { .given = true };

    if (sodium_init() < 0)
        abort();        /* without randomness no id may be made */
    randombytes_buf(id.bytes, sizeof id.bytes);
    id.bytes[6] = (id.bytes[6] & 0x0f) | (uint8_t)(version << 4);
    id.bytes[8] = (id.bytes[8] & 0x3f) | 0x80;      /* RFC 9562 variant */
    return id;
}

struct id
id_random(void)
{
    return random_id(4);
}

struct id
id_new(int64_t at_ms)
{
    struct id id = random_id(7);
    int i;

    if (at_ms < 0)
        at_ms = 0;
    if (at_ms > TIME_MAX)
        at_ms = TIME_MAX;
    for (i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(at_ms >> (40 - 8 * i));
    return id;
}

static bool
is_hyphen_place(int i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool
id_parse(const char *text, struct id *id_r)
{
    struct id id = { .given = true };
    int i, digit, n = 0;

    for (i = 0; i < TEXT_LEN; i++) {
        if (is_hyphen_place(i)) {
            if (text[i] != '-')
                return false;
            continue;
        }
        digit = percent_hex(text[i]);     /* -1 for the NUL of a short text */
        if (digit < 0)
            return false;
        id.bytes[n / 2] = (uint8_t)(id.bytes[n / 2] << 4 | digit);
        n++;
    }
    if (text[TEXT_LEN] != '\0')
        return false;
    *id_r = id;
    return true;
}

char *
id_text(const struct id *id, char *out)
{
    static const char digits[] = "0123456789abcdef";
    char *p = out;

    for (size_t i = 0; id->given && i < sizeof id->bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digits[id->bytes[i] >> 4];
        *p++ = digits[id->bytes[i] & 15];
    }
    *p = '\0';
    return out;
}

int
id_compare(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}
