# CONFAB_WARNINGS: the flags every object is compiled with, into CONFAB_CFLAGS and CONFAB_LDFLAGS.
# Users get warnings; only --enable-werror makes them errors.
# SPDX-License-Identifier: MIT
AC_DEFUN([CONFAB_TRY_CFLAG], [
    AS_VAR_PUSHDEF([cached], [confab_cv_cflag_$1])
    AC_CACHE_CHECK([whether $CC takes $1], [cached], [
        confab_save_CFLAGS=$CFLAGS
        CFLAGS="$CFLAGS -Werror $1"
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
            [AS_VAR_SET([cached], [yes])], [AS_VAR_SET([cached], [no])])
        CFLAGS=$confab_save_CFLAGS
    ])
    AS_VAR_IF([cached], [yes], [CONFAB_CFLAGS="$CONFAB_CFLAGS $1"])
    AS_VAR_POPDEF([cached])
])

AC_DEFUN([CONFAB_WARNINGS], [
    AC_ARG_ENABLE([werror],
        [AS_HELP_STRING([--enable-werror], [make compiler warnings errors])],
        [], [enable_werror=no])
    CONFAB_CFLAGS="-std=gnu11 -Wall -Wextra"
    m4_foreach_w([flag], [-Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
                          -Wwrite-strings -Wformat=2 -Wno-format-nonliteral
                          -fstack-protector-strong -fno-common],
        [CONFAB_TRY_CFLAG(flag)])
    AS_VAR_IF([enable_werror], [yes], [CONFAB_CFLAGS="$CONFAB_CFLAGS -Werror"])
    CONFAB_LDFLAGS="-Wl,--as-needed"
    AC_SUBST([CONFAB_CFLAGS])
    AC_SUBST([CONFAB_LDFLAGS])
])
