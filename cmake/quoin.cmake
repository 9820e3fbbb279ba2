# Dependencies, warnings, and the few functions that make targets.

find_package(Threads REQUIRED)
find_package(OpenSSL 3.5 REQUIRED)
find_package(Boost 1.88 REQUIRED CONFIG COMPONENTS url)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(modbus REQUIRED IMPORTED_TARGET libmodbus)
pkg_check_modules(sqlite REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(pq REQUIRED IMPORTED_TARGET libpq)

# Debian's SOCI ships no CMake package.
add_library(quoin_soci INTERFACE)
foreach(library IN ITEMS soci_core soci_sqlite3 soci_postgresql)
    find_library(${library}_path ${library} REQUIRED)
    target_link_libraries(quoin_soci INTERFACE ${${library}_path})
endforeach()
target_include_directories(quoin_soci SYSTEM INTERFACE /usr/include/soci)
target_link_libraries(quoin_soci INTERFACE PkgConfig::sqlite PkgConfig::pq)
# Debian's SOCI hides the type information that the vptr sanitizer would link to.
target_compile_options(quoin_soci INTERFACE -fno-sanitize=vptr)

add_library(quoin_options INTERFACE)
target_compile_options(quoin_options INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wswitch-enum -Werror)
target_include_directories(quoin_options INTERFACE ${CMAKE_SOURCE_DIR})

# Third-party headers are not ours to warn about.
add_library(quoin_boost INTERFACE)
target_compile_definitions(quoin_boost INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION
    BOOST_BEAST_SEPARATE_COMPILATION)
target_link_libraries(quoin_boost INTERFACE Boost::url OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

# quoin_library(NAME SOURCES a.cpp... PUBLIC libs... PRIVATE libs...)
function(quoin_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC quoin_options ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

# What running a plant needs, and no tests: ./dev demo builds this.
add_custom_target(programs)
# Programs that tests run but that are no tests themselves: ./dev test NAME builds these too.
add_custom_target(test_helpers)

# quoin_program(NAME SOURCES a.cpp... LIBRARIES libs...)
function(quoin_program name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE quoin_options ${arg_LIBRARIES})
    add_dependencies(programs ${name})
endfunction()

# quoin_bench(NAME SOURCES a.cpp... LIBRARIES libs...): a program that measures; ./dev bench runs it.
function(quoin_bench name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE quoin_options ${arg_LIBRARIES})
endfunction()

# quoin_test(NAME SOURCES a_test.cpp... LIBRARIES libs... [ENVIRONMENT A=b...]): one GoogleTest program, one ctest entry.
function(quoin_test name)
    cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES;ENVIRONMENT" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE quoin_options GTest::gtest_main GTest::gmock ${arg_LIBRARIES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
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
