/* input - what each endpoint of rooms takes: structs, and the tables that fill them
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_ROOMS_INPUT_H
#define FCGI_ROOMS_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/field.h"

struct rooms_in_account {
    const char *email;          /* trimmed */
    const char *username;
    const char *password;
};
extern const struct field rooms_register_fields[];
extern const struct field rooms_login_fields[];

struct rooms_in_refresh {
    const char *token;
};
extern const struct field rooms_refresh_fields[];

struct rooms_in_room {
    const char *name, *description, *orchestration;
    double speed;
    bool has_speed;
};
extern const struct field rooms_create_fields[];
extern const struct field rooms_change_fields[];
extern const struct field rooms_speed_fields[];

struct rooms_in_agent {
    int64_t existing;           /* 0: a new one */
    const char *name, *character, *avatar;
};
extern const struct field rooms_agent_fields[];

struct rooms_in_page {
    int64_t limit;              /* 0: not given */
    int64_t bound;              /* after_id, since_id */
    bool has_bound;
    int64_t offset;
};
extern const struct field rooms_messages_fields[];
extern const struct field rooms_feed_fields[];
extern const struct field rooms_memories_fields[];
extern const struct field rooms_since_fields[];

struct rooms_in_message {
    const char *text;
    int64_t agent;              /* runner's; 0: not given */
    const char *sender;         /* runner's */
};
extern const struct field rooms_message_fields[];
extern const struct field rooms_runner_message_fields[];

struct rooms_in_event {
    const char *type, *description;
    struct list agents;         /* of int64_t */
};
extern const struct field rooms_event_fields[];
extern const struct field rooms_broadcast_fields[];

struct rooms_in_relation {
    int64_t a, b;
    double level;
};
extern const struct field rooms_relation_fields[];

struct rooms_in_key {
    const char *name, *webhook_url;
};
extern const struct field rooms_key_fields[];

struct rooms_in_memory {
    const char *content;
    double importance;
    bool has_importance;
};
extern const struct field rooms_memory_fields[];

struct rooms_in_plan {
    const char *description, *status;
};
extern const struct field rooms_plan_fields[];
extern const struct field rooms_plan_change_fields[];

struct rooms_in_mood {
    const char *mood;
    double level;
    bool has_level;
};
extern const struct field rooms_mood_fields[];

/* ---- rules that no table says ---- */

/* Something@host: one @, no white space, no empty piece between dots, hosts of letters, digits, '-'. */
bool rooms_email_valid(const char *email);

/* http(s)://host..., without white space and controls. */
bool rooms_url_valid(const char *url);

/* One that may be posted to: an ASCII http(s) URL of host, maybe port, path and query; no credentials, no fragment. */
bool rooms_webhook_url_valid(const char *url);

/* Only A-Za-z0-9_.:- */
bool rooms_event_type_valid(const char *type);

#endif
