/* address - may something be sent there on a stranger's word? Pure
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_ADDRESS_H
#define RELAY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr;

/* A unicast address of the open internet? Not loopback, private, shared, link-local, unspecified, multicast,
 * reserved or for documentation, nor one that carries another (mapped, 6to4, Teredo), save for NAT64, whose
 * inner one is judged. */
bool address_is_public(const struct sockaddr *a, size_t len);

#endif
