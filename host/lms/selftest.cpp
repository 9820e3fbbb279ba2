// Known answers of LMS, on the backends that engine.cpp picks, before its first use in a process.
#include "core/crypto/known_answers/operation.hpp"
#include "host/crypto/backends.hpp"
#include "host/crypto/selftest/core.hpp"
#include "host/lms/engine.hpp"

namespace quoin::lms {

Result<void> self_test() {
    using namespace core::known_answers;
    static const Result<void> tested = [] {
        Result<void> sound;
        const auto check = [&sound]<class Backend>() {
            if (sound) {
                sound = crypto::selftest::check_core({lms_sign<Backend>(), lms_verify<Backend>()});
            }
        };
        crypto::with_best_sha256(check);
        crypto::with_best_vectors(check);
        return sound;
    }();
    return tested;
}

}  // namespace quoin::lms
