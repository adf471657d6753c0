/* config - every setting, typed
 *
 * config.def is the table. A setting comes from, later wins: its default, the file
 * ($CONFAB_CONFIG, else SYSCONFDIR/confab/confab.conf when that exists), the environment
 * (CONFAB_<NAME>). SECRETs may name a file instead (jwt_secret_file, CONFAB_JWT_SECRET_FILE):
 * its first line; one that others may read is refused. Where a chat is served, jwt_secret, admin_token and
 * rooms_jwt_secret that nothing sets come from files of these names in the state directory, if there.
 *
 * Sections [channels] and [channels NAME] of the file hold options of the push server's channels
 * (channels.def); all other sections only group.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CONFIG_H
#define SHARED_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/sbuf.h"
#include "shared/token.h"
#include "shared/vk.h"

#define CONFIG_CTYPE_TEXT const char *
#define CONFIG_CTYPE_SECRET const char *
#define CONFIG_CTYPE_PATH const char *
#define CONFIG_CTYPE_INT int64_t
#define CONFIG_CTYPE_BOOL bool

/* A build without a database (configure --without-sqlite) has no chat to serve. */
#ifdef CONFAB_WITHOUT_SQLITE
#define CONFIG_SYSTEMS_DEFAULT ""
#define CONFIG_PUSH_DEFAULT 1
#else
#define CONFIG_SYSTEMS_DEFAULT "mtchat"
#define CONFIG_PUSH_DEFAULT 0
#endif

/* One section's options of channels. The numbers of choices are in the order of their words. */
struct channel_options {
    const char *name;           /* of the namespace; "" for channels without one */
#define CHANNEL_OPTION(kind, name, fallback, min, max, help) CONFIG_CTYPE_##kind name;
#define CHANNEL_CHOICE(name, fallback, words, help) int name;
#include "shared/channels.def"
#undef CHANNEL_OPTION
#undef CHANNEL_CHOICE
};

struct config {
#define CONFIG_SECTION(title)
#define CONFIG(kind, name, fallback, min, max, help) CONFIG_CTYPE_##kind name;
#include "shared/config.def"
#undef CONFIG
#undef CONFIG_SECTION
    const struct channel_options *channels;     /* the first is [channels], which always exists */
    size_t n_channels;
    /* derived once, at the end of config_load */
    bool trusted;                       /* auth = trusted */
    const char *const *jwt_keys;        /* NULL-terminated, may be empty */
    const char *const *rooms_keys;      /* the same of rooms */
};

/* Reads file and environment into a new config in the arena, which must outlive it. An unknown
 * key, a bad value or an unreadable secret is ERR_FIELD with file and line in fail;
 * an unknown CONFAB_ variable is logged as a warning. Relative paths stay as they are; state's
 * defaults for run and database are filled in. */
enum err config_load(struct arena *a, const struct config **config_r, struct fail *fail);

/* auth = jwt without any secret, and other combinations that a server must not start with:
 * ERR_FIELD and the reason. Called by every program that serves. */
enum err config_check(const struct config *c, struct fail *fail);

/* Keeps what lies in this process's memory out of files when it dies, unless core_dumps is on. */
void config_bound_core(const struct config *c);

/* "name = value" lines by section, secrets hidden, with help when asked. For confabctl. */
void config_print(const struct config *c, struct sbuf *out, bool with_help);

/* Is there any chat system in `systems`? */
static inline bool
config_has_chat(const struct config *c)
{
    return c->systems[0] != '\0';
}

/* Is the named system in `systems`? */
bool config_serves(const struct config *c, const char *system);

/* Does any of them speak Socket.IO? */
static inline bool
config_has_socketio(const struct config *c)
{
    return config_serves(c, "conversations") || config_serves(c, "eventchat");
}

/* How mtchat's tokens are judged under c. Lives as long as c. */
struct token_rules config_token_rules(const struct config *c);

/* The same for users of conversations and of event chats, whose tokens are made as mtchat's are, and
 * say besides who they are shown as. */
struct token_rules config_conversations_rules(const struct config *c);
struct token_rules config_eventchat_rules(const struct config *c);

/* How launch parameters of VK are judged (shared/vk.h); without a key (NULL) none is accepted. */
struct vk_rules config_vk_rules(const struct config *c);

/* The same for the tokens of rooms, which are made here: ROOMS_AUDIENCE, always with an end. */
#define ROOMS_AUDIENCE "confab:rooms"
struct token_rules config_rooms_rules(const struct config *c);

#endif
