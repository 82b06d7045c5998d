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
target_compile_options(gradus_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-stringop-overflow -Wno-array-bounds>)
if(GRADUS_SANITIZE)
  # What they report needs lines, not variables.
  target_compile_options(gradus_flags INTERFACE -fsanitize=${GRADUS_SANITIZE} -fno-omit-frame-pointer -O1 -g1
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

# Optimisation beyond -O2 serves the kernels alone, which ask for it, and takes a third of the build's time. Loops
# that copy and convert data are worth vectorising everywhere, though; GCC's -O2 leaves those of unknown length.
if(PROJECT_IS_TOP_LEVEL)
  string(REPLACE -O3 -O2 CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    string(APPEND CMAKE_CXX_FLAGS_RELEASE " -fvect-cost-model=dynamic")
  endif()
endif()

# What is exported: gradus/base/public.hpp. Under sanitizers everything is, so that tests of internals share the libraries
# too: linked into each of a hundred programs, they take 12 gigabytes. With clang as well, which has a definition follow
# the namespace that it stands in, not that of its declaration.
if(GRADUS_SANITIZE OR CMAKE_CXX_COMPILER_ID MATCHES Clang)
  set(GRADUS_VISIBILITY default)
  set(GRADUS_HIDDEN OFF)
else()
  set(GRADUS_VISIBILITY hidden)
  set(GRADUS_HIDDEN ON)
endif()

# Whatever may become part of a library, and so can share precompiled headers.
function(gradus_compiled_alike target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET ${GRADUS_VISIBILITY}
                                             VISIBILITY_INLINES_HIDDEN ${GRADUS_HIDDEN})
endfunction()

# The standard headers that most sources read, compiled once for all rooms that are built with the same flags.
add_library(gradus_prefix OBJECT EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/prefix.cpp)
target_link_libraries(gradus_prefix PRIVATE gradus_flags fmt::fmt)
gradus_compiled_alike(gradus_prefix)
target_precompile_headers(gradus_prefix PRIVATE <algorithm> <array> <cmath> <cstdint> <functional> <map> <memory>
                          <numeric> <optional> <set> <span> <string> <string_view> <unordered_map> <utility> <variant>
                          <vector> <fmt/format.h> <fmt/ranges.h>)

include(GNUInstallDirs)
set(GRADUS_INSTALL_CMAKEDIR ${CMAKE_INSTALL_LIBDIR}/cmake/gradus)

# gradus_runpath(TARGET PATH): libraries are looked for there, which is where they are in the build tree as well as where
# they are installed, and in the folders of libraries that are linked. CMake's own way, another path in the build tree,
# leaves an empty entry in it: the folder of whoever calls.
function(gradus_runpath target path)
  set_target_properties(${target} PROPERTIES INSTALL_RPATH ${path} INSTALL_RPATH_USE_LINK_PATH ON
                                             BUILD_WITH_INSTALL_RPATH ON)
endfunction()

# Every include names a path that exists in the tree: public headers as gradus/ROOM/NAME.hpp, in the folders include/ of
# framework, ops and models; internal ones from the top of the project, as in framework/compile/plan.hpp.
target_include_directories(gradus_flags INTERFACE ${PROJECT_SOURCE_DIR})

# gradus_room(NAME FOLDER [LIBRARIES...]): the sources of one folder as a target of their own, with the libraries that
# they need. Rooms are listed from the ground up: tests/layers holds them to that order.
function(gradus_room name folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
  add_library(gradus_room_${name} OBJECT ${sources})
  target_include_directories(gradus_room_${name} PRIVATE ${PROJECT_SOURCE_DIR}/framework/include
                                                         ${PROJECT_SOURCE_DIR}/ops/include
                                                         ${PROJECT_SOURCE_DIR}/models/include)
  target_compile_features(gradus_room_${name} PUBLIC cxx_std_20)
  target_link_libraries(gradus_room_${name} PRIVATE gradus_flags ${ARGN})
  gradus_compiled_alike(gradus_room_${name})
  if(fmt::fmt IN_LIST ARGN)
    target_precompile_headers(gradus_room_${name} REUSE_FROM gradus_prefix)
  endif()
endfunction()

# gradus_library(NAME ROOMS...): the library gradus::NAME of these rooms, with the public headers beside them. Installed
# as the component NAME.
function(gradus_library name)
  list(TRANSFORM ARGN REPLACE "(.+)" "$<TARGET_OBJECTS:gradus_room_\\1>" OUTPUT_VARIABLE objects)
  add_library(gradus_${name} ${objects})
  add_library(gradus::${name} ALIAS gradus_${name})
  target_include_directories(gradus_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
                                                   $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(gradus_${name} PUBLIC cxx_std_20)
  set_target_properties(gradus_${name} PROPERTIES
    LINKER_LANGUAGE CXX EXPORT_NAME ${name} VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR})
  gradus_runpath(gradus_${name} $ORIGIN)
  if(GRADUS_SANITIZE)
    target_link_options(gradus_${name} PRIVATE -fsanitize=${GRADUS_SANITIZE})
  endif()
  if(GRADUS_INSTALL)
    install(TARGETS gradus_${name} EXPORT gradus-${name}
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${name}
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${name})
    install(EXPORT gradus-${name} NAMESPACE gradus:: DESTINATION ${GRADUS_INSTALL_CMAKEDIR} COMPONENT ${name})
  endif()
endfunction()

# gradus_install_headers(NAME [FOLDERS...]): what stands in include/gradus, or in these folders of it.
function(gradus_install_headers name)
  if(NOT GRADUS_INSTALL)
    return()
  endif()
  if(NOT ARGN)
    install(DIRECTORY include/gradus DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${name})
  endif()
  foreach(folder IN LISTS ARGN)
    install(DIRECTORY include/gradus/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gradus COMPONENT ${name})
  endforeach()
endfunction()
