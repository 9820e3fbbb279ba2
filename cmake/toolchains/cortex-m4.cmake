# Debian's gcc-arm-none-eabi with the headers of libstdc++-arm-none-eabi-dev; no C library.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR cortex-m4)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_CXX_FLAGS_INIT "-O2 -g1 -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffunction-sections -fdata-sections")
set(headers /usr/include/newlib/c++/14.2.1)
include_directories(SYSTEM ${headers} ${headers}/arm-none-eabi/thumb/v7e-m/nofp)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -Wl,--gc-sections")
