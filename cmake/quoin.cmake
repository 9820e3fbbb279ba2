# Warnings, and the few functions that make targets. Cross builds (core/ alone) have only quoin_library and quoin_image.

add_library(quoin_options INTERFACE)
target_compile_options(quoin_options INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wswitch-enum -Werror)
target_include_directories(quoin_options INTERFACE ${CMAKE_SOURCE_DIR})

# quoin_library(NAME SOURCES a.cpp... PUBLIC libs... PRIVATE libs...)
function(quoin_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC quoin_options ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

# How core is optimised, whatever the build is: its constant-time checks and speeds are those of the release.
set(QUOIN_CORE_OPTIMISATION -O2 CACHE STRING "optimisation of the freestanding core")

# quoin_core_library(NAME SOURCES a.cpp... AVX2 a_avx2.cpp... PUBLIC libs... PRIVATE libs...): a library of core/, without
# exceptions and RTTI. The AVX2 sources are built for x86-64 only; they set their own target (core/crypto/target_avx2.hpp).
function(quoin_core_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;AVX2;PUBLIC;PRIVATE" ${ARGN})
    if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        set(arg_AVX2)
    endif()
    foreach(library IN ITEMS ${name} ${name}_checked)
        quoin_library(${library} SOURCES ${arg_SOURCES} ${arg_AVX2}
            PUBLIC quoin_core_base ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
        target_compile_options(${library} PRIVATE -fno-exceptions -fno-rtti ${QUOIN_CORE_OPTIMISATION}
            $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)  # g++ 14 warns falsely at `return {}` of expected<void>
    endforeach()
    # The same with core/base/declassify.hpp at work: for quoin_constant_time, where secrets become public by design.
    set_target_properties(${name}_checked PROPERTIES EXCLUDE_FROM_ALL TRUE)
    target_compile_definitions(${name}_checked PUBLIC QUOIN_CONSTANT_TIME_CHECK)
endfunction()

# quoin_constant_time(NAME SOURCE x_check.cpp LIBRARIES libs... CHECKS a b... LEAKS c...): a program that valgrind runs once
# for each check, with its name as the argument. A leak is planted: valgrind must find it, or the checks prove nothing.
function(quoin_constant_time name)
    cmake_parse_arguments(arg "" "SOURCE" "LIBRARIES;CHECKS;LEAKS" ${ARGN})
    if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
        return()
    endif()
    add_executable(${name} ${arg_SOURCE})
    target_link_libraries(${name} PRIVATE quoin_options ${arg_LIBRARIES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_dependencies(test_helpers ${name})
    foreach(check IN LISTS arg_CHECKS arg_LEAKS)
        add_test(NAME ${name}_${check}
            COMMAND valgrind --quiet --error-exitcode=99 $<TARGET_FILE:${name}> ${check})
        set_tests_properties(${name}_${check} PROPERTIES TIMEOUT 300)
    endforeach()
    foreach(check IN LISTS arg_LEAKS)
        set_tests_properties(${name}_${check} PROPERTIES
            PASS_REGULAR_EXPRESSION "depends on uninitialised|Use of uninitialised")
    endforeach()
    # A check that was renamed must not pass for having done nothing.
    add_test(NAME ${name}_unknown_check__is_refused COMMAND valgrind --quiet $<TARGET_FILE:${name}> no_such_check)
    set_tests_properties(${name}_unknown_check__is_refused PROPERTIES PASS_REGULAR_EXPRESSION "unknown check")
endfunction()

# What running a plant needs, and no tests: ./dev demo builds this.
add_custom_target(programs)
# Programs that tests run but that are no tests themselves: ./dev test NAME builds these too.
add_custom_target(test_helpers)

# quoin_optimise_less(FOLDER FOLDERS...): the everyday build of those that are full of Boost and JSON takes a quarter less time
# unoptimised. What is measured is the release build; what handles secrets by itself is not among them.
set(quoin_cxx_flags ${CMAKE_CXX_FLAGS})
function(quoin_optimise_less folder)
    if(folder IN_LIST ARGN AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
        string(REPLACE "-O1" "-O0" flags "${CMAKE_CXX_FLAGS}")
        set(CMAKE_CXX_FLAGS ${flags} PARENT_SCOPE)
    endif()
endfunction()

# quoin_program(NAME SOURCES a.cpp... LIBRARIES libs...)
function(quoin_program name)
    if(CMAKE_CROSSCOMPILING)
        return()
    endif()
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE quoin_options ${arg_LIBRARIES})
    add_dependencies(programs ${name})
endfunction()

# quoin_bench(NAME SOURCES a.cpp... LIBRARIES libs...): a program that measures; built with the release build. tests/bench
# says which of them ./dev bench runs.
function(quoin_bench name)
    if(CMAKE_CROSSCOMPILING)
        return()
    endif()
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE quoin_options ${arg_LIBRARIES})
    if(NOT QUOIN_BENCH)
        set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL TRUE)
    endif()
endfunction()

# quoin_timing_bench(NAME SOURCE x_timing_bench.cpp LIBRARIES libs...): constant time by statistics, of what valgrind cannot
# run (core/crypto/test_timing.hpp); ./dev bench crypto runs all of them. Bodies that are compiled in are as optimised as core.
function(quoin_timing_bench name)
    cmake_parse_arguments(arg "" "SOURCE" "LIBRARIES" ${ARGN})
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        quoin_bench(${name} SOURCES ${arg_SOURCE} LIBRARIES ${arg_LIBRARIES})
        set_source_files_properties(${arg_SOURCE} PROPERTIES COMPILE_OPTIONS ${QUOIN_CORE_OPTIMISATION})
    endif()
endfunction()

# quoin_test(NAME SOURCES a_test.cpp... LIBRARIES libs... [ENVIRONMENT A=b...]): one GoogleTest program, one ctest entry.
function(quoin_test name)
    if(CMAKE_CROSSCOMPILING)
        return()
    endif()
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES;ENVIRONMENT" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE quoin_options GTest::gtest_main GTest::gmock ${arg_LIBRARIES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    # A fifth of the time of compiling tests; core's do much work of their own.
    if(CMAKE_CXX_FLAGS MATCHES "-O1" AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize" AND NOT CMAKE_CURRENT_SOURCE_DIR MATCHES "/core")
        target_compile_options(${name} PRIVATE -O0)
    endif()
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300 ENVIRONMENT "${arg_ENVIRONMENT}")
endfunction()

# quoin_fuzz(NAME SOURCE x_fuzz.cpp CORPUS dir LIBRARIES libs...): a libFuzzer program when QUOIN_FUZZ is on.
# The short run goes over the committed corpus and then for a bounded number of inputs.
function(quoin_fuzz name)
    cmake_parse_arguments(arg "" "SOURCE;CORPUS" "LIBRARIES" ${ARGN})
    if(NOT QUOIN_FUZZ)
        return()
    endif()
    add_executable(${name} ${arg_SOURCE})
    target_link_libraries(${name} PRIVATE quoin_options ${arg_LIBRARIES})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    # libFuzzer writes what it finds into the first folder; the committed corpus stays as it is.
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/found/${name})
    add_test(NAME ${name} COMMAND ${name} -seed=1 -runs=20000 -max_total_time=8 -max_len=20000 -rss_limit_mb=2048
        -artifact_prefix=${CMAKE_BINARY_DIR}/found/ ${CMAKE_BINARY_DIR}/found/${name}
        ${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS})
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 60)
endfunction()
