// The definitions of tree.hpp, for the .cpp files that instantiate them.
#pragma once

#include "core/base/declassify.hpp"
#include "core/crypto/lms/secrets.hpp"
#include "core/crypto/lms/tree.hpp"

namespace quoin::core::lms {

template <class Family, class Backend>
void fill_leaves(const Tree<Family>& tree, std::uint32_t first, std::uint32_t count) {
    const Identifier identifier = tree.secret.identifier;
    std::array<std::uint8_t, Family::n> k{};
    for (std::uint32_t q = first; q < first + count; ++q) {
        // RFC 8554, Algorithm 1, steps 3 and 4.
        compress_ends<Family, Backend>({identifier, q}, tree.level.w, k, [&](std::size_t) {
            return ChainStart{Chain::derivation, tree.secret.seed.data()};
        });
        const std::uint32_t r = (std::uint32_t{1} << tree.level.height) + q;
        hash_leaf<Family, Backend>({identifier, r}, k, tree.node(r));
    }
}

// Over everything that identifies the tree and all of its nodes. The length is fixed by the level,
// so that a keyed prefix is a sound MAC.
template <class Family, class Backend>
void check_value(const Tree<Family>& tree, std::span<std::uint8_t, Family::n> value) {
    std::array<std::uint8_t, Family::n> key{};
    derive<Family, Backend>(tree.secret, 0, for_check_value, key);
    Stream<Family, Backend> stream({tree.secret.identifier, 0},
                                   static_cast<Domain>(for_check_value));
    stream.update(key);
    const std::array<std::uint8_t, 2> level = {tree.level.height, tree.level.w};
    stream.update(level);
    stream.update(tree.nodes.subspan(Family::n));
    stream.finish(value);
    ct::wipe(key);
    stream.wipe();
}

template <class Family, class Backend>
void finish_tree(const Tree<Family>& tree) {
    for (std::uint32_t r = (std::uint32_t{1} << tree.level.height) - 1; r > 0; --r) {
        hash_interior<Family, Backend>({tree.secret.identifier, r}, tree.node(2 * r),
                                       tree.node(2 * r + 1), tree.node(r));
    }
    check_value<Family, Backend>(tree, tree.node(0));
}

template <class Family, class Backend>
Result<void> check_tree(const Tree<Family>& tree) {
    std::array<std::uint8_t, Family::n> value{};
    check_value<Family, Backend>(tree, value);
    const bool is_right = ct::equal(value, tree.node(0));
    ct::declassify(is_right);  // the answer is public
    if (!is_right) return std::unexpected(Code::integrity_mismatch);
    return {};
}

}  // namespace quoin::core::lms
