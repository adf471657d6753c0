/* fault - named moments at which a test may kill the process
 *
 * With --enable-fault-points, FAULT("write.committed") kills the process (SIGKILL) when
 * CONFAB_FAULT is "write.committed:PATH" and it can unlink PATH, so that each armed fault strikes once,
 * in whichever process comes first. Without that option it is nothing. ARCHITECTURE.md lists
 * the points.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_FAULT_H
#define SHARED_FAULT_H

#ifdef CONFAB_FAULT_POINTS
void fault_point(const char *name);
#define FAULT(name) fault_point(name)
#else
#define FAULT(name) ((void)0)
#endif

#endif
