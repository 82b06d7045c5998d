# cmake -D SOURCE=… -D BINARY=… -D HOW=installed|subdirectory -D SHARED=ON|OFF -D BUILT=… -P consumer_test.cmake
#
# Copies the consumer out of the tree, builds it with gradus from an install prefix or as a subdirectory, and runs it.
# SOURCE and BINARY: the tree and its build tree, where gradus is built where that is needed before it is installed.
# BUILT: a build tree of static libraries that can be installed as it is; else gradus is built for the test, as few
# large files without optimisation: what is looked at is how things are put together.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed (${status}): ${ARGN}")
  endif()
endfunction()

set(FOLDER $ENV{TMPDIR})
if(NOT FOLDER)
  set(FOLDER /tmp)
endif()
# The same in every run, for ccache's sake.
string(MD5 tree ${BINARY})
set(FOLDER ${FOLDER}/gradus-consumer-${tree}-${HOW}-${SHARED})
file(REMOVE_RECURSE ${FOLDER})
file(COPY ${SOURCE}/tests/consumer/ DESTINATION ${FOLDER}/source FILES_MATCHING PATTERN *.?pp PATTERN CMakeLists.txt)
set(build -G Ninja -D BUILD_SHARED_LIBS=${SHARED} -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_UNITY_BUILD=ON
    -D CMAKE_UNITY_BUILD_BATCH_SIZE=0 -D GRADUS_KERNEL_FLAGS=-O0 -D CMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})

set(options -D CMAKE_CXX_COMPILER=${COMPILER})
if(HOW STREQUAL subdirectory)
  list(APPEND options ${build} -D GRADUS_SUBDIRECTORY=${SOURCE})
else()
  if(NOT BUILT)
    set(BUILT ${BINARY}/tests/consumer/gradus-${SHARED})
    run(${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILT} ${build} -D GRADUS_TESTS=OFF -D GRADUS_BENCHMARKS=OFF
        -D GRADUS_PROGRAM=OFF)
    run(${CMAKE_COMMAND} --build ${BUILT} --target gradus_ops)
  endif()
  foreach(component framework ops)
    run(${CMAKE_COMMAND} --install ${BUILT} --prefix ${FOLDER}/prefix --component ${component})
  endforeach()
  list(APPEND options -D CMAKE_PREFIX_PATH=${FOLDER}/prefix)
endif()

run(${CMAKE_COMMAND} -S ${FOLDER}/source -B ${FOLDER}/build -G Ninja ${options})
run(${CMAKE_COMMAND} --build ${FOLDER}/build)
run(${FOLDER}/build/consumer)

# Of the right kind?
execute_process(COMMAND ldd ${FOLDER}/build/consumer OUTPUT_VARIABLE libraries)
string(FIND "${libraries}" libgradus_ops.so shared)
if(SHARED AND shared EQUAL -1 OR NOT SHARED AND NOT shared EQUAL -1)
  message(FATAL_ERROR "BUILD_SHARED_LIBS=${SHARED}, but the program links\n${libraries}")
endif()
# What a shared library shows are names of gradus, and nothing that only its own sources know; with clang, everything.
if(SHARED AND NOT COMPILER MATCHES clang)
  file(GLOB_RECURSE made ${FOLDER}/*/libgradus_*.so)
  if(NOT made)
    message(FATAL_ERROR "there are no shared libraries in ${FOLDER}")
  endif()
  foreach(library IN LISTS made)
    execute_process(COMMAND nm -DC --defined-only ${library} OUTPUT_VARIABLE symbols)
    foreach(hidden "gradus::.anonymous" "gradus::Arena" "gradus::ElementwiseProgram")
      if(symbols MATCHES "${hidden}" OR NOT symbols MATCHES "gradus::")
        message(FATAL_ERROR "${library} exports ${CMAKE_MATCH_0}, or nothing")
      endif()
    endforeach()
  endforeach()
endif()
file(REMOVE_RECURSE ${FOLDER})
