/* config_row - one line of a table of settings: how its value is read, checked and printed
 *
 * The tables are made from config.def and channels.def; a row says where in its struct the value goes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_CONFIG_ROW_H
#define SHARED_CONFIG_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/sbuf.h"

enum config_kind {
    KIND_SECTION,                   /* no value: a title */
    KIND_TEXT, KIND_SECRET, KIND_PATH,
    KIND_INT, KIND_BOOL,
    KIND_CHOICE,                    /* one of the words, kept as its number */
};

struct config_row {
    enum config_kind kind;
    const char *name;               /* a section's title */
    const char *text;               /* default of texts and choices */
    int64_t number;                 /* default of numbers */
    int64_t min, max;
    const char *words;              /* of a choice, separated by single spaces */
    const char *help;
    size_t offset;
};

/* For tables: the default in its place. */
#define DEFAULT_TEXT(fallback) .text = (fallback)
#define DEFAULT_SECRET(fallback) .text = (fallback)
#define DEFAULT_PATH(fallback) .text = (fallback)
#define DEFAULT_INT(fallback) .number = (fallback)
#define DEFAULT_BOOL(fallback) .number = (fallback)

/* Gives every member its default. */
void config_row_defaults(const struct config_row *rows, size_t n, void *into);

/* value into its member; where is what to blame for a bad one, "FILE:LINE" or the variable. */
enum err config_row_set(struct arena *a, const struct config_row *row, void *into,
                        const char *value, const char *where, struct fail *fail);

/* "name = value", secrets hidden; with the help above when asked. */
void config_row_print(const struct config_row *row, const void *from, struct sbuf *out,
                      bool with_help);

#endif
