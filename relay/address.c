/* address - what the registries of special addresses (RFC 6890 and its successors) keep from the open internet
 *
 * SPDX-License-Identifier: MIT
 */
#include "relay/address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* The first bits of an address; 16 bytes or 4 of them count. */
struct range {
    uint8_t prefix[16];
    unsigned bits;
};

static const struct range special4[] = {
    { { 0 }, 8 },                       /* this network; 0.0.0.0 */
    { { 10 }, 8 },                      /* private */
    { { 100, 64 }, 10 },                /* shared by a provider's customers */
    { { 127 }, 8 },                     /* loopback */
    { { 169, 254 }, 16 },               /* link-local: clouds tell secrets there */
    { { 172, 16 }, 12 },                /* private */
    { { 192, 0, 0 }, 24 },              /* protocols */
    { { 192, 0, 2 }, 24 },              /* documentation */
    { { 192, 88, 99 }, 24 },            /* 6to4 relays */
    { { 192, 168 }, 16 },               /* private */
    { { 198, 18 }, 15 },                /* benchmarks */
    { { 198, 51, 100 }, 24 },           /* documentation */
    { { 203, 0, 113 }, 24 },            /* documentation */
    { { 224 }, 3 },                     /* multicast, reserved, broadcast */
};

/* Of IPv6 only 2000::/3 is the open internet, without these. */
static const struct range open6 = { { 0x20 }, 3 };
static const struct range special6[] = {
    { { 0x20, 0x01, 0x00 }, 23 },               /* protocols; Teredo */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 },         /* documentation */
    { { 0x20, 0x02 }, 16 },                     /* 6to4 */
    { { 0x3f, 0xff, 0x00 }, 20 },               /* documentation */
};
static const struct range nat64 = { { 0x00, 0x64, 0xff, 0x9b }, 96 };

static bool
within(const uint8_t *a, const struct range *r)
{
    unsigned whole = r->bits / 8, rest = r->bits % 8;

    return memcmp(a, r->prefix, whole) == 0
        && (rest == 0 || (a[whole] ^ r->prefix[whole]) >> (8 - rest) == 0);
}

static bool
within_any(const uint8_t *a, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (within(a, &ranges[i]))
            return true;
    return false;
}

static bool
is_public4(const uint8_t *a)
{
    return !within_any(a, special4, sizeof special4 / sizeof *special4);
}

static bool
is_public6(const uint8_t *a)
{
    if (within(a, &nat64))
        return is_public4(a + 12);
    return within(a, &open6) && !within_any(a, special6, sizeof special6 / sizeof *special6);
}

bool
address_is_public(const struct sockaddr *a, size_t len)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (a->sa_family == AF_INET && len >= sizeof in) {
        memcpy(&in, a, sizeof in);
        return is_public4((const uint8_t *)&in.sin_addr);
    }
    if (a->sa_family == AF_INET6 && len >= sizeof in6) {
        memcpy(&in6, a, sizeof in6);
        return is_public6(in6.sin6_addr.s6_addr);
    }
    return false;
}
