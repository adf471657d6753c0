# CONFAB_STATIC_LIBS(NAMES): --enable-static-libs links those of the libraries NAME_LIBS of which there is an archive into the
# programs. What there is none of is copied to LIBDIR/confab when they are installed, where they look first; so do the
# libraries that come with it, which is why this is an RPATH and not a RUNPATH.
# SPDX-License-Identifier: MIT
AC_DEFUN([CONFAB_STATIC_LIBS], [
    AC_ARG_ENABLE([static-libs],
        [AS_HELP_STRING([--enable-static-libs], [programs for hosts without the libraries: link archives, install copies of the rest])],
        [], [enable_static_libs=no])
    AM_CONDITIONAL([STATIC_LIBS], [test "$enable_static_libs" = yes])
    AS_VAR_IF([enable_static_libs], [yes], [
        m4_foreach_w([name], [$1], [CONFAB_STATIC_LIB(name)])
        CONFAB_LDFLAGS="$CONFAB_LDFLAGS -Wl,--disable-new-dtags -Wl,-rpath,\$(libdir)/confab"
    ])
])

# CONFAB_STATIC_LIB(NAME): NAME_LIBS becomes the archive, if there is one.
AC_DEFUN([CONFAB_STATIC_LIB], [
    AS_IF([test -n "$$1_LIBS"], [
        AC_MSG_CHECKING([for an archive of $$1_LIBS])
        confab_saved_LIBS=$LIBS
        LIBS="-Wl,-Bstatic $$1_LIBS -Wl,-Bdynamic $LIBS"
        AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
            [$1_LIBS="-Wl,-Bstatic $$1_LIBS -Wl,-Bdynamic"; AC_MSG_RESULT([yes])],
            [AC_MSG_RESULT([no])])
        LIBS=$confab_saved_LIBS
    ])
])
