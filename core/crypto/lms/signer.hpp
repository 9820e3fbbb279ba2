// Signing with HSS (LMS is HSS with one level). Source: RFC 8554, sections 4.5, 5.4.1 and 6.2;
// SP 800-208, section 6.1; the derivation of the lower levels is that of the reference code, so
// that keys can move.
//
//   lms::PrivateKey<lms::Sha256M32> key(parameters, identifier, seed);
//   std::vector<std::uint8_t> storage(lms::signer_storage_size<lms::Sha256M32>(parameters));
//   const auto top = lms::top_tree(key, storage);
//   lms::fill_leaves(top, 0, 1 << 10);  // once in the life of the key: keep the storage of `top`
//   lms::finish_tree(top);
//   lms::Signer<lms::Sha256M32> signer(key, storage);
//   QUOIN_CHECK(signer.open());
//   signer.sign(std::move(index), message, signature);  // index: see index.hpp
//
// Errors: storage or output of the wrong size: input_invalid; nodes that fail their check value:
// integrity_mismatch (open); a lower tree that came out differently the second time:
// integrity_mismatch (sign), the index is used up, the next call builds it anew; an index that is
// beyond the key, used, or not above the last one: state_wrong; nothing is written then.
//
// Cost: a signature reads its path and hashes about half of what a leaf costs. Where an index is
// the first in a lower tree, that tree is built and signed first, twice, and compared: one wrong
// bit would make the one-time key above sign a second root, which gives that key away (HSS only).
//
// Stack of sign(), and where it builds a lower tree, in bytes, painted, n = 32; open(): less:
//   x86-64, release: SHA-256 Portable 1,392 and 2,048, ShaNi 1,744 and 2,912, Avx2 5,824 and 7,504
//                    SHAKE256 Portable 1,440 and 2,256, Avx2 4,064 and 5,344
//   Cortex-M4: SHA-256, one tree, with key and Signer: 1,516
// Constant time in the seeds. Threads: one owner. The Signer refers to the key and to the storage,
// which must outlive it.
#pragma once

#include "core/crypto/lms/index.hpp"
#include "core/crypto/lms/tree.hpp"

namespace quoin::core::lms {

template <class Family>
class PrivateKey {
public:
    PrivateKey(const Parameters& parameters, Identifier identifier,
               std::span<const std::uint8_t, Family::n> seed)
        : parameters_(parameters) {
        for (std::size_t i = 0; i < identifier_size; ++i) secret_.identifier[i] = identifier[i];
        for (std::size_t i = 0; i < Family::n; ++i) secret_.seed[i] = seed[i];
    }
    const Parameters& parameters() const { return parameters_; }
    const TreeSecret<Family>& secret() const { return secret_; }

private:
    Parameters parameters_;
    TreeSecret<Family> secret_;  // of the top level
};

// The nodes of each level's tree, top first, and the signed keys of the lower levels.
template <class Family>
constexpr std::size_t signer_storage_size(const Parameters& parameters) {
    std::size_t size = signature_prefix_size<Family>(parameters);
    for (std::size_t i = 0; i < parameters.count(); ++i) size += tree_size<Family>(parameters[i]);
    return size;
}

// The top tree at the beginning of the storage (at least tree_size() of it).
template <class Family>
Tree<Family> top_tree(const PrivateKey<Family>& key, MutableBytes storage) {
    const Level level = key.parameters()[0];
    return {level, key.secret(), storage.first(tree_size<Family>(level))};
}

// u32str(L) || u32str(type) || u32str(otstype) || I || T[1], once the top tree is finished.
template <class Family>
void write_public_key(const PrivateKey<Family>& key, const Tree<Family>& top,
                      std::span<std::uint8_t, public_key_size<Family>> out);

template <class Family, class Backend = Portable>
class Signer {
public:
    Signer(const PrivateKey<Family>& key, MutableBytes storage) : key_(key), storage_(storage) {}

    // Checks the nodes of the top tree.
    [[nodiscard]] Result<void> open();

    // `signature`: signature_size<Family>(parameters) bytes.
    [[nodiscard]] Result<void> sign(OneTimeIndex index, Bytes message, MutableBytes signature);

private:
    const TreeSecret<Family>& secret(std::size_t level) const {
        return level == 0 ? key_.secret() : lower_[level - 1];
    }
    Tree<Family> tree(std::size_t level) const;
    // Level `level` becomes the tree below one-time key `q` of the level above, which signs it.
    [[nodiscard]] Result<void> descend(std::size_t level, std::uint32_t q);
    void build_and_sign(std::size_t level, std::uint32_t q, MutableBytes part);
    MutableBytes prefix() const {
        return storage_.last(signature_prefix_size<Family>(key_.parameters()));
    }

    static constexpr std::uint64_t no_tree = ~std::uint64_t{0};

    const PrivateKey<Family>& key_;
    MutableBytes storage_;
    std::array<TreeSecret<Family>, max_levels - 1> lower_;
    std::array<std::uint64_t, max_levels> current_{};  // which tree of its level is built
    std::uint64_t next_ = 0;                           // the lowest index still acceptable
    bool open_ = false;
};

}  // namespace quoin::core::lms
