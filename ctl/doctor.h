/* doctor - what the parts of `confabctl doctor` share
 *
 * Each check says one line, or one for each thing it looked at and found wanting.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include "ctl/ctl.h"

enum finding { FINDING_OK, FINDING_WARNING, FINDING_ERROR };

struct doctor {
    struct ctl *ctl;
    struct arena *arena;
    const struct config *config;
    enum finding worst;
    bool relay;                 /* a relay that is alive was found */
};

/* One line: "warning  state        what is so and what to do". */
void doctor_say(struct doctor *d, enum finding finding, const char *check, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The directories and the files in them. false: nothing more of the store can be looked at. */
bool doctor_state(struct doctor *d);

/* Asks the URL at which users come in. */
void doctor_url(struct doctor *d, const char *url);

#endif
