#include "core/crypto/known_answers/vectors/lms.hpp"
#include "core/crypto/lms/ots.hpp"
#include "core/crypto/lms/signer.hpp"
#include "core/crypto/lms/verify.hpp"
#include "core/crypto/sha2/sha2.hpp"

namespace quoin::core::known_answers {
namespace {

using Family = lms::Sha256M32;
using namespace lms_vectors;

// One tree: an image for a small board has the time for height 5.
template <std::uint8_t W>
constexpr lms::Level level{5, W};

template <std::uint8_t W>
struct Kept {
    std::array<std::uint8_t, lms::public_key_size<Family>> public_key;
    std::array<std::uint8_t, lms::tree_signature_size<Family>(level<W>) + 4> signature;
    std::array<std::uint8_t, lms::tree_size<Family>(level<W>) + 4> storage;
};

// The key of Botan's lms.vec, "LMS_SHA256_N32_H5 with LMOTS_SHA256_N32_W1".
template <std::uint8_t W>
lms::PrivateKey<Family> make_key() {
    constexpr auto parameters = lms::Parameters::make({&level<W>, 1});
    static_assert(parameters.has_value());
    return {*parameters, std::span(tree_key).template subspan<8, 16>(), seed};
}

template <std::uint8_t W, class Backend>
bool keygen(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept<W>>();
    const auto key = make_key<W>();
    const auto top = lms::top_tree(key, kept.storage);
    lms::fill_leaves<Family, Backend>(top, 0, 1U << level<W>.height);
    lms::finish_tree<Family, Backend>(top);
    lms::write_public_key(key, top, kept.public_key);
    return true;
}

bool key_is_right(const Memory& memory, unsigned) {
    const auto& kept = memory.kept_as<Kept<1>>();
    return same(Bytes(kept.public_key).subspan(4), tree_key);
}

constexpr std::uint32_t index = 5;

template <std::uint8_t W, class Backend>
bool sign(const Memory& memory, unsigned) {
    auto& kept = memory.kept_as<Kept<W>>();
    const auto key = make_key<W>();
    lms::Signer<Family, Backend> signer(key, kept.storage);
    if (!signer.open()) return false;
    auto block = lms::Reservation::danger_already_durable(index, 1);
    auto taken = block.take();
    return taken && signer.sign(*std::move(taken), message, kept.signature);
}

bool signature_is_right(const Memory& memory, unsigned) {
    const auto& kept = memory.kept_as<Kept<1>>();
    // The file holds the hash of the LMS signature; HSS puts four bytes before it.
    return same(sha2::Sha256::of(Bytes(kept.signature).subspan(4)), signature_hash);
}

template <std::uint8_t W, class Backend>
bool verify(const Memory& memory, unsigned) {
    const auto& kept = memory.kept_as<Kept<W>>();
    return lms::verify<Family, Backend>(kept.public_key, message, kept.signature).has_value();
}

// H(22 bytes || size) in blocks of 64, with one byte and eight of padding.
constexpr std::size_t blocks(std::size_t size) { return (22 + size + 9 + 63) / 64; }

// How many blocks verification must hash: RFC 8554, sections 4.6 and 5.4.2.
template <std::uint8_t W>
std::size_t needed_blocks(const Kept<W>& kept) {
    const lms::Identifier identifier =
        std::span(kept.public_key).template subspan<12, lms::identifier_size>();
    lms::Stream<Family, Portable> stream({identifier, index}, lms::Domain::message);
    stream.update(Bytes(kept.signature).subspan(12, 32));
    stream.update(message);
    std::array<std::uint8_t, 32> digest{};
    stream.finish(digest);
    const lms::Digits<Family> digits(digest, W);
    const std::size_t chains = lms::winternitz(32, W).chains;
    std::size_t needed = blocks(32 + message.size()) + blocks(chains * 32) + blocks(32);
    needed += level<W>.height * blocks(64);
    for (std::size_t i = 0; i < chains; ++i) needed += (1U << W) - 1U - digits[i];
    return needed;
}

// As many blocks, and nothing else: what the verification before this is measured against.
bool hash_only(const Memory& memory, unsigned) {
    const auto& kept = memory.kept_as<Kept<4>>();
    std::array<std::uint32_t, 8> state = sha2::Set256::initial;
    for (std::size_t left = needed_blocks(kept); left > 0; --left) {
        sha2::compress<Portable>(state, Bytes(kept.storage).first(64));
    }
    return state != sha2::Set256::initial;
}

template <class Backend>
constexpr std::array operations = {
    Operation{"LMS keygen, SHA-256 H5 W1", keygen<1, Backend>, key_is_right},
    Operation{"LMS open and sign, SHA-256 H5 W1", sign<1, Backend>, signature_is_right},
    Operation{"LMS keygen, SHA-256 H5 W4", keygen<4, Backend>},
    Operation{"LMS open and sign, SHA-256 H5 W4", sign<4, Backend>},
    Operation{"LMS verify, SHA-256 H5 W4", verify<4, Backend>},
    Operation{"hashes that this LMS verify needs", hash_only},
};

}  // namespace

template <>
Operations lms_sign<Portable>() {
    return operations<Portable>;
}

#if defined(__x86_64__)
template <>
Operations lms_sign<Avx2>() {
    return operations<Avx2>;
}
template <>
Operations lms_sign<ShaNi>() {
    return operations<ShaNi>;
}
#endif

}  // namespace quoin::core::known_answers
