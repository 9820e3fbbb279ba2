// Whatever the file of a key says: no crash, and nobody without the store's key makes one.
#include <cstdlib>

#include "host/keys/software/key_file.hpp"

using namespace quoin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::array<std::uint8_t, keys::software::box_key_size> key{1, 2, 3};
    if (keys::software::open_key(key, "a", text_of({data, size}))) std::abort();
    return 0;
}
