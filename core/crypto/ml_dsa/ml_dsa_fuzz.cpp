// Keys and signatures of any bytes: nothing breaks, all variants that this processor runs give the
// same answer, and a hint that is accepted is the one encoding of its ones.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include "core/crypto/ml_dsa/layout.hpp"
#include "core/crypto/ml_dsa/ml_dsa.hpp"
#include "core/crypto/test_cpu.hpp"

using namespace quoin;
using namespace quoin::core;
using namespace quoin::core::ml_dsa;

namespace {

// The next Size bytes of the input, zeros where it ends.
template <std::size_t Size>
std::array<std::uint8_t, Size> take(Bytes& input) {
    std::array<std::uint8_t, Size> bytes{};
    const std::size_t size = std::min(Size, input.size());
    std::copy_n(input.begin(), size, bytes.begin());
    input = input.subspan(size);
    return bytes;
}

// Algorithm 20 of what Algorithm 21 read.
template <class Set>
void check_hint(const std::uint8_t* y) {
    if (!is_hint<Set>(y)) return;
    std::vector<std::uint8_t> again(Set::omega + Set::k);
    std::size_t index = 0;
    for (std::size_t i = 0; i < Set::k; ++i) {
        std::array<bool, 256> ones{};
        for (std::size_t at = hint_begin<Set>(y, i); at < hint_end<Set>(y, i); ++at) {
            ones[y[at]] = true;
        }
        for (std::size_t at = 0; at < ones.size(); ++at) {
            if (ones[at]) again.at(index++) = static_cast<std::uint8_t>(at);
        }
        again[Set::omega + i] = static_cast<std::uint8_t>(index);
    }
    if (!std::equal(again.begin(), again.end(), y)) std::abort();
}

template <class Set, class Backend>
bool verifies(PublicKey<Set> public_key, Bytes message, Signature<Set> signature) {
    static const auto workspace = std::make_unique<VerifyWorkspace<Set, Backend>>();
    return verify<Set, Backend>(public_key, message, {}, signature, *workspace).has_value();
}

template <class Set>
void check_verify(Bytes input) {
    static const auto low_memory = std::make_unique<LowMemoryVerifyWorkspace>();
    const auto public_key = take<Set::public_key_size>(input);
    const auto signature = take<Set::signature_size>(input);
    check_hint<Set>(signature.data() + SignatureLayout<Set>::h);
    const Mu mu = MessageHash<>(public_key_hash(public_key), {}).absorb(input).finish();
    const bool good = verifies<Set, Portable>(public_key, input, signature);
    const auto same_as = [&]<class Backend>() {
        return !test::runs_here<Backend>() ||
               verifies<Set, Backend>(public_key, input, signature) == good;
    };
    if (!same_as.template operator()<Avx2>()) std::abort();
    if (!same_as.template operator()<Avx512>()) std::abort();
    const auto other = verify_mu_low_memory<Set>(public_key, mu, signature, *low_memory);
    if (other.has_value() != good) std::abort();
}

// Nothing if the key is refused.
template <class Set, class Backend>
std::optional<std::array<std::uint8_t, Set::signature_size>> signature_of(
    PrivateKey<Set> private_key, Bytes message) {
    static const auto workspace = std::make_unique<SignWorkspace<Set, Backend>>();
    std::array<std::uint8_t, Set::signature_size> signature{};
    if (!sign<Set, Backend>(private_key, message, {}, deterministic, signature, *workspace)) {
        return std::nullopt;
    }
    return signature;
}

template <class Set>
void check_sign(Bytes input) {
    const auto private_key = take<Set::private_key_size>(input);
    const auto signature = signature_of<Set, Portable>(private_key, input);
    const auto same_as = [&]<class Backend>() {
        return !test::runs_here<Backend>() ||
               signature_of<Set, Backend>(private_key, input) == signature;
    };
    if (!same_as.template operator()<Avx2>()) std::abort();
    if (!same_as.template operator()<Avx512>()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes input = Bytes(data, size).subspan(1);
    switch (data[0] % 6) {
        case 0:
            check_verify<Set44>(input);
            break;
        case 1:
            check_verify<Set65>(input);
            break;
        case 2:
            check_verify<Set87>(input);
            break;
        case 3:
            check_sign<Set44>(input);
            break;
        case 4:
            check_sign<Set65>(input);
            break;
        default:
            check_sign<Set87>(input);
            break;
    }
    return 0;
}
