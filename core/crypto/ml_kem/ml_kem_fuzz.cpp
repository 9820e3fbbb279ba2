// Keys and ciphertexts of any content: the checks and the operations end, all backends that
// this processor runs alike, and a key that the check lets through is one that encodes to itself.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "core/crypto/ml_kem/ml_kem.hpp"
#include "core/crypto/test_cpu.hpp"

namespace quoin::core::ml_kem {
namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

// The input again and again, so that short inputs reach all of a buffer.
template <std::size_t Size>
std::array<std::uint8_t, Size> fill_from(Bytes input, std::size_t start) {
    std::array<std::uint8_t, Size> bytes{};
    for (std::size_t i = 0; i < Size && !input.empty(); ++i) {
        bytes[i] = input[(start + i) % input.size()];
    }
    return bytes;
}

bool all_below_q(Bytes encoded) {
    for (std::size_t i = 0; i + 2 < encoded.size(); i += 3) {
        const int pair = encoded[i] | encoded[i + 1] << 8 | encoded[i + 2] << 16;
        if ((pair & 0xfff) >= q || pair >> 12 >= q) return false;
    }
    return true;
}

template <class Set, class Backend>
struct Answers {
    bool ek_accepted = false;
    bool dk_accepted = false;
    std::array<std::uint8_t, Set::ciphertext_size> ciphertext{};
    std::array<std::uint8_t, 32> encapsulated{};
    std::array<std::uint8_t, 32> decapsulated{};

    explicit Answers(Bytes input) {
        static const auto workspace = std::make_unique<Workspace<Set, Backend>>();
        const auto ek = fill_from<Set::encapsulation_key_size>(input, 0);
        const auto dk = fill_from<Set::decapsulation_key_size>(input, 1);
        const auto wire = fill_from<Set::ciphertext_size>(input, 2);
        const auto m = fill_from<32>(input, 3);
        dk_accepted = DecapsulationKey<Set>::template check<Backend>(dk).has_value();
        decapsulate<Set, Backend>(decapsulated, DecapsulationKey<Set>::danger_unchecked(dk), wire,
                                  *workspace);
        const auto key = EncapsulationKey<Set>::template check<Backend>(ek);
        ek_accepted = key.has_value();
        require(ek_accepted == all_below_q(Bytes(ek).first(384 * Set::k)));
        if (key) encapsulate<Set, Backend>(encapsulated, ciphertext, *key, m, *workspace);
    }
};

template <class Backend, class Set>
void compare_with(const Answers<Set, Portable>& a, Bytes input) {
    if (!test::runs_here<Backend>()) return;
    const Answers<Set, Backend> b(input);
    require(a.ek_accepted == b.ek_accepted && a.dk_accepted == b.dk_accepted);
    require(a.ciphertext == b.ciphertext && a.encapsulated == b.encapsulated);
    require(a.decapsulated == b.decapsulated);
}

template <class Set>
void compare(Bytes input) {
    const Answers<Set, Portable> portable(input);
    compare_with<Avx2>(portable, input);
    compare_with<Avx512>(portable, input);
}

}  // namespace
}  // namespace quoin::core::ml_kem

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace quoin::core::ml_kem;
    if (size == 0) return 0;
    const quoin::Bytes input = quoin::Bytes(data, size).subspan(1);
    if (data[0] % 3 == 0) compare<Set512>(input);
    if (data[0] % 3 == 1) compare<Set768>(input);
    if (data[0] % 3 == 2) compare<Set1024>(input);
    return 0;
}
