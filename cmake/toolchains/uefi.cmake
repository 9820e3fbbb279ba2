# A UEFI application for x86-64: clang and lld, which have a target for it, with the freestanding headers of libstdc++.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_CXX_COMPILER clang++-19)
# This target's long has 32 bits: never glibc's headers. libstdc++ asks __STRICT_ANSI__, which clang does not say here.
set(headers /usr/include/newlib/c++/14.2.1)
string(JOIN " " CMAKE_CXX_FLAGS_INIT --target=x86_64-unknown-windows -O2 -ffreestanding -fno-exceptions -fno-rtti
    -fno-threadsafe-statics -ffunction-sections -mno-stack-arg-probe -D__STRICT_ANSI__
    -isystem ${headers} -isystem ${headers}/arm-none-eabi/thumb/v7e-m/nofp -idirafter /usr/include/newlib)
string(JOIN " " CMAKE_EXE_LINKER_FLAGS_INIT -nostdlib -fuse-ld=lld -Wl,-subsystem:efi_application -Wl,-entry:efi_main)
# CMake takes this clang for Microsoft's compiler and would not ask it which headers it read.
set(CMAKE_DEPFILE_FLAGS_CXX "-MD -MT <DEP_TARGET> -MF <DEP_FILE>")
set(CMAKE_CXX_DEPFILE_FORMAT gcc)
