# CONFAB_LIBRARY(NAME, header, library, function)
# A library without a pkg-config file: fails without it, else sets NAME_LIBS (and an
# empty NAME_CFLAGS, so that fragments need not know which kind a library is).
# SPDX-License-Identifier: MIT
AC_DEFUN([CONFAB_LIBRARY], [
    AC_CHECK_HEADER([$2], [], [AC_MSG_ERROR([$2 is missing (lib$3 development files)])])
    AC_CHECK_LIB([$3], [$4], [$1_LIBS="-l$3"],
        [AC_MSG_ERROR([lib$3 is missing or lacks $4])], [$$1_LIBS])
    $1_CFLAGS=
    AC_SUBST([$1_LIBS])
    AC_SUBST([$1_CFLAGS])
])
