#include "host/crypto/entropy/source.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "core/base/constant_time.hpp"
#include "host/crypto/entropy/health.hpp"
#include "host/crypto/entropy/samples.hpp"
#include "host/crypto/selftest/module.hpp"

namespace quoin::crypto::entropy {
namespace {

struct Source {
    std::mutex lock;
    HealthTests tests;
    bool is_started = false;
    bool has_failed = false;
    std::atomic<std::uint64_t> tested = 0;
};

Source& source() {
    static auto& made = *std::make_unique<Source>().release();  // never freed: see module.cpp
    return made;
}

const char* name_of(Health health) {
    return health == Health::repetition_count ? "entropy: repetition count"
                                              : "entropy: adaptive proportion";
}

// Under the lock. Null: they are good.
const char* take(Source& own, MutableBytes out) {
    if (!read_samples(out)) return "entropy: the system gives none";
    const Health health = own.tests.take(out);
    own.tested += out.size();
    return health == Health::good ? nullptr : name_of(health);
}

const char* take_started(Source& own, MutableBytes out) {
    if (!own.is_started) {
        std::array<std::uint8_t, start_up_samples> thrown_away{};
        const char* const failure = take(own, thrown_away);
        core::ct::wipe(thrown_away);
        if (failure != nullptr) return failure;
        own.is_started = true;
    }
    return take(own, out);
}

}  // namespace

bool draw(MutableBytes out) {
    Source& own = source();
    const char* failure = nullptr;
    {
        const std::scoped_lock lock(own.lock);
        if (own.has_failed) return false;
        failure = take_started(own, out);
        own.has_failed = failure != nullptr;
    }
    if (failure == nullptr) return true;
    core::ct::wipe(out);
    static_cast<void>(stop_module(failure));
    return false;
}

std::uint64_t samples_tested() { return source().tested; }

}  // namespace quoin::crypto::entropy
