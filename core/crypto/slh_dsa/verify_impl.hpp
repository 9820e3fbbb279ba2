// The definition of verify(), for the .cpp files that instantiate it.
#pragma once

#include "core/crypto/slh_dsa/message.hpp"
#include "core/crypto/slh_dsa/slh_dsa.hpp"
#include "core/crypto/slh_dsa/wots.hpp"

namespace quoin::core::slh_dsa {

template <class Set, class Backend>
class Verification {
public:
    explicit Verification(std::span<const std::uint8_t, Set::public_key_size> public_key)
        : seed_(public_key.template first<Set::n>()) {}

    // Algorithm 20, lines 13 to 20: the root that the signature leads to.
    Node<Set> root(const Selection<Set>& selection, Bytes fors, Bytes hypertree) const {
        Address address;
        address.set_tree(selection.tree);
        Node<Set> node = fors_public_key(selection, fors, address);
        // Algorithm 13.
        std::uint64_t tree = selection.tree;
        std::uint32_t leaf = selection.leaf;
        for (unsigned layer = 0; layer < Set::d; ++layer) {
            address.set_layer(layer);
            address.set_tree(tree);
            node = xmss_root(leaf, hypertree.first(Set::xmss_signature_size), node, address);
            hypertree = hypertree.subspan(Set::xmss_signature_size);
            leaf = static_cast<std::uint32_t>(tree & ((std::uint64_t{1} << Set::h_prime) - 1));
            tree >>= Set::h_prime;
        }
        return node;
    }

private:
    using F = Lanes<Set, Backend, Set::n>;
    using H = Lanes<Set, Backend, 2 * Set::n>;

    // Algorithm 17. As many trees at once as there are lanes.
    Node<Set> fors_public_key(const Selection<Set>& selection, Bytes signature,
                              Address address) const {
        address.set_type(AddressType::fors_roots);
        address.set_key_pair(selection.leaf);
        Tweaked<Set, Backend> roots(seed_, address);
        address.set_type(AddressType::fors_tree);
        address.set_key_pair(selection.leaf);
        F f(seed_);
        H h(seed_);
        constexpr std::size_t one = (1 + Set::a) * Set::n;  // sk and path
        for (unsigned first = 0; first < Set::k; first += F::count) {
            const unsigned size = first + F::count < Set::k ? F::count : Set::k - first;
            std::array<Node<Set>, F::count> nodes{};
            for (unsigned lane = 0; lane < size; ++lane) {
                address.set_tree_index(((first + lane) << Set::a) + selection.fors[first + lane]);
                f.set(lane, address, signature.subspan((first + lane) * one, Set::n));
            }
            f.step();
            for (unsigned lane = 0; lane < size; ++lane) copy(f.value(lane), nodes[lane].data());
            for (unsigned j = 0; j < Set::a; ++j) {
                address.set_tree_height(j + 1);
                climb(h, std::span(nodes).first(size), [&](std::size_t lane) {
                    const std::size_t i = first + lane;
                    const auto index = static_cast<std::uint32_t>(i << Set::a) + selection.fors[i];
                    address.set_tree_index(index >> (j + 1));
                    return Step{address, (index >> j) % 2 == 1,
                                signature.subspan(i * one + (1 + j) * Set::n, Set::n)};
                });
            }
            address.set_tree_height(0);
            for (unsigned lane = 0; lane < size; ++lane) roots.update(nodes[lane]);
        }
        Node<Set> root;
        roots.finish(root);
        return root;
    }

    // One node up in a tree: the parent's address, whether the node is the right child, its
    // sibling.
    struct Step {
        Address address;
        bool is_right = false;
        Bytes sibling;
    };
    template <class Describe>
    static void climb(H& h, std::span<Node<Set>> nodes, Describe describe) {
        for (std::size_t done = 0; done < nodes.size(); done += H::count) {
            const std::size_t size =
                done + H::count < nodes.size() ? H::count : nodes.size() - done;
            for (std::size_t lane = 0; lane < size; ++lane) {
                const Bytes node = nodes[done + lane];
                const Step step = describe(done + lane);
                h.set(lane, step.address, step.is_right ? step.sibling : node,
                      step.is_right ? node : step.sibling);
            }
            h.step();
            for (std::size_t lane = 0; lane < size; ++lane) {
                copy(h.value(lane), nodes[done + lane].data());
            }
        }
    }

    // Algorithm 8.
    Node<Set> wots_public_key(std::uint32_t leaf, Bytes signature, const Node<Set>& message,
                              Address address) const {
        constexpr std::size_t batch = chain_batch<Set, Backend>;
        const auto digits = wots_digits<Set>(message);
        address.set_type(AddressType::wots_public_key);
        address.set_key_pair(leaf);
        Tweaked<Set, Backend> ends(seed_, address);
        address.set_type(AddressType::wots_hash);
        address.set_key_pair(leaf);
        ChainRunner<Set, Backend> runner(seed_);
        std::array<Chain, batch> chains;
        std::array<Node<Set>, batch> values{};
        for (std::size_t done = 0; done < Set::len; done += batch) {
            const std::size_t size = done + batch < Set::len ? batch : Set::len - done;
            for (std::size_t b = 0; b < size; ++b) {
                address.set_chain(static_cast<std::uint32_t>(done + b));
                chains[b] = {address, digits[done + b], 15, &signature[(done + b) * Set::n],
                             values[b].data()};
            }
            runner.run(std::span(chains).first(size));
            for (std::size_t b = 0; b < size; ++b) ends.update(values[b]);
        }
        Node<Set> key;
        ends.finish(key);
        return key;
    }

    // Algorithm 11.
    Node<Set> xmss_root(std::uint32_t leaf, Bytes signature, const Node<Set>& message,
                        Address address) const {
        std::array<Node<Set>, 1> node = {wots_public_key(leaf, signature, message, address)};
        Bytes path = signature.subspan(Set::len * Set::n);
        address.set_type(AddressType::tree);
        H h(seed_);
        for (unsigned k = 0; k < Set::h_prime; ++k, path = path.subspan(Set::n)) {
            address.set_tree_height(k + 1);
            address.set_tree_index(leaf >> (k + 1));
            climb(h, node, [&](std::size_t) {
                return Step{address, (leaf >> k) % 2 == 1, path.first(Set::n)};
            });
        }
        return node[0];
    }

    Seed<Set, Backend> seed_;
};

template <class Set, class Backend>
Result<void> verify(std::span<const std::uint8_t, Set::public_key_size> public_key, Bytes message,
                    Bytes context, Bytes signature) {
    if (signature.size() != Set::signature_size || context.size() > max_context_size) {
        return std::unexpected(Code::integrity_signature);
    }
    const Bytes randomizer = signature.first(Set::n);
    const Selection<Set> selection(
        hash_message<Set, Backend>(randomizer, public_key, {context, message}));
    const Verification<Set, Backend> verification(public_key);
    const Bytes fors = signature.subspan(Set::n, Set::fors_signature_size);
    const Bytes hypertree = signature.subspan(Set::n + Set::fors_signature_size);
    const Node<Set> root = verification.root(selection, fors, hypertree);
    if (!ct::equal(root, public_key.template last<Set::n>())) {
        return std::unexpected(Code::integrity_signature);
    }
    return {};
}

}  // namespace quoin::core::slh_dsa
