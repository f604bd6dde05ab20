# The house rules' warnings, for C and for the one C++ file alike.
add_library(warder_warnings INTERFACE)
target_compile_options(warder_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                       -Wformat=2 -Wundef $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)
if(WARDER_WERROR)
    target_compile_options(warder_warnings INTERFACE -Werror)
endif()

# What a distribution would build with: found in most of them, and asked for here so that the
# builds we test are the builds that ship.
target_compile_options(warder_warnings INTERFACE -fstack-protector-strong -fstack-clash-protection -fno-common
                       $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
target_link_options(warder_warnings INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
