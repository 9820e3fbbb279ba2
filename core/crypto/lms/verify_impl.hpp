// The definitions of verify.hpp, for the .cpp files that instantiate them.
#pragma once

#include "core/crypto/lms/ots.hpp"
#include "core/crypto/lms/verify.hpp"

namespace quoin::core::lms {

// RFC 8554, Algorithm 6, step 2: u32str(type) || u32str(otstype) || I || T[1].
template <class Family>
Result<TreeKey<Family>> read_tree_key(Reader& reader) {
    QUOIN_TRY(const std::uint64_t tree, reader.take_unsigned<4>());
    QUOIN_TRY(const std::uint64_t ots, reader.take_unsigned<4>());
    QUOIN_TRY(const Level level, level_of<Family>(tree, ots));
    QUOIN_TRY(const Bytes identifier, reader.take(identifier_size));
    QUOIN_TRY(const Bytes root, reader.take(Family::n));
    return TreeKey<Family>{level, identifier, root};
}

// Algorithm 6a, step 2 and Algorithm 4b, step 2: the types must be those of the key.
template <class Family>
Result<TreeSignature<Family>> read_tree_signature(Reader& reader, Level level) {
    QUOIN_TRY(const std::uint64_t q, reader.take_unsigned<4>());
    QUOIN_TRY(const std::uint64_t ots, reader.take_unsigned<4>());
    if (ots != ots_type<Family>(level)) return std::unexpected(Code::integrity_signature);
    QUOIN_TRY(const Bytes randomizer, reader.take(Family::n));
    const std::size_t chains = winternitz(Family::n, level.w).chains;
    QUOIN_TRY(const Bytes y, reader.take(chains * Family::n));
    QUOIN_TRY(const std::uint64_t tree, reader.take_unsigned<4>());
    if (tree != lms_type<Family>(level)) return std::unexpected(Code::integrity_signature);
    if (q >> level.height != 0) return std::unexpected(Code::integrity_signature);
    QUOIN_TRY(const Bytes path, reader.take(std::size_t{level.height} * Family::n));
    return TreeSignature<Family>{static_cast<std::uint32_t>(q), randomizer, y, path};
}

template <class Family>
Identifier identifier_of(const TreeKey<Family>& key) {
    return key.identifier.template first<identifier_size>();
}

template <class Family, class Backend>
Stream<Family, Backend> begin(const TreeKey<Family>& key, const TreeSignature<Family>& signature) {
    Stream<Family, Backend> stream({identifier_of(key), signature.q}, Domain::message);
    stream.update(signature.randomizer);
    return stream;
}

// Algorithm 4b, step 3 and Algorithm 6a, steps 3 to 6. `digest` is Q.
template <class Family, class Backend>
bool is_signed(const TreeKey<Family>& key, const TreeSignature<Family>& signature,
               std::span<const std::uint8_t, Family::n> digest) {
    const Identifier identifier = identifier_of(key);
    const Digits<Family> digits(digest, key.level.w);
    std::array<std::uint8_t, Family::n> node{};
    compress_ends<Family, Backend>({identifier, signature.q}, key.level.w, node, [&](auto i) {
        return ChainStart{static_cast<int>(digits[i]), &signature.chains[i * Family::n]};
    });
    std::uint32_t r = (std::uint32_t{1} << key.level.height) + signature.q;
    hash_leaf<Family, Backend>({identifier, r}, node, node);
    for (Bytes path = signature.path; r > 1; path = path.subspan(Family::n)) {
        const Bytes sibling = path.first(Family::n);
        const bool is_right = (r & 1U) != 0;
        r /= 2;
        hash_interior<Family, Backend>({identifier, r}, is_right ? sibling : Bytes(node),
                                       is_right ? Bytes(node) : sibling, node);
    }
    return ct::equal(node, key.root);
}

// RFC 8554, section 6.3: the levels above the last, each of which signs the key of the next.
// Returns the last level's key and signature.
template <class Family, class Backend>
Result<TreeSignature<Family>> descend(TreeKey<Family>& key, std::uint64_t levels, Reader& reader) {
    for (std::uint64_t i = 1; i < levels; ++i) {
        QUOIN_TRY(const auto signature, read_tree_signature<Family>(reader, key.level));
        Reader next = reader;
        QUOIN_TRY(const Bytes message, reader.take(tree_key_size<Family>));
        QUOIN_TRY(const TreeKey<Family> child, read_tree_key<Family>(next));
        auto stream = begin<Family, Backend>(key, signature);
        stream.update(message);
        std::array<std::uint8_t, Family::n> digest{};
        stream.finish(digest);
        if (!is_signed<Family, Backend>(key, signature, digest)) {
            return std::unexpected(Code::integrity_signature);
        }
        key = child;
    }
    QUOIN_TRY(const auto last, read_tree_signature<Family>(reader, key.level));
    QUOIN_CHECK(reader.finish());
    return last;
}

template <class Family, class Backend>
Result<void> Verifier<Family, Backend>::start(Bytes public_key, Bytes signature) {
    started_ = false;
    Reader key_reader(public_key);
    QUOIN_TRY(const std::uint64_t levels, key_reader.take_unsigned<4>());
    if (levels < 1 || levels > max_levels) return std::unexpected(Code::peer_malformed);
    QUOIN_TRY(key_, read_tree_key<Family>(key_reader));
    QUOIN_CHECK(key_reader.finish());

    Reader reader(signature);
    const auto signed_levels = reader.take_unsigned<4>();  // Nspk
    if (!signed_levels || *signed_levels + 1 != levels) {
        return std::unexpected(Code::integrity_signature);
    }
    const auto last = descend<Family, Backend>(key_, levels, reader);
    if (!last) return std::unexpected(Code::integrity_signature);
    signature_ = *last;
    message_ = begin<Family, Backend>(key_, signature_);
    started_ = true;
    return {};
}

template <class Family, class Backend>
void Verifier<Family, Backend>::update(Bytes message) {
    message_.update(message);
}

template <class Family, class Backend>
Result<void> Verifier<Family, Backend>::finish() {
    if (!started_) return std::unexpected(Code::integrity_signature);
    started_ = false;
    std::array<std::uint8_t, Family::n> digest{};
    message_.finish(digest);
    if (!is_signed<Family, Backend>(key_, signature_, digest)) {
        return std::unexpected(Code::integrity_signature);
    }
    return {};
}

}  // namespace quoin::core::lms
