# Compiling for arm64 on another machine, with Debian's cross compiler: the preset `arm64`.
#
# WARDER_ARM64_ROOT is a directory with the libraries, laid out as in a system: tests/arm64/root.sh
# makes it from Debian's packages.
set(WARDER_ARM64_ROOT "" CACHE PATH "A system's root with the arm64 libraries")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WARDER_ARM64_ROOT)

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(CMAKE_SYSROOT "${WARDER_ARM64_ROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${WARDER_ARM64_ROOT}")
set(ENV{PKG_CONFIG_LIBDIR}
    "${WARDER_ARM64_ROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${WARDER_ARM64_ROOT}/usr/share/pkgconfig")
