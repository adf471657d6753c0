/* relay_event - small events for tests of the relay
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_RELAY_EVENT_H
#define TESTS_UNIT_RELAY_EVENT_H

#include <stdio.h>

#include "relay/held.h"

/* An event with at most one channel and one operation; the body tells its seq. */
struct small {
    struct event event;
    const char *channel;
    struct event_operation op;
    char body[64];
};

static inline const struct event *
small_event(struct small *s, int64_t seq, const char *channel)
{
    *s = (struct small){ .channel = channel };
    s->event = (struct event){
        .seq = seq, .kind = EVENT_ENTRY_NEW, .system = "mtchat", .n_channels = channel ? 1 : 0,
        .channels = &s->channel, .body = s->body,
    };
    s->event.body_len = (size_t)snprintf(s->body, sizeof s->body, "{\"e\":%d}", (int)seq);
    return &s->event;
}

static inline const struct event *
small_operation(struct small *s, int64_t seq, enum event_verb verb, const char *op_channel,
                const char *user, const char *channel)
{
    small_event(s, seq, channel);
    s->op = (struct event_operation){ verb, op_channel, user, verb == EVENT_CLOSE ? 4404 : 0,
                                      verb == EVENT_CLOSE ? "deleted" : NULL };
    s->event.operations = &s->op;
    s->event.n_operations = 1;
    return &s->event;
}

#endif
