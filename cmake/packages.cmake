# What host builds are made of. Cross builds contain core/ alone and need none of it.

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
# Its headers use std::aligned_storage, which clang reports where they are instantiated.
target_compile_options(rapidcheck INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
find_package(PkgConfig REQUIRED)
pkg_check_modules(tss2 REQUIRED IMPORTED_TARGET tss2-esys tss2-tctildr tss2-mu)
pkg_check_modules(p11kit REQUIRED IMPORTED_TARGET p11-kit-1) # headers only: pkcs11.h
pkg_check_modules(modbus REQUIRED IMPORTED_TARGET libmodbus)
pkg_check_modules(sqlite REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(pq REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(botan REQUIRED IMPORTED_TARGET botan-3) # a peer of core/crypto, in tests and benchmarks only

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

# Third-party headers are not ours to warn about.
add_library(quoin_boost INTERFACE)
target_compile_definitions(quoin_boost INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION
    BOOST_BEAST_SEPARATE_COMPILATION)
target_link_libraries(quoin_boost INTERFACE Boost::url OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
