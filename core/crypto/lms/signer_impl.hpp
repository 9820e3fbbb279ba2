// The definitions of signer.hpp, for the .cpp files that instantiate them.
#pragma once

#include "core/base/declassify.hpp"
#include "core/crypto/lms/secrets.hpp"
#include "core/crypto/lms/signer.hpp"
#include "core/crypto/sha2/sha2.hpp"

namespace quoin::core::lms {

// u32str(type) || u32str(otstype) || I || T[1]
template <class Family>
void write_tree_key(const Tree<Family>& tree, std::span<std::uint8_t, tree_key_size<Family>> out) {
    store_big_endian<std::uint32_t>(&out[0], lms_type<Family>(tree.level));
    store_big_endian<std::uint32_t>(&out[4], ots_type<Family>(tree.level));
    for (std::size_t i = 0; i < identifier_size; ++i) out[8 + i] = tree.secret.identifier[i];
    for (std::size_t i = 0; i < Family::n; ++i) out[8 + identifier_size + i] = tree.node(1)[i];
}

template <class Family>
void write_public_key(const PrivateKey<Family>& key, const Tree<Family>& top,
                      std::span<std::uint8_t, public_key_size<Family>> out) {
    store_big_endian(out.data(), static_cast<std::uint32_t>(key.parameters().count()));
    write_tree_key(top, out.template last<tree_key_size<Family>>());
}

// RFC 8554, Algorithm 3, step 8: y[i] for all digits, from the seed. The chains' ends are public
// once they are written; on their way they are not, and stay in the runner, which wipes them.
template <class Family, class Backend>
void sign_digest(const Tree<Family>& tree, std::uint32_t q,
                 std::span<const std::uint8_t, Family::n> digest, MutableBytes y) {
    constexpr std::size_t batch = batch_size<Family, Backend>;
    const Digits<Family> digits(digest, tree.level.w);
    std::array<Chain, batch> chains{};
    ChainRunner<Family, Backend> runner({tree.secret.identifier, q});
    const std::size_t total = winternitz(Family::n, tree.level.w).chains;
    for (std::size_t done = 0; done < total;) {
        const std::size_t size = total - done < batch ? total - done : batch;
        for (std::size_t b = 0; b < size; ++b) {
            const std::size_t i = done + b;
            chains[b] = {static_cast<std::uint16_t>(i), Chain::derivation,
                         static_cast<std::int16_t>(digits[i]), tree.secret.seed.data(),
                         &y[i * Family::n]};
        }
        runner.run(std::span(chains).first(size));
        done += size;
    }
}

// RFC 8554, section 5.4.1: u32str(q) || ots signature || u32str(type) || path.
template <class Family, class Backend>
void sign_with_tree(const Tree<Family>& tree, std::uint32_t q, Bytes message, MutableBytes out) {
    const std::size_t chains = winternitz(Family::n, tree.level.w).chains;
    store_big_endian<std::uint32_t>(&out[0], q);
    store_big_endian<std::uint32_t>(&out[4], ots_type<Family>(tree.level));
    const auto randomizer = out.subspan(8).template first<Family::n>();
    derive<Family, Backend>(tree.secret, q, for_randomizer, randomizer);
    ct::declassify(Bytes(randomizer));  // part of the signature

    // Algorithm 3, step 5.
    Stream<Family, Backend> stream({tree.secret.identifier, q}, Domain::message);
    stream.update(randomizer);
    stream.update(message);
    std::array<std::uint8_t, Family::n> digest{};
    stream.finish(digest);

    sign_digest<Family, Backend>(tree, q, digest, out.subspan(8 + Family::n, chains * Family::n));
    MutableBytes rest = out.subspan(8 + Family::n * (1 + chains));
    store_big_endian<std::uint32_t>(rest.data(), lms_type<Family>(tree.level));
    rest = rest.subspan(4);
    for (std::uint32_t r = (std::uint32_t{1} << tree.level.height) + q; r > 1; r /= 2) {
        const auto sibling = tree.node(r ^ 1U);
        for (std::size_t i = 0; i < Family::n; ++i) rest[i] = sibling[i];
        rest = rest.subspan(Family::n);
    }
}

template <class Family, class Backend>
Tree<Family> Signer<Family, Backend>::tree(std::size_t level) const {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < level; ++i) begin += tree_size<Family>(key_.parameters()[i]);
    const Level shape = key_.parameters()[level];
    return {shape, secret(level), storage_.subspan(begin, tree_size<Family>(shape))};
}

template <class Family, class Backend>
Result<void> Signer<Family, Backend>::open() {
    open_ = false;
    if (storage_.size() != signer_storage_size<Family>(key_.parameters())) {
        return std::unexpected(Code::input_invalid);
    }
    QUOIN_CHECK(check_tree<Family, Backend>(tree(0)));
    for (std::uint64_t& current : current_) current = no_tree;
    current_[0] = 0;
    const std::size_t signed_keys = key_.parameters().count() - 1;
    store_big_endian(prefix().data(), static_cast<std::uint32_t>(signed_keys));  // Nspk
    open_ = true;
    return {};
}

// Fills `part` of the prefix: the signature of the level above, and the key that it signs.
template <class Family, class Backend>
void Signer<Family, Backend>::build_and_sign(std::size_t level, std::uint32_t q,
                                             MutableBytes part) {
    const TreeSecret<Family>& above = secret(level - 1);
    TreeSecret<Family>& own = lower_[level - 1];
    std::array<std::uint8_t, Family::n> identifier{};
    derive<Family, Backend>(above, q, for_child_identifier, identifier);
    ct::declassify(Bytes(identifier));  // part of the public key
    derive<Family, Backend>(above, q, for_child_seed, own.seed);
    for (std::size_t i = 0; i < identifier_size; ++i) own.identifier[i] = identifier[i];

    const Tree<Family> built = tree(level);
    fill_leaves<Family, Backend>(built, 0, std::uint32_t{1} << built.level.height);
    finish_tree<Family, Backend>(built);
    const auto child = part.template last<tree_key_size<Family>>();
    write_tree_key(built, child);
    ct::declassify(Bytes(child));
    sign_with_tree<Family, Backend>(tree(level - 1), q, child,
                                    part.first(part.size() - child.size()));
    ct::declassify(Bytes(part));  // public from here on
}

// The same key is signed each time this tree is built, with the same C: the one-time key above
// signs one message, however often. A fault while it is built or signed would break that and give
// the key above away (Castelnovi, Martinelli, Prest, "Grafting Trees", PQCrypto 2018): so all of it
// is done twice, and nothing leaves here that came out differently.
template <class Family, class Backend>
Result<void> Signer<Family, Backend>::descend(std::size_t level, std::uint32_t q) {
    std::size_t begin = sizeof(std::uint32_t);  // behind Nspk
    for (std::size_t i = 0; i + 1 < level; ++i) {
        begin += tree_signature_size<Family>(key_.parameters()[i]) + tree_key_size<Family>;
    }
    const std::size_t size = tree_signature_size<Family>(key_.parameters()[level - 1]);
    const MutableBytes part = prefix().subspan(begin, size + tree_key_size<Family>);
    build_and_sign(level, q, part);
    const auto first = sha2::Sha256::of(part);
    build_and_sign(level, q, part);
    if (ct::equal(first, sha2::Sha256::of(part))) return {};
    ct::wipe(part);
    return std::unexpected(Code::integrity_mismatch);
}

template <class Family, class Backend>
Result<void> Signer<Family, Backend>::sign(OneTimeIndex index, Bytes message,
                                           MutableBytes signature) {
    const Parameters& parameters = key_.parameters();
    if (!open_) return std::unexpected(Code::state_wrong);
    if (signature.size() != signature_size<Family>(parameters)) {
        return std::unexpected(Code::input_invalid);
    }
    QUOIN_TRY(const std::uint64_t number, index.consume());
    if (number < next_ || number >= parameters.capacity()) {
        return std::unexpected(Code::state_wrong);
    }
    next_ = number + 1;

    // RFC 8554, section 6.2: the index in base 2^h of each level. `trees` counts the one-time keys
    // of a level over all of its trees.
    unsigned below = 0;
    for (std::size_t i = 1; i < parameters.count(); ++i) below += parameters[i].height;
    for (std::size_t i = 1; i < parameters.count(); ++i) {
        const std::uint64_t trees = number >> below;
        if (current_[i] != trees) {
            const unsigned height = parameters[i - 1].height;
            current_[i] = no_tree;
            QUOIN_CHECK(
                descend(i, static_cast<std::uint32_t>(trees & ((std::uint64_t{1} << height) - 1))));
            current_[i] = trees;
        }
        below -= parameters[i].height;
    }
    const Bytes head = prefix();
    for (std::size_t i = 0; i < head.size(); ++i) signature[i] = head[i];
    const std::uint64_t leaves = std::uint64_t{1} << parameters.last().height;
    sign_with_tree<Family, Backend>(tree(parameters.count() - 1),
                                    static_cast<std::uint32_t>(number & (leaves - 1)), message,
                                    signature.subspan(head.size()));
    return {};
}

}  // namespace quoin::core::lms
