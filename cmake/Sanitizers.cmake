# Sanitizers go into every program and library but libwarder.so: a preloaded object that needs a
# sanitizer's runtime stops every program it is put before. The hook's own code runs under them in a
# harness (tests/unit/hook_harness.c).
add_library(warder_sanitizers INTERFACE)
if(WARDER_SANITIZE)
    target_compile_options(warder_sanitizers INTERFACE -fsanitize=${WARDER_SANITIZE}
                           -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(warder_sanitizers INTERFACE -fsanitize=${WARDER_SANITIZE})
endif()

# warder_library(NAME SOURCES...): a static library of the project, with a twin NAME_plain that is
# never instrumented, for libwarder.so. Without sanitizers both names are one library.
function(warder_library name)
    add_library(${name} STATIC ${ARGN})
    target_link_libraries(${name} PUBLIC warder_sanitizers PRIVATE warder_warnings)
    if(WARDER_SANITIZE)
        add_library(${name}_plain STATIC ${ARGN})
        target_link_libraries(${name}_plain PRIVATE warder_warnings)
    else()
        add_library(${name}_plain ALIAS ${name})
    endif()
endfunction()
