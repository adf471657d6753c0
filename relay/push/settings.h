/* settings - what the push server goes by: one compiled, immutable picture of the configuration
 *
 * A picture is made from a struct config, used, and replaced as a whole when the file is read anew:
 * whoever needs a setting asks push->settings at that moment and keeps no pointer beyond the
 * callback, except by settings_ref.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_SETTINGS_H
#define RELAY_PUSH_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/push/token.h"
#include "shared/config.h"

/* The words of the choices in shared/channels.def, in their order; struct channel_options is in config.h. */
enum channel_who_subscribes { SUBSCRIBE_TOKEN, SUBSCRIBE_USER, SUBSCRIBE_ANYONE };
enum channel_who { WHO_NOBODY, WHO_SUBSCRIBER, WHO_USER, WHO_ANYONE };
enum channel_when { WHEN_OFF, WHEN_ALLOWED, WHEN_ALWAYS };
enum channel_recovery { RECOVERY_STREAM, RECOVERY_CACHE };
enum channel_slow { SLOW_CLOSE, SLOW_LATEST, SLOW_RECOVER };

struct push_settings;           /* counted */

/* Compiles config, which must outlive the picture (it lies in the arena, which the picture owns from
 * now on, also on failure). ERR_FIELD with the reason in fail: bad pattern, key, origin, an option
 * that needs another, ... */
enum err push_settings_new(struct arena *a, const struct config *config,
                           struct push_settings **s_r, struct fail *fail);
struct push_settings *push_settings_ref(struct push_settings *s);
void push_settings_unref(struct push_settings *s);      /* NULL is fine */

const struct config *push_settings_config(const struct push_settings *s);
const struct token_keys *push_settings_keys(const struct push_settings *s);

enum channel_fault { CHANNEL_FINE, CHANNEL_BAD_NAME, CHANNEL_UNKNOWN };

/* The options that hold for a channel: its name is cut at the first ':', a leading '$' belongs to no
 * namespace. CHANNEL_BAD_NAME: empty, longer than push_channel_max bytes, not UTF-8 or with control
 * characters, or against its section's pattern; CHANNEL_UNKNOWN: no such section (that of names without a
 * namespace always exists). */
enum channel_fault push_settings_channel(const struct push_settings *s, const char *channel,
                                         const struct channel_options **o_r);

/* '$' in front (of the name or of what follows the namespace): only by token. */
bool channel_is_private(const char *channel);

/* Is user one of those listed behind '#'? True lists only; the empty user never is. */
bool channel_lists_user(const char *channel, const char *user);

/* May a page of that origin (header as sent; NULL: none, which is fine) use us? host is the request's own
 * Host header, which is the default when push_allowed_origins is empty. Compared whole: scheme, host, port. */
bool push_settings_origin(const struct push_settings *s, const char *origin, const char *host, bool secure);

#endif
