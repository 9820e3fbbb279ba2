// The ShaNi backend by statistics, see test_timing.hpp. A planted leak shows what a leak looks
// like.
#include "core/crypto/sha2/sha2.hpp"
#include "core/crypto/test_cpu.hpp"
#include "core/crypto/test_timing.hpp"

int main() {
    using namespace quoin::core;
    using Message = std::array<std::uint8_t, 256>;
    using Sha256 = sha2::Hash<sha2::Set256, ShaNi>;
    if (!test::has_sha()) {
        std::puts("NOT RUN: this processor has no SHA instructions");
        return 0;
    }
    volatile std::uint8_t sink = 0;
    const double ours =
        test::t_of<Message>([&](const Message& message) { sink = Sha256::of(message)[0]; });
    const double leak = test::t_of<Message>([&](const Message& message) {
        sink = Sha256::of(message)[0];
        if (message[0] != 0) sink = Sha256::of({message.data(), 1})[0];
    });
    return test::report_timing("SHA-256 SHA-NI", "message", ours, leak) ? 0 : 1;
}
