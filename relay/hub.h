/* hub - channels and who listens to them
 *
 * The one structure that fan-out walks. It knows names and links, nothing of users, events,
 * sequence or protocol: a link is embedded in what listens (a user's place in a dialog, a client's
 * subscription). A channel exists while it has links or data. The chat and the push server have a
 * hub each, so that a name of one can never be heard by the other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_HUB_H
#define RELAY_HUB_H

#include <stdbool.h>
#include <stddef.h>

struct hub;
struct hub_channel;

/* Embedded; zeroed before its first use. */
struct hub_link {
    struct hub_channel *channel;        /* NULL: in none */
    size_t at;                          /* place in the channel's array */
};

struct hub *hub_new(void);
void hub_free(struct hub *h);           /* links must have left; data must be gone */

/* NULL when there is none. */
struct hub_channel *hub_find(const struct hub *h, const char *name);

/* The channel of that name, made when it is new. One without links and data goes with the next
 * hub_remove or hub_release on it. */
struct hub_channel *hub_get(struct hub *h, const char *name);

/* Adds k, which is in no channel, to c. */
void hub_add(struct hub_channel *c, struct hub_link *k);

/* Takes k out; fine for one that is in none. The last link's place is taken by the last of the array, so
 * walk from the end when removing. */
void hub_remove(struct hub *h, struct hub_link *k);

const char *hub_name(const struct hub_channel *c);
size_t hub_count(const struct hub_channel *c);
struct hub_link *hub_at(const struct hub_channel *c, size_t i);

/* What the owner keeps with a channel; it keeps the channel. Set NULL and hub_release to let go. */
void hub_set_data(struct hub_channel *c, void *data);
void *hub_data(const struct hub_channel *c);
void hub_release(struct hub *h, struct hub_channel *c);

/* Calls each for every channel; it must neither add nor remove channels. false from each ends the walk. */
void hub_each(const struct hub *h, bool (*each)(void *arg, struct hub_channel *c), void *arg);

size_t hub_channels(const struct hub *h);
size_t hub_links(const struct hub *h);

#endif
