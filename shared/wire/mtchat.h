/* mtchat - how mtchat says things: its JSON, written from the core's structs
 *
 * Both edges use it: the handlers for answers, relay and handlers for events. Field
 * tables follow docs/api/mtchat.md, "Objects" and "Frames".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_WIRE_MTCHAT_H
#define SHARED_WIRE_MTCHAT_H

#include "shared/chat/chat.h"
#include "shared/chat/op.h"
#include "shared/sbuf.h"

/* Message; client_key (NULL is fine) is added as client_message_id. */
void mtchat_write_message(struct sbuf *out, const struct entry *e, const char *client_key);

/* Dialog: the base fields without the closing brace when open is true, so that more can follow. */
void mtchat_write_dialog(struct sbuf *out, const struct conversation *c, bool open);

/* Participant. with_online adds is_online. */
void mtchat_write_participant(struct sbuf *out, const struct id *dialog, const struct member *m,
                              bool with_online);

/* AccessScope. */
void mtchat_write_scope(struct sbuf *out, const struct id *dialog, const struct scope *s);

/* A frame of the socket and of /sync: the event's body with its seq. */
void mtchat_write_frame(struct sbuf *out, const struct event *e);

#endif
