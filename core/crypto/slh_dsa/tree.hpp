// Merkle trees made from secrets: WOTS+ leaves for the hypertree, FORS leaves. Inside
// core/crypto/slh_dsa only. Source: FIPS 205, Algorithms 6, 9, 14 and 15.
//
// A tree of height h is made by `count` lanes: lane l makes the l-th of `count` subtrees of equal
// height, all in step, and at the end their roots are joined. So no lane ever idles, whatever the
// shape. Every node that `path` wants is kept on the way.
#pragma once

#include <bit>

#include "core/base/declassify.hpp"
#include "core/crypto/slh_dsa/wots.hpp"

namespace quoin::core::slh_dsa {

// SK.seed, and where nodes come from.
template <class Set, class Backend>
class Grower {
public:
    using F = Lanes<Set, Backend, Set::n>;
    using H = Lanes<Set, Backend, 2 * Set::n>;
    static constexpr unsigned count = F::count;
    static constexpr unsigned log_count = std::bit_width(count) - 1;
    static_assert(F::count == H::count);
    using Nodes = std::array<Node<Set>, count>;
    using SecretSeed = std::span<const std::uint8_t, Set::n>;

    Grower(const Seed<Set, Backend>& seed, SecretSeed sk_seed)
        : seed_(seed), sk_seed_(sk_seed), f_(seed), h_(seed) {}

    // A hypertree's tree: layer and tree are set in `address`. `path` holds the h' nodes beside the
    // way from `leaf` up.
    Node<Set> xmss(Address address, std::uint32_t leaf, MutableBytes path) {
        address.set_type(AddressType::tree);
        const auto leaves = [&](std::uint32_t first, std::uint32_t stride, Nodes& nodes) {
            wots_public_keys(address, first, stride, nodes);
        };
        return grow<Set::h_prime>(address, 0, leaf, path, leaves);
    }

    // FORS tree number i of the key pair in `address` (layer, tree): `secret` is the chosen leaf's.
    Node<Set> fors(Address address, std::uint32_t key_pair, std::uint32_t i, std::uint32_t leaf,
                   MutableBytes secret, MutableBytes path) {
        const std::uint32_t offset = i << Set::a;
        address.set_type(AddressType::fors_prf);
        address.set_key_pair(key_pair);
        Address tree = address;
        tree.set_type(AddressType::fors_tree);
        tree.set_key_pair(key_pair);
        const auto leaves = [&](std::uint32_t first, std::uint32_t stride, Nodes& nodes) {
            for (unsigned lane = 0; lane < count; ++lane) {
                address.set_tree_index(offset + first + lane * stride);
                f_.set(lane, address, sk_seed_);
            }
            f_.step();  // PRF: Algorithm 14
            for (unsigned lane = 0; lane < count; ++lane) copy(f_.value(lane), nodes[lane].data());
            for (unsigned lane = 0; lane < count; ++lane) {
                const std::uint32_t index = first + lane * stride;
                if (index == leaf) copy(nodes[lane], secret.data());
                tree.set_tree_height(0);
                tree.set_tree_index(offset + index);
                f_.set(lane, tree, nodes[lane]);
            }
            f_.step();
            for (unsigned lane = 0; lane < count; ++lane) copy(f_.value(lane), nodes[lane].data());
        };
        return grow<Set::a>(tree, offset, leaf, path, leaves);
    }

private:
    // Algorithm 9 and 15, from the leaves up. Index t of height z is of node offset / 2^z + t.
    template <unsigned Height, class Leaves>
    Node<Set> grow(Address address, std::uint32_t offset, std::uint32_t wanted, MutableBytes path,
                   Leaves leaves) {
        static_assert(Height >= log_count);
        constexpr unsigned part = Height - log_count;  // of a lane
        std::array<Nodes, part + 1> waiting{};         // the left node of each height
        Nodes nodes;
        const auto keep = [&](unsigned z, std::uint32_t t, const Node<Set>& node) {
            if (z < Height && t == ((wanted >> z) ^ 1U)) copy(node, &path[z * Set::n]);
        };
        for (std::uint32_t t = 0; t < (std::uint32_t{1} << part); ++t) {
            leaves(t, std::uint32_t{1} << part, nodes);
            unsigned z = 0;
            for (;; ++z) {
                const std::uint32_t stride = std::uint32_t{1} << (part - z);
                for (unsigned lane = 0; lane < count; ++lane) {
                    keep(z, (t >> z) + lane * stride, nodes[lane]);
                }
                if (((t >> z) & 1U) == 0 || z == part) break;
                address.set_tree_height(z + 1);
                for (unsigned lane = 0; lane < count; ++lane) {
                    address.set_tree_index((offset >> (z + 1)) + (t >> (z + 1)) +
                                           lane * (stride / 2));
                    h_.set(lane, address, waiting[z][lane], nodes[lane]);
                }
                h_.step();
                for (unsigned lane = 0; lane < count; ++lane) {
                    copy(h_.value(lane), nodes[lane].data());
                }
            }
            waiting[z] = nodes;
        }
        for (unsigned z = part; z < Height; ++z) {
            const unsigned pairs = 1U << (Height - z - 1);
            address.set_tree_height(z + 1);
            for (unsigned i = 0; i < pairs; ++i) {
                address.set_tree_index((offset >> (z + 1)) + i);
                h_.set(i, address, nodes[2 * i], nodes[2 * i + 1]);
            }
            h_.step();
            for (unsigned i = 0; i < pairs; ++i) {
                copy(h_.value(i), nodes[i].data());
                keep(z + 1, i, nodes[i]);
            }
        }
        return nodes[0];
    }

    // Algorithm 6 for the leaves first, first + stride, ...: one in each lane.
    void wots_public_keys(Address address, std::uint32_t first, std::uint32_t stride, Nodes& keys) {
        std::array<Address, count> at;
        std::array<Tweaked<Set, Backend>, count> ends =
            [&]<std::size_t... Lane>(std::index_sequence<Lane...>) {
                const auto begin = [&](std::uint32_t lane) {
                    address.set_type(AddressType::wots_public_key);
                    address.set_key_pair(first + lane * stride);
                    return Tweaked<Set, Backend>(seed_, address);
                };
                return std::array<Tweaked<Set, Backend>, count>{begin(Lane)...};
            }(std::make_index_sequence<count>());
        for (std::uint32_t i = 0; i < Set::len; ++i) {
            for (unsigned lane = 0; lane < count; ++lane) {
                at[lane] = address;
                at[lane].set_type(AddressType::wots_prf);
                at[lane].set_key_pair(first + lane * stride);
                at[lane].set_chain(i);
                f_.set(lane, at[lane], sk_seed_);
            }
            f_.step();
            for (unsigned lane = 0; lane < count; ++lane) {
                Node<Set>& value = keys[lane];
                copy(f_.value(lane), value.data());
                at[lane].set_type(AddressType::wots_hash);
                at[lane].set_key_pair(first + lane * stride);
                at[lane].set_chain(i);
                f_.set(lane, at[lane], value);
            }
            f_.step(15);
            for (unsigned lane = 0; lane < count; ++lane) ends[lane].update(f_.value(lane));
        }
        for (unsigned lane = 0; lane < count; ++lane) ends[lane].finish(keys[lane]);
    }

    const Seed<Set, Backend>& seed_;
    SecretSeed sk_seed_;
    F f_;
    H h_;
};

}  // namespace quoin::core::slh_dsa
