# What every folder of this project uses to say what it builds. One library, with an alias, per folder; sources explicit.
include_guard()

find_program(SWITCHYARD_CCACHE ccache)
if(SWITCHYARD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${SWITCHYARD_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SWITCHYARD_CCACHE})
endif()

# Our own code: warnings are errors, includes are from the root.
add_library(switchyard_defaults INTERFACE)
target_compile_options(switchyard_defaults INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers)
target_include_directories(switchyard_defaults INTERFACE ${CMAKE_SOURCE_DIR})
find_program(SWITCHYARD_MOLD mold)
if(SWITCHYARD_MOLD)
  target_link_options(switchyard_defaults INTERFACE -fuse-ld=mold)
endif()

# switchyard_library(scheduler/core SOURCES a.cc b.cc [DEPENDS targets...])
# Makes library switchyard_scheduler_core with alias switchyard::scheduler_core.
function(switchyard_library path)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  string(REPLACE "/" "_" name ${path})
  add_library(switchyard_${name} STATIC ${ARG_SOURCES})
  add_library(switchyard::${name} ALIAS switchyard_${name})
  target_link_libraries(switchyard_${name} PUBLIC ${ARG_DEPENDS} PRIVATE switchyard_defaults)
  target_include_directories(switchyard_${name} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

# switchyard_test(name SOURCES a_test.cc [DEPENDS targets...] [TIMEOUT seconds] [LABELS l...] [SERIAL] [TOGETHER])
# One GoogleTest binary; each of its tests is one ctest test. SERIAL: nothing else runs beside it (it uses the whole
# machine, or looks at how fast something happens). TOGETHER: all are one ctest test, because they share what is dear to
# make, a database server say.
function(switchyard_test name)
  cmake_parse_arguments(ARG "SERIAL;TOGETHER" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest GTest::gtest_main switchyard_defaults)
  # Matchers and mocks are slow to optimise, and a test's own code is never what takes the time.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  set(properties TIMEOUT ${ARG_TIMEOUT} RUN_SERIAL ${ARG_SERIAL})
  if(ARG_LABELS)
    list(APPEND properties LABELS ${ARG_LABELS})
  endif()
  if(ARG_TOGETHER)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES ${properties} SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()

# Daemons pass memory between threads all the time (network, engine, back); jemalloc, where there is one, takes 15 % less
# processor time for a job than glibc's allocator. Not for runners: LibTorch brings its own habits.
find_library(SWITCHYARD_JEMALLOC jemalloc)
function(switchyard_daemon_allocator name)
  if(SWITCHYARD_JEMALLOC AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")  # Sanitizers bring their own.
    target_link_libraries(${name} PRIVATE ${SWITCHYARD_JEMALLOC})
  endif()
endfunction()

# switchyard_binary(switchyard-worker SOURCES main.cc DEPENDS targets...)
function(switchyard_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} switchyard_defaults)
endfunction()
