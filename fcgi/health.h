/* health - is this process alive, is the whole chain ready: the same for every system
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FCGI_HEALTH_H
#define FCGI_HEALTH_H

#include "fcgi/router.h"

/* GET /health, GET /health/ready */
route_handler health_alive, health_ready;

#endif
