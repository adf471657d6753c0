# CONFAB_SANITIZERS: --enable-sanitizers (address and undefined behaviour, both fatal) and
# --enable-fuzzing (libFuzzer, needs clang). Adds to CONFAB_CFLAGS and CONFAB_LDFLAGS; sets FUZZ_LDFLAGS.
# SPDX-License-Identifier: MIT
AC_DEFUN([CONFAB_SANITIZERS], [
    AC_ARG_ENABLE([sanitizers],
        [AS_HELP_STRING([--enable-sanitizers], [address and undefined behaviour sanitizers])],
        [], [enable_sanitizers=no])
    AC_ARG_ENABLE([fuzzing],
        [AS_HELP_STRING([--enable-fuzzing], [build tests/fuzz with libFuzzer (clang)])],
        [], [enable_fuzzing=no])
    FUZZ_LDFLAGS=
    AS_VAR_IF([enable_sanitizers], [yes], [
        confab_sanitize="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
        CONFAB_CFLAGS="$CONFAB_CFLAGS $confab_sanitize -fno-omit-frame-pointer"
        CONFAB_LDFLAGS="$CONFAB_LDFLAGS $confab_sanitize"
    ])
    AS_VAR_IF([enable_fuzzing], [yes], [
        CONFAB_CFLAGS="$CONFAB_CFLAGS -fsanitize=fuzzer-no-link"
        FUZZ_LDFLAGS="-fsanitize=fuzzer"
    ])
    AM_CONDITIONAL([FUZZING], [test "$enable_fuzzing" = yes])
    AC_SUBST([FUZZ_LDFLAGS])
])
