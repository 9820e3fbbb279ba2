#include "host/crypto/selftest/core.hpp"

#include <memory>

#include "host/crypto/selftest/module.hpp"
#include "host/crypto/selftest/module_parts.hpp"
#include "host/crypto/selftest/trial.hpp"

namespace quoin::crypto::selftest {
namespace {

using namespace core::known_answers;

struct alignas(64) Room {
    std::array<unsigned char, kept_size> kept;
    std::array<unsigned char, scratch_size> scratch;
};

}  // namespace

bool passes(const Operation& operation, const Memory& memory) {
    for (unsigned round = 0; round < operation.rounds; ++round) {
        if (!operation.run(memory, round)) return false;
        if (operation.check != nullptr && !operation.check(memory, round)) return false;
    }
    return true;
}

Result<void> check_core(std::initializer_list<Operations> operations) {
    QUOIN_CHECK(operational());
    const auto room = std::make_unique<Room>();
    for (const Operations& group : operations) {
        for (const Operation& operation : group) {
            const std::string name = fmt::format("core {}", operation.name);
            if (!Trial(name, nullptr).holds(passes(operation, {room->kept, room->scratch}))) {
                return stop_module(name);
            }
            count_passed();
        }
    }
    return {};
}

}  // namespace quoin::crypto::selftest
