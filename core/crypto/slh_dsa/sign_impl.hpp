// The definition of sign(), for the .cpp files that instantiate it.
#pragma once

#include "core/crypto/slh_dsa/message.hpp"
#include "core/crypto/slh_dsa/slh_dsa.hpp"
#include "core/crypto/slh_dsa/tree.hpp"

namespace quoin::core::slh_dsa {

// Section 11.1: PRF_msg(SK.prf, opt_rand, M').
template <class Set, class Backend>
void prf_message(Bytes sk_prf, Bytes randomness, const Message& message, MutableBytes out) {
    static_assert(Set::is_shake, "the SHA-2 sets need HMAC here, and nobody signs with them yet");
    keccak::Shake256<Single<Backend>> hash;
    hash.absorb(sk_prf).absorb(randomness);
    message.into([&](Bytes part) { hash.absorb(part); });
    hash.squeeze(out);
}

// Algorithm 7: the WOTS+ signature of `message` by `leaf` of the tree in `address`.
template <class Set, class Backend>
void wots_sign(const Seed<Set, Backend>& seed, std::span<const std::uint8_t, Set::n> sk_seed,
               Address address, std::uint32_t leaf, const Node<Set>& message, MutableBytes out) {
    using F = Lanes<Set, Backend, Set::n>;
    constexpr std::size_t batch = chain_batch<Set, Backend>;
    const auto digits = wots_digits<Set>(message);
    Address prf = address;
    prf.set_type(AddressType::wots_prf);
    prf.set_key_pair(leaf);
    address.set_type(AddressType::wots_hash);
    address.set_key_pair(leaf);
    F f(seed);
    ChainRunner<Set, Backend> runner(seed);
    std::array<Chain, batch> chains;
    std::array<Node<Set>, batch> secrets{};
    for (std::size_t done = 0; done < Set::len; done += batch) {
        const std::size_t size = done + batch < Set::len ? batch : Set::len - done;
        for (std::size_t b = 0; b < size; b += F::count) {
            for (std::size_t lane = 0; lane < F::count; ++lane) {
                prf.set_chain(static_cast<std::uint32_t>(done + b + lane));
                f.set(lane, prf, sk_seed);
            }
            f.step();
            for (std::size_t lane = 0; lane < F::count && b + lane < size; ++lane) {
                copy(f.value(lane), secrets[b + lane].data());
            }
        }
        for (std::size_t b = 0; b < size; ++b) {
            address.set_chain(static_cast<std::uint32_t>(done + b));
            chains[b] = {address, 0, digits[done + b], secrets[b].data(),
                         &out[(done + b) * Set::n]};
        }
        runner.run(std::span(chains).first(size));
    }
    ct::wipe_object(secrets);
}

// Algorithm 16, and the public key that Algorithm 17 would find.
template <class Set, class Backend>
Node<Set> fors_sign(Grower<Set, Backend>& grower, const Seed<Set, Backend>& seed,
                    const Selection<Set>& selection, Address address, MutableBytes out) {
    Address roots_address = address;
    roots_address.set_type(AddressType::fors_roots);
    roots_address.set_key_pair(selection.leaf);
    Tweaked<Set, Backend> roots(seed, roots_address);
    for (std::uint32_t i = 0; i < Set::k; ++i) {
        const MutableBytes secret = out.first(Set::n);
        const MutableBytes path = out.subspan(Set::n, Set::a * Set::n);
        roots.update(grower.fors(address, selection.leaf, i, selection.fors[i], secret, path));
        out = out.subspan((1 + Set::a) * Set::n);
    }
    Node<Set> key;
    roots.finish(key);
    return key;
}

// Algorithms 19 and 22.
template <class Set, class Backend>
Result<void> sign(std::span<const std::uint8_t, Set::private_key_size> private_key, Bytes message,
                  Bytes context, std::span<const std::uint8_t, Set::n> randomness,
                  std::span<std::uint8_t, Set::signature_size> signature) {
    if (context.size() > max_context_size) return std::unexpected(Code::input_invalid);
    const auto sk_seed = private_key.template first<Set::n>();
    const Bytes sk_prf = private_key.subspan(Set::n, Set::n);
    const auto public_key = private_key.template last<Set::public_key_size>();

    const MutableBytes randomizer = signature.first(Set::n);  // R
    prf_message<Set, Backend>(sk_prf, randomness, {context, message}, randomizer);
    ct::declassify(
        Bytes(randomizer));  // part of the signature; from here on, only SK.seed is secret
    const Selection<Set> selection(
        hash_message<Set, Backend>(randomizer, public_key, {context, message}));

    const Seed<Set, Backend> seed(public_key.template first<Set::n>());
    Grower<Set, Backend> grower(seed, sk_seed);
    Address address;
    address.set_tree(selection.tree);
    Node<Set> node = fors_sign<Set, Backend>(grower, seed, selection, address,
                                             signature.subspan(Set::n, Set::fors_signature_size));
    // Algorithm 12.
    MutableBytes out = signature.subspan(Set::n + Set::fors_signature_size);
    std::uint64_t tree = selection.tree;
    std::uint32_t leaf = selection.leaf;
    for (unsigned layer = 0; layer < Set::d; ++layer) {
        ct::declassify(node);  // every verifier finds it
        address.set_layer(layer);
        address.set_tree(tree);
        wots_sign<Set, Backend>(seed, sk_seed, address, leaf, node, out.first(Set::len * Set::n));
        node = grower.xmss(address, leaf, out.subspan(Set::len * Set::n, Set::h_prime * Set::n));
        out = out.subspan(Set::xmss_signature_size);
        leaf = static_cast<std::uint32_t>(tree & ((std::uint64_t{1} << Set::h_prime) - 1));
        tree >>= Set::h_prime;
    }
    return {};
}

}  // namespace quoin::core::slh_dsa
