// Each file here includes this first: _GNU_SOURCE counts only before the first header of the system.
#pragma once
#define _GNU_SOURCE
#include <features.h>

#if defined(__OPTIMIZE__) && __USE_FORTIFY_LEVEL < 2
#error "needs -D_FORTIFY_SOURCE=2, with which the C library checks what is written to an array (Package.swift)"
#endif
