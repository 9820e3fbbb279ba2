// The definition of keygen(), for the .cpp files that instantiate it.
#pragma once

#include "core/crypto/slh_dsa/slh_dsa.hpp"
#include "core/crypto/slh_dsa/tree.hpp"

namespace quoin::core::slh_dsa {

// FIPS 205, Algorithm 18.
template <class Set, class Backend>
void keygen(std::span<const std::uint8_t, 3 * Set::n> seeds,
            std::span<std::uint8_t, Set::private_key_size> private_key) {
    copy(seeds, private_key.data());
    const Seed<Set, Backend> seed(seeds.template last<Set::n>());
    Grower<Set, Backend> grower(seed, seeds.template first<Set::n>());
    Address address;
    address.set_layer(Set::d - 1);
    std::array<std::uint8_t, Set::h_prime * Set::n> path{};  // of no use
    const Node<Set> root = grower.xmss(address, 0, path);
    copy(root, private_key.template last<Set::n>().data());
}

}  // namespace quoin::core::slh_dsa
