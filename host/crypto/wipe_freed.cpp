#include "host/crypto/wipe_freed.hpp"

#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "host/crypto/selftest/module.hpp"

namespace quoin::crypto {
namespace {

constexpr std::size_t alignment = alignof(std::max_align_t);

void* allocate(std::size_t size, const char*, int) {
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void wipe_and_free(void* memory, const char*, int) {
    if (memory == nullptr) return;
    OPENSSL_cleanse(memory, ::malloc_usable_size(memory));
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): this is the allocator
}

// The C library's would leave the old content behind when it moves.
void* reallocate(void* old, std::size_t size, const char* file, int line) {
    if (size == 0) {
        wipe_and_free(old, file, line);
        return nullptr;
    }
    void* const moved = allocate(size, file, line);
    if (moved == nullptr || old == nullptr) return moved;
    std::memcpy(moved, old, std::min(size, ::malloc_usable_size(old)));
    wipe_and_free(old, file, line);
    return moved;
}

}  // namespace

void begin_process() noexcept {
    if (!wipe_freed_memory() ||
        OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr) != 1) {
        std::abort();
    }
    end_process_on_failure();
}

bool wipe_freed_memory() noexcept {
    ::mallopt(M_PERTURB, 0xA5);
    return CRYPTO_set_mem_functions(allocate, reallocate, wipe_and_free) == 1;
}

}  // namespace quoin::crypto
