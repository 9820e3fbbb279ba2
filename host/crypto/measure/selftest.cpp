#include "host/crypto/measure/selftest.hpp"

#include <cstdlib>
#include <memory>

#include "host/crypto/library.hpp"
#include "host/crypto/processor.hpp"
#include "host/crypto/selftest/core.hpp"
#include "host/crypto/selftest/module.hpp"
#include "host/crypto/selftest/table.hpp"

namespace quoin::crypto::measure {
namespace {

using namespace core::known_answers;
using core::Portable;

struct Group {
    std::string backend;
    Operations operations;
};

void add_portable(std::vector<Group>& groups) {
    for (const Operations operations :
         {sha2<Portable>(), keccak<Portable>(), hmac(), aes<Portable>(), curve25519(),
          ml_kem<Portable>(), ml_dsa<Portable>(), ml_dsa_verify<Portable>(), ml_dsa_low_memory(),
          ml_dsa_verify_low_memory(), slh_dsa_sign<Portable>(), slh_dsa_verify<Portable>(),
          composite<Portable>(), hybrid_kems<Portable>(), lms_sign<Portable>(),
          lms_verify<Portable>()}) {
        groups.push_back({"portable", operations});
    }
}

#if defined(__x86_64__)
void add_x86(std::vector<Group>& groups) {
    using core::AesNi, core::Avx2, core::Avx512, core::ShaNi, core::Vaes;
    if (processor().sha_ni) {
        for (const Operations operations :
             {sha2<ShaNi>(), slh_dsa_verify<ShaNi>(), lms_sign<ShaNi>(), lms_verify<ShaNi>()}) {
            groups.push_back({"sha-ni", operations});
        }
    }
    if (processor().aes_ni) groups.push_back({"aes-ni", aes<AesNi>()});
    if (processor().vaes) groups.push_back({"vaes", aes<Vaes>()});
    if (processor().avx2) {
        for (const Operations operations :
             {keccak<Avx2>(), ml_kem<Avx2>(), ml_dsa<Avx2>(), ml_dsa_verify<Avx2>(),
              slh_dsa_sign<Avx2>(), slh_dsa_verify<Avx2>(), composite<Avx2>(), hybrid_kems<Avx2>(),
              lms_sign<Avx2>(), lms_verify<Avx2>()}) {
            groups.push_back({"avx2", operations});
        }
    }
    if (processor().avx512) {
        for (const Operations operations :
             {ml_kem<Avx512>(), ml_dsa<Avx512>(), ml_dsa_verify<Avx512>()}) {
            groups.push_back({"avx512", operations});
        }
    }
}
#else
void add_x86(std::vector<Group>&) {}
#endif

struct alignas(64) Room {
    std::array<unsigned char, kept_size> kept;
    std::array<unsigned char, scratch_size> scratch;
};

}  // namespace

std::vector<SelfTest> self_test(const std::function<void(std::size_t, std::size_t)>& progress) {
    std::vector<Group> groups;
    add_portable(groups);
    add_x86(groups);
    std::size_t total = 0;
    for (const Group& group : groups) total += group.operations.size();
    const auto room = std::make_unique<Room>();
    const Memory memory{room->kept, room->scratch};
    std::vector<SelfTest> done;
    for (const Group& group : groups) {
        for (const Operation& operation : group.operations) {
            if (progress) progress(done.size(), total);
            done.push_back(
                {std::string(operation.name), group.backend, selftest::passes(operation, memory)});
        }
    }
    return done;
}

Result<std::vector<SelfTest>> evp_self_test(bool all) {
    QUOIN_CHECK(operational());
    std::vector<SelfTest> done;
    for (const auto& tests : {selftest::symmetric_tests(), selftest::asymmetric_tests()}) {
        for (const selftest::SelfTest& test : tests) {
            if (!all && test.when == selftest::When::first_use) continue;
            const bool passed = test.run(selftest::Trial(test.name, library()));
            done.push_back({std::string(test.name), "EVP", passed});
        }
    }
    return done;
}

std::vector<std::string> missing_backends() {
    std::vector<std::string> missing;
    if (!core::avx2_is_built) return missing;
    if (!processor().avx2) missing.emplace_back("avx2");
    if (!processor().avx512) missing.emplace_back("avx512");
    if (!processor().sha_ni) missing.emplace_back("sha-ni");
    if (!processor().aes_ni) missing.emplace_back("aes-ni");
    if (!processor().vaes) missing.emplace_back("vaes");
    return missing;
}

}  // namespace quoin::crypto::measure
