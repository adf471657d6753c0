/* input - what each method of conversations takes: structs, and the tables that fill them
 *
 * Parameters come from the query, a JSON object or a form; what stands in the body wins. Integers may be
 * written as such or as decimal texts.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_CONVERSATIONS_INPUT_H
#define FCGI_CONVERSATIONS_INPUT_H

#include "fcgi/req.h"
#include "fcgi/router.h"

/* The parameter whose absence has a code of its own. */
#define CONVERSATIONS_CHAT "chat"

struct conversations_page {
    int64_t chat, offset;
};

struct conversations_said {
    const char *text;
    int64_t group;
};

struct conversations_which {
    const char *mode;               /* "joined" (NULL too), "new" */
    int64_t offset;
};

struct conversations_made {
    const char *name;
};

struct conversations_shown {
    const char *name, *avatar;
};

extern const struct field conversations_page_fields[], conversations_said_fields[],
    conversations_which_fields[], conversations_made_fields[], conversations_shown_fields[];

/* struct edge's read_input. */
enum err conversations_read_input(struct request *q, const struct route *route,
                                  const struct target *target, void *in);

#endif
