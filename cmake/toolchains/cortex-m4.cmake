# Debian's gcc-arm-none-eabi and the headers, but not the libraries, of libstdc++ and newlib.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR cortex-m4)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(headers /usr/include/newlib/c++/14.2.1)
string(JOIN " " CMAKE_CXX_FLAGS_INIT -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -O2 -g1 -ffreestanding -fno-exceptions -fno-rtti
    -fno-threadsafe-statics -ffunction-sections -fdata-sections
    -isystem ${headers} -isystem ${headers}/arm-none-eabi/thumb/v7e-m/nofp -idirafter /usr/include/newlib)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -Wl,--gc-sections")
