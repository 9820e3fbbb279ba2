// The nodes of an LMS tree in the caller's storage, so that signing reads its path instead of
// building the tree anew. Source: RFC 8554, section 5.3; SP 800-208, section 6.1 for the secrets.
//
//   storage of a tree, bytes:  2 n 2^height   (n = 32: height 5: 2 Ki, 10: 64 Ki, 15: 2 Mi,
//                                              20: 64 Mi, 25: 2 Gi)
//   hashes to fill it (n = 32): 2^height times about 310 (w 1), 570 (w 2), 1,110 (w 4), 8,720 (w 8)
//
// Node r (root 1, children 2 r and 2 r + 1) begins at r n; in the place of node 0 stands a check
// value, keyed with the seed: whoever cannot read the key cannot make one. It must hold before the
// nodes are used: a one-time key that signed a wrong child of a tree could be made to sign two.
//
// Stack of fill_leaves(), which needs most, in bytes, painted, n = 32:
//   x86-64, release: SHA-256 Portable 1,328, ShaNi 2,176, Avx2 6,768
//                    SHAKE256 Portable 1,536, Avx2 4,608
//   Cortex-M4: SHA-256 with key and finish_tree(): 1,012
//
// Errors: check_tree() alone fails: integrity_mismatch. Constant time in the seed. Threads:
// fill_leaves() of ranges that do not overlap may run at once.
#pragma once

#include "core/crypto/lms/hash.hpp"

namespace quoin::core::lms {

template <class Family>
struct TreeSecret {
    TreeSecret() = default;
    TreeSecret(const TreeSecret&) = delete;
    TreeSecret& operator=(const TreeSecret&) = delete;
    ~TreeSecret() { ct::wipe(seed); }

    std::array<std::uint8_t, identifier_size> identifier{};  // I, public
    std::array<std::uint8_t, Family::n> seed{};              // SEED
};

template <class Family>
constexpr std::size_t tree_size(Level level) {
    return Family::n << (level.height + 1U);
}

template <class Family>
struct Tree {
    Level level{};
    const TreeSecret<Family>& secret;
    MutableBytes nodes;  // tree_size<Family>(level) bytes

    std::span<std::uint8_t, Family::n> node(std::uint32_t r) const {
        return nodes.subspan(std::size_t{r} * Family::n).template first<Family::n>();
    }
};

// First the leaves, in any order, then the rest.
template <class Family, class Backend = Portable>
void fill_leaves(const Tree<Family>& tree, std::uint32_t first, std::uint32_t count);
template <class Family, class Backend = Portable>
void finish_tree(const Tree<Family>& tree);

// Are these the nodes that were made?
template <class Family, class Backend = Portable>
[[nodiscard]] Result<void> check_tree(const Tree<Family>& tree);

}  // namespace quoin::core::lms
