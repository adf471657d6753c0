/* password - argon2id, and how many processes may be at it at once
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_PASSWORD_H
#define SHARED_PASSWORD_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"

#define PASSWORD_HASH_SIZE 128      /* bytes of the text that is stored, with its NUL */

/* What one hash costs. */
struct password_cost {
    int64_t memory_kib, passes;
};

/* password as it may be stored. ERR_NO_MEMORY. */
enum err password_hash(const struct password_cost *cost, const char *password,
                       char hash_r[PASSWORD_HASH_SIZE]);

/* ERR_OK, ERR_UNAUTHORIZED (wrong), ERR_NO_MEMORY. hash NULL: nobody's, wrong after the time
 * that a real one of that cost takes. */
enum err password_verify(const struct password_cost *cost, const char *hash, const char *password);

/* Was hash made at another cost? */
bool password_outdated(const struct password_cost *cost, const char *hash);

/* Takes one of n places that all processes share (locks in the file at path, made when
 * missing); *place_r is then given back by password_leave, or by the kernel when the process
 * ends. ERR_RATE: all are taken. ERR_BUSY: the file cannot be used (logged). */
enum err password_enter(const char *path, int64_t n, int *place_r);
void password_leave(int place);

#endif
