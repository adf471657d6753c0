/* settings_check - settings of the push server that do not go together
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RELAY_PUSH_SETTINGS_CHECK_H
#define RELAY_PUSH_SETTINGS_CHECK_H

#include <stdbool.h>

#include "shared/config.h"

/* The flat settings: ERR_FIELD and the reason. */
enum err settings_check(const struct config *c, struct fail *fail);

/* One section of channels. */
enum err settings_check_section(const struct config *c, const struct channel_options *o,
                                struct fail *fail);

/* Logs what is allowed, but hardly meant. */
void settings_warn(const struct config *c, bool no_keys);

/* ERR_FIELD: "[channels NAME] option: why". */
enum err settings_fault(struct fail *fail, const struct channel_options *o, const char *option,
                        const char *why);

#endif
