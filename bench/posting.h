/* posting - messages POSTed over HTTP by threads, so many under way as there are threads
 *
 * Each thread keeps its connection and sends the next message when it is told that one has reached everybody.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_POSTING_H
#define BENCH_POSTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSTERS_MAX 64
#define MARK "bench:"                   /* in each message, before the time it was sent at */

struct posting {
    const char *program;                /* said in errors */
    int port;
    const char *target;
    const char *headers;                /* more lines, each with its end */
    const char *field;                  /* of the body's JSON object: what holds the text */
};

/* Begins to send so many messages of 200 bytes. p must stay as it is until posting_ends. */
void posting_begin(const struct posting *p, int posters, int messages);

/* One has reached everybody: another one may go. */
void posting_go(void);

/* Waits for the last answers. */
void posting_end(void);

#endif
