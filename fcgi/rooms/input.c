/* input - what each endpoint of rooms takes: structs, and the tables that fill them
 *
 * SPDX-License-Identifier: MIT
 */
#include "fcgi/rooms/input.h"

#include <string.h>
#include <strings.h>

#include "fcgi/rooms/rooms.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define GIVEN(type, member) .has = offsetof(struct type, member)
#define TEXT (FIELD_REQUIRED | FIELD_NOT_BLANK)     /* there, and more than white space */

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const struct field rooms_register_fields[] = {
    { "email", F_TEXT, AT(rooms_in_account, email), .min = ROOMS_EMAIL_MIN, .max = ROOMS_EMAIL_MAX,
      .flags = FIELD_REQUIRED | FIELD_TRIM },
    { "password", F_TEXT, AT(rooms_in_account, password), .min = ROOMS_PASSWORD_MIN,
      .max = ROOMS_PASSWORD_MAX, .flags = FIELD_REQUIRED },
    { "username", F_TEXT, AT(rooms_in_account, username), .max = ROOMS_USERNAME_MAX },
    { 0 },
};

/* A password that cannot be one is simply wrong. */
const struct field rooms_login_fields[] = {
    { "email", F_TEXT, AT(rooms_in_account, email), .min = ROOMS_EMAIL_MIN, .max = ROOMS_EMAIL_MAX,
      .flags = FIELD_REQUIRED | FIELD_TRIM },
    { "password", F_TEXT, AT(rooms_in_account, password), .flags = FIELD_REQUIRED },
    { 0 },
};

const struct field rooms_refresh_fields[] = {
    { "refreshToken", F_TEXT, AT(rooms_in_refresh, token), .flags = FIELD_REQUIRED },
    { 0 },
};

#define DESCRIPTION                                                                               \
    { "description", F_TEXT, AT(rooms_in_room, description), .max = ROOMS_DESCRIPTION_MAX }
#define SPEED(extra)                                                                              \
    { "speed", F_NUMBER, AT(rooms_in_room, speed), .from = 0.1, .to = 10, .flags = (extra),       \
      GIVEN(rooms_in_room, has_speed) }

const struct field rooms_create_fields[] = {
    { "name", F_TEXT, AT(rooms_in_room, name), .max = ROOMS_NAME_MAX, .flags = TEXT },
    DESCRIPTION,
    { "orchestration_type", F_TEXT, AT(rooms_in_room, orchestration) },
    { 0 },
};

const struct field rooms_change_fields[] = {
    DESCRIPTION,
    SPEED(0),
    { 0 },
};

const struct field rooms_speed_fields[] = {
    SPEED(FIELD_REQUIRED),
    { 0 },
};

/* The name is judged by the handler: beside agentId it does not count. */
const struct field rooms_agent_fields[] = {
    { "agentId", F_KEY, AT(rooms_in_agent, existing) },
    { "name", F_TEXT, AT(rooms_in_agent, name) },
    { "character", F_TEXT, AT(rooms_in_agent, character), .max = ROOMS_CHARACTER_MAX },
    { "avatar", F_TEXT, AT(rooms_in_agent, avatar), .max = ROOMS_AVATAR_MAX },
    { 0 },
};

#define LIMIT { "limit", F_INT, AT(rooms_in_page, limit), .min = 1, .max = ROOMS_PAGE_MAX }

const struct field rooms_messages_fields[] = {
    { "after_id", F_INT, AT(rooms_in_page, bound), GIVEN(rooms_in_page, has_bound) },
    LIMIT,
    { 0 },
};

const struct field rooms_feed_fields[] = {
    LIMIT,
    { 0 },
};

const struct field rooms_memories_fields[] = {
    LIMIT,
    { "offset", F_INT, AT(rooms_in_page, offset), .max = INT64_MAX },
    { 0 },
};

const struct field rooms_since_fields[] = {
    { "since_id", F_INT, AT(rooms_in_page, bound), GIVEN(rooms_in_page, has_bound) },
    LIMIT,
    { 0 },
};

#define SAID { "text", F_TEXT, AT(rooms_in_message, text), .max = ROOMS_TEXT_MAX, .flags = TEXT }

const struct field rooms_message_fields[] = {
    SAID,
    { 0 },
};

const struct field rooms_runner_message_fields[] = {
    SAID,
    { "agentId", F_KEY, AT(rooms_in_message, agent) },
    { "sender", F_TEXT, AT(rooms_in_message, sender) },
    { 0 },
};

#define HAPPENED                                                                                  \
    { "description", F_TEXT, AT(rooms_in_event, description), .max = ROOMS_EVENT_MAX,             \
      .flags = TEXT },                                                                            \
    { "type", F_TEXT, AT(rooms_in_event, type), .min = 1, .max = ROOMS_EVENT_TYPE_MAX }

const struct field rooms_event_fields[] = {
    HAPPENED,
    { "agentIds", F_KEYS, AT(rooms_in_event, agents), .max = ROOMS_EVENT_AGENTS_MAX },
    { 0 },
};

const struct field rooms_broadcast_fields[] = {
    HAPPENED,
    { 0 },
};

const struct field rooms_relation_fields[] = {
    { "agent1Id", F_KEY, AT(rooms_in_relation, a), .flags = FIELD_REQUIRED },
    { "agent2Id", F_KEY, AT(rooms_in_relation, b), .flags = FIELD_REQUIRED },
    { "sympathyLevel", F_NUMBER, AT(rooms_in_relation, level), .from = -1, .to = 1,
      .flags = FIELD_REQUIRED },
    { 0 },
};

const struct field rooms_key_fields[] = {
    { "name", F_TEXT, AT(rooms_in_key, name), .max = ROOMS_KEY_NAME_MAX, .flags = TEXT },
    { "webhookUrl", F_TEXT, AT(rooms_in_key, webhook_url), .max = ROOMS_WEBHOOK_URL_MAX },
    { 0 },
};

const struct field rooms_memory_fields[] = {
    { "content", F_TEXT, AT(rooms_in_memory, content), .max = ROOMS_MEMORY_MAX, .flags = TEXT },
    { "importance", F_NUMBER, AT(rooms_in_memory, importance), .from = 0, .to = 1,
      GIVEN(rooms_in_memory, has_importance) },
    { 0 },
};

const struct field rooms_plan_fields[] = {
    { "description", F_TEXT, AT(rooms_in_plan, description), .max = ROOMS_PLAN_MAX, .flags = TEXT },
    { "status", F_TEXT, AT(rooms_in_plan, status) },
    { 0 },
};

const struct field rooms_plan_change_fields[] = {
    { "description", F_TEXT, AT(rooms_in_plan, description), .max = ROOMS_PLAN_MAX,
      .flags = FIELD_NOT_BLANK },
    { "status", F_TEXT, AT(rooms_in_plan, status) },
    { 0 },
};

const struct field rooms_mood_fields[] = {
    { "mood", F_TEXT, AT(rooms_in_mood, mood), .flags = FIELD_REQUIRED },
    { "level", F_NUMBER, AT(rooms_in_mood, level), .from = 0, .to = 1,
      GIVEN(rooms_in_mood, has_level) },
    { 0 },
};

/* ---- rules that no table says ---- */

/* Pieces between dots, none of them empty, of what allowed lists and of letters beyond ASCII. */
static bool
is_dotted(const char *p, size_t len, const char *allowed)
{
    bool empty = true;
    size_t i;

    for (i = 0; i < len; i++) {
        if (p[i] == '.' ? empty : !((unsigned char)p[i] >= 0x80 || strchr(allowed, p[i])))
            return false;
        empty = p[i] == '.';
    }
    return !empty;
}

static bool
is_host(const char *host)
{
    size_t len = strlen(host);

    return is_dotted(host, len, ALNUM "-") && host[0] != '-' && host[len - 1] != '-'
           && !strstr(host, "-.") && !strstr(host, ".-");
}

bool
rooms_email_valid(const char *email)
{
    const char *at = strchr(email, '@');

    return at && is_dotted(email, (size_t)(at - email), ALNUM "!#$%&'*+-/=?^_`{|}~")
           && is_host(at + 1);
}

bool
rooms_url_valid(const char *url)
{
    const char *rest = strncasecmp(url, "http://", 7) == 0    ? url + 7
                       : strncasecmp(url, "https://", 8) == 0 ? url + 8
                                                              : "";

    if (strcspn(rest, "/?#") == 0)
        return false;
    for (; *url; url++) {
        if ((unsigned char)*url <= ' ' || *url == 0x7f)
            return false;
    }
    return true;
}

/* A number up to end: 1 to 65535. */
static bool
is_port(const char *text, const char *end)
{
    long n = 0;

    for (; text < end && *text >= '0' && *text <= '9' && n <= 65535; text++)
        n = n * 10 + *text - '0';
    return text == end && n >= 1 && n <= 65535;
}

/* A name, an IPv4 address, or an IPv6 address in brackets; maybe a port. */
static bool
is_authority(const char *text, size_t len)
{
    size_t host;

    if (len > 0 && *text == '[') {
        host = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
        if (host < 3 || text[host++] != ']')
            return false;
    } else {
        host = strspn(text, ALNUM "-._");
    }
    if (host == 0 || host == len)
        return host > 0;
    return text[host] == ':' && is_port(text + host + 1, text + len);
}

/* Nothing that different readers of URLs might read differently. */
bool
rooms_webhook_url_valid(const char *url)
{
    const char *authority;

    if (!rooms_url_valid(url))
        return false;
    authority = strstr(url, "://") + 3;
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p > '~' || *p == '\\' || *p == '#')
            return false;
    return is_authority(authority, strcspn(authority, "/?"));
}

bool
rooms_event_type_valid(const char *type)
{
    return type[strspn(type, ALNUM "_.:-")] == '\0';
}
