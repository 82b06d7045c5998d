# What `cmake --install` and `cpack` give beside the libraries themselves: the CMake package, the pkg-config file and
# the Debian package.
include(CMakePackageConfigHelpers)

if(BUILD_SHARED_LIBS)
  set(GRADUS_STATIC FALSE)
else()
  set(GRADUS_STATIC TRUE)
endif()
configure_package_config_file(cmake/gradus-config.cmake.in ${PROJECT_BINARY_DIR}/gradus-config.cmake
                              INSTALL_DESTINATION ${GRADUS_INSTALL_CMAKEDIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gradus-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gradus-config.cmake ${PROJECT_BINARY_DIR}/gradus-config-version.cmake
              cmake/openblas.cmake
        DESTINATION ${GRADUS_INSTALL_CMAKEDIR} COMPONENT framework)

# A static library does not say what it needs itself.
if(BUILD_SHARED_LIBS)
  set(GRADUS_PC_PRIVATE .private)
endif()
file(RELATIVE_PATH GRADUS_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/gradus.pc.in ${PROJECT_BINARY_DIR}/gradus.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/gradus.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT models)

if(PROJECT_IS_TOP_LEVEL)
  set(CPACK_GENERATOR DEB)
  set(CPACK_PACKAGE_CONTACT "the gradus developers <gradus@localhost>")
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  # What programs link that link gradus; what the program links, dpkg-shlibdeps finds.
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libfmt-dev, libopenblas-dev, zlib1g-dev")
  set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")  # for fetching by https
  set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libxtensor-dev, libgmock-dev, libonnx-dev, libprotobuf-dev")
  set(CPACK_STRIP_FILES ON)
  include(CPack)
endif()
