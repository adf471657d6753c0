/* room - words, numbers and names of the rooms system; pure
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/chat/room.h"

#include <stdlib.h>
#include <string.h>

#include "shared/utf8.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* ---- words ---- */

static const char *const orchestrations[] = {
    [ORCHESTRATION_SINGLE] = "single",
    [ORCHESTRATION_CIRCULAR] = "circular",
    [ORCHESTRATION_NARRATOR] = "narrator",
    [ORCHESTRATION_FULL_CONTEXT] = "full_context",
};

static const char *const moods[] = {
    [MOOD_HAPPY] = "happy",
    [MOOD_NEUTRAL] = "neutral",
    [MOOD_SAD] = "sad",
    [MOOD_ANGRY] = "angry",
    [MOOD_EXCITED] = "excited",
};

static const double mood_levels[] = {
    [MOOD_HAPPY] = 0.8, [MOOD_NEUTRAL] = 0.5, [MOOD_SAD] = 0.2, [MOOD_ANGRY] = 0.1,
    [MOOD_EXCITED] = 0.9,
};

static const char *const plan_statuses[] = {
    [PLAN_PENDING] = "pending",
    [PLAN_IN_PROGRESS] = "in_progress",
    [PLAN_DONE] = "done",
};

/* The number of a word; 0 when it is none of them (all begin at 1). */
static int
find_word(const char *const *words, size_t n, const char *word)
{
    for (size_t i = 1; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return (int)i;
    return 0;
}

const char *
orchestration_word(enum orchestration o)
{
    return orchestrations[o];
}

const char *
mood_word(enum mood m)
{
    return moods[m];
}

const char *
plan_status_word(enum plan_status s)
{
    return plan_statuses[s];
}

bool
orchestration_named(const char *word, enum orchestration *o_r)
{
    *o_r = (enum orchestration)find_word(orchestrations, COUNT(orchestrations), word);
    return *o_r != 0;
}

bool
mood_named(const char *word, enum mood *m_r)
{
    *m_r = (enum mood)find_word(moods, COUNT(moods), word);
    return *m_r != 0;
}

bool
plan_status_named(const char *word, enum plan_status *s_r)
{
    *s_r = (enum plan_status)find_word(plan_statuses, COUNT(plan_statuses), word);
    return *s_r != 0;
}

double
mood_level(enum mood m)
{
    return mood_levels[m];
}

/* ---- numbers and names ---- */

bool
room_id_parse(const char *text, int64_t *id_r)
{
    size_t len = strlen(text);
    int64_t id;

    *id_r = 0;
    if (len == 0 || len > 16 || text[0] == '0' || strspn(text, "0123456789") != len)
        return false;
    id = strtoll(text, NULL, 10);
    if (id > ROOM_ID_MAX)
        return false;
    *id_r = id;
    return true;
}

static bool
begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Trimmed as pages do it: to JavaScript U+FEFF is white space, too. */
static const char *
trim_for_pages(const char *p, size_t len, size_t *len_r)
{
    static const char mark[] = "\xef\xbb\xbf";
    const size_t n = sizeof mark - 1;

    for (;;) {
        p = utf8_trim(p, len, &len);
        if (len >= n && memcmp(p, mark, n) == 0)
            p += n;
        else if (len < n || memcmp(p + len - n, mark, n) != 0)
            break;
        len -= n;
    }
    *len_r = len;
    return p;
}

bool
room_name_reserved(struct arena *a, const char *name)
{
    static const char *const whole[] = { "user", "agent", "system", "система" };
    size_t len;
    const char *trimmed = trim_for_pages(name, strlen(name), &len);
    const char *folded = utf8_fold(a, arena_copy(a, trimmed, len));

    for (size_t i = 0; i < COUNT(whole); i++)
        if (strcmp(folded, whole[i]) == 0)
            return true;
    return begins_with(folded, "🎭") || begins_with(folded, "📊")
           || strstr(folded, "суммаризатор") != NULL;
}

bool
room_voice(const char *sender)
{
    return strcmp(sender, ROOM_VOICE_NARRATOR) == 0 || strcmp(sender, ROOM_VOICE_SUMMARY) == 0
           || strcmp(sender, ROOM_VOICE_SYSTEM) == 0;
}

/* ---- channels ---- */

static const char *const channel_ends[] = {
    [ROOM_SOCKET_CHAT] = "chat",
    [ROOM_SOCKET_GRAPH] = "graph",
    [ROOM_SOCKET_RUNNER] = "runner",
};

char *
room_channel(struct arena *a, int64_t room, enum room_socket kind)
{
    return room == 0 ? arena_string(a, "runner:all")
                     : arena_printf(a, "room:%lld:%s", (long long)room, channel_ends[kind]);
}

char *
room_key_channel(struct arena *a, int64_t key)
{
    return arena_printf(a, "key:%lld", (long long)key);
}

bool
room_of_channel(const char *channel, int64_t *room_r, enum room_socket *kind_r)
{
    char id[20];
    size_t len;
    int kind;

    if (!begins_with(channel, "room:"))
        return false;
    channel += strlen("room:");
    len = strcspn(channel, ":");
    if (len >= sizeof id || channel[len] == '\0')
        return false;
    memcpy(id, channel, len);
    id[len] = '\0';
    kind = find_word(channel_ends, COUNT(channel_ends), channel + len + 1);
    if (kind == 0 || !room_id_parse(id, room_r))
        return false;
    *kind_r = (enum room_socket)kind;
    return true;
}
