# CONFAB_ENABLE_FAULT_POINTS: --enable-fault-points compiles in the moments at which the fault tests may
# kill a process (shared/fault.h). Never for use.
# SPDX-License-Identifier: MIT
AC_DEFUN([CONFAB_ENABLE_FAULT_POINTS], [
    AC_ARG_ENABLE([fault-points],
        [AS_HELP_STRING([--enable-fault-points], [let tests kill processes at named points])],
        [], [enable_fault_points=no])
    AS_VAR_IF([enable_fault_points], [yes],
        [AC_DEFINE([CONFAB_FAULT_POINTS], [1], [fault points are compiled in])])
])
