// Keys and signatures of any bytes: nothing breaks, all builds give the same answer, and what is
// accepted is the one encoding of its value.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "core/crypto/falcon/coding.hpp"
#include "core/crypto/falcon/signing.hpp"
#include "core/crypto/test_cpu.hpp"

using namespace quoin;
using namespace quoin::core;
using namespace quoin::core::falcon;

namespace {

template <class Set>
void check_public_key(std::span<const std::uint8_t, Set::public_key_size> bytes) {
    Poly<Set> h;
    if (!decode_public_key(h, bytes)) return;
    std::vector<std::uint8_t> again(bytes.size(), Set::public_key_header);
    pack_fields<14>(std::span(again).subspan(1), [&](std::size_t i) {
        return static_cast<std::uint32_t>(h.c[i] + (h.c[i] < 0 ? q : 0));
    });
    if (!std::ranges::equal(again, bytes)) std::abort();
}

// Algorithm 17 with a bit for each element of a vector: another way to the same bytes.
template <class Set>
void check_compressed(Bytes bytes) {
    Poly<Set> s2;
    if (!decompress(s2, bytes, false)) return;
    std::vector<bool> bits;
    for (const int c : s2.c) {
        bits.push_back(c < 0);
        for (unsigned bit = low_bits; bit-- > 0;) bits.push_back((std::abs(c) >> bit & 1) != 0);
        bits.insert(bits.end(), static_cast<std::size_t>(std::abs(c) >> low_bits), false);
        bits.push_back(true);
    }
    if ((bits.size() + 7) / 8 != bytes.size()) std::abort();
    bits.resize(8 * bytes.size());
    for (std::size_t i = 0; i < bits.size(); ++i) {
        if (bits[i] != ((bytes[i / 8] >> (7 - i % 8) & 1) != 0)) std::abort();
    }
}

template <class Set, class Backend>
bool verifies(PublicKey<Set> key, Bytes signature) {
    static const auto workspace = std::make_unique<VerifyWorkspace<Set>>();
    return verify<Set, Backend>(key, {}, signature, *workspace).has_value();
}

template <class Set>
void check(Bytes input) {
    std::array<std::uint8_t, Set::public_key_size> key{};
    const std::size_t size = std::min(key.size(), input.size());
    std::copy_n(input.begin(), size, key.begin());
    check_public_key<Set>(key);
    const Bytes signature = input.subspan(size);
    if (signature.size() > 1 + salt_size) check_compressed<Set>(signature.subspan(1 + salt_size));
    const bool good = verifies<Set, Portable>(key, signature);
    if (test::runs_here<Avx2>() && verifies<Set, Avx2>(key, signature) != good) std::abort();
}

// A private key that is taken is the one encoding of its f, g and F; and its public key is one.
template <class Set>
void check_private_key(Bytes input) {
    static const auto workspace = std::make_unique<SignWorkspace<Set, Portable>>();
    static const auto basis = std::make_unique<Basis<Set>>();
    std::array<std::uint8_t, Set::private_key_size> key{};
    std::copy_n(input.begin(), std::min(key.size(), input.size()), key.begin());
    const bool decodes = decode_private_key(*basis, key);
    if (decodes) {
        constexpr std::size_t fg_size = Set::fg_bits * Set::n / 8;
        std::array<std::uint8_t, Set::private_key_size> again{Set::private_key_header};
        const auto fields = std::span(again).subspan(1);
        const auto value = [](const auto& from) {
            return [&from](std::size_t i) { return static_cast<std::uint32_t>(from[i]); };
        };
        pack_fields<Set::fg_bits>(fields.first(fg_size), value(basis->f));
        pack_fields<Set::fg_bits>(fields.subspan(fg_size, fg_size), value(basis->g));
        pack_fields<8>(fields.subspan(2 * fg_size), value(basis->F));
        if (again != key) std::abort();
    }
    std::array<std::uint8_t, Set::public_key_size> public_key{};
    if (!public_key_of<Set, Portable>(key, public_key, *workspace)) return;
    Poly<Set> h;
    if (!decodes || !decode_public_key<Set>(h, public_key)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes input = Bytes(data, size).subspan(1);
    switch (data[0] % 4) {
        case 0:
            check<Set512>(input);
            break;
        case 1:
            check<Set1024>(input);
            break;
        case 2:
            check_private_key<Set512>(input);
            break;
        default:
            check_private_key<Set1024>(input);
            break;
    }
    return 0;
}
