# CONFAB_PACKAGE(NAME, MODULES): NAME_LIBS and NAME_CFLAGS by pkg-config, unless who builds has said the former.
# SPDX-License-Identifier: MIT
AC_DEFUN([CONFAB_PACKAGE], [
    AS_IF([test -n "$$1_LIBS"], [:], [PKG_CHECK_MODULES([$1], [$2])])
])
