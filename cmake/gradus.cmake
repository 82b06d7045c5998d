# What every gradus target needs.
include_guard()

find_program(CCACHE ccache)
if(CCACHE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(gradus_flags INTERFACE)
target_compile_features(gradus_flags INTERFACE cxx_std_20)
target_compile_options(gradus_flags INTERFACE -Wall -Wextra $<$<BOOL:${GRADUS_WERROR}>:-Werror>)
# GCC 12 sees overlaps and overflows in std::string and fmt that are not there (gcc.gnu.org/PR105651, PR105329).
target_compile_options(gradus_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-stringop-overflow>)
if(GRADUS_SANITIZE)
  target_compile_options(gradus_flags INTERFACE -fsanitize=${GRADUS_SANITIZE} -fno-omit-frame-pointer -O1
                                                -fno-sanitize-recover=all)
  # Under sanitizers GCC 12 also takes the members of std::regex for uninitialised (gcc.gnu.org/PR105562).
  target_compile_options(gradus_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(gradus_flags INTERFACE -fsanitize=${GRADUS_SANITIZE})
endif()

# Kernels: the same bits everywhere (no contraction into fused multiply-adds, which a vector body and a scalar
# tail may do differently), and vectorisable (errno and traps keep sqrt and selects scalar). Never -ffast-math.
# At -O0 they would be useless even for debugging.
set(GRADUS_KERNEL_FLAGS -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math
    CACHE STRING "How kernels are compiled")
mark_as_advanced(GRADUS_KERNEL_FLAGS)

include(GNUInstallDirs)
set(GRADUS_INSTALL_CMAKEDIR ${CMAKE_INSTALL_LIBDIR}/cmake/gradus)

# gradus_library(NAME SOURCES... ): library gradus::NAME whose own headers are seen as gradus/NAME/..., and those
# of the libraries below it only: a reverse include does not compile. Installed as the component NAME.
function(gradus_library name)
  add_library(gradus_${name} ${ARGN})
  add_library(gradus::${name} ALIAS gradus_${name})
  set(include ${PROJECT_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${include}/gradus)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include}/gradus/${name} SYMBOLIC)
  target_include_directories(gradus_${name} PUBLIC $<BUILD_INTERFACE:${include}>
                                                   $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(gradus_${name} PUBLIC cxx_std_20)
  target_link_libraries(gradus_${name} PRIVATE $<BUILD_INTERFACE:gradus_flags>)
  # What is exported: gradus/framework/public.hpp.
  set_target_properties(gradus_${name} PROPERTIES
    EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} INSTALL_RPATH $ORIGIN)
  gradus_install(${name})
endfunction()

# gradus_public_headers(VARIABLE FOLDER): those that do not say by a bare `namespace gradus` that they are internal
# (gradus/framework/public.hpp). The tutorials are the program's.
function(gradus_public_headers variable folder)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${folder} ${folder}/*.hpp)
  list(FILTER headers EXCLUDE REGEX "^(cli|tutorials|onnx)/")
  set(public)
  foreach(header IN LISTS headers)
    file(STRINGS ${folder}/${header} internal REGEX "^namespace gradus[: ]")
    if(NOT internal)
      list(APPEND public ${header})
    endif()
  endforeach()
  set(${variable} ${public} PARENT_SCOPE)
endfunction()

# gradus_install(NAME): the library, its public headers, and those generated beside them
function(gradus_install name)
  if(NOT GRADUS_INSTALL)
    return()
  endif()
  install(TARGETS gradus_${name} EXPORT gradus-${name}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${name}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${name})
  install(EXPORT gradus-${name} NAMESPACE gradus:: DESTINATION ${GRADUS_INSTALL_CMAKEDIR} COMPONENT ${name})
  gradus_public_headers(headers ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(header IN LISTS headers)
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gradus/${name}/${folder} COMPONENT ${name})
  endforeach()
  install(DIRECTORY ${PROJECT_BINARY_DIR}/include/${name}/gradus DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          COMPONENT ${name} FILES_MATCHING PATTERN *.hpp PATTERN ${name} EXCLUDE)
endfunction()
