#include "host/crypto/entropy/samples.hpp"

#include <sys/random.h>

#include <cerrno>

namespace quoin::crypto::entropy {

bool read_samples(MutableBytes out) {
    while (!out.empty()) {
        const ssize_t got = ::getrandom(out.data(), out.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        out = out.subspan(static_cast<std::size_t>(got));
    }
    return true;
}

}  // namespace quoin::crypto::entropy
