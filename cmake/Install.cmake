# `cmake --install build --prefix DIR`: where the programs look for one another, relative to bin/ (client/cli/
# installation_linux.c), so that the whole may lie anywhere. Packages, the service's unit and its user are another matter.
set(WARDER_SHARE ${CMAKE_INSTALL_DATADIR}/warder)

install(TARGETS warder RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS warderd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS libwarder LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/warder)
file(GLOB shipped CONFIGURE_DEPENDS policies/*.warder)
install(FILES ${shipped} DESTINATION ${WARDER_SHARE}/policies)
install(FILES packaging/warderd.toml DESTINATION ${WARDER_SHARE})

# For PYTHONPATH: `import warder; warder.attach()`.
install(FILES client/python/warder/__init__.py DESTINATION ${WARDER_SHARE}/python/warder)
install(FILES $<TARGET_FILE:libwarder> DESTINATION ${WARDER_SHARE}/python/warder RENAME _hook.so)
