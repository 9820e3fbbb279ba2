// One interface over core's LMS families, with the backend that this processor runs best. Inside
// host/lms only.
#pragma once

#include <memory>

#include "core/crypto/lms/index.hpp"
#include "host/lms/key.hpp"

namespace quoin::lms {

// make.operator()<Family>() with core's family of `hash`.
template <class Make>
auto with_family(Hash hash, Make make) {
    switch (hash) {
        case Hash::sha256_192:
            return make.template operator()<core::lms::Sha256M24>();
        case Hash::shake256:
            return make.template operator()<core::lms::ShakeM32>();
        case Hash::shake256_192:
            return make.template operator()<core::lms::ShakeM24>();
        case Hash::sha256:
            break;
    }
    return make.template operator()<core::lms::Sha256M32>();
}

class Engine {
public:
    Engine() = default;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    virtual ~Engine() = default;

    // The top tree's nodes: filled by ranges of leaves, from many threads if one likes, or copied
    // from where they were kept.
    virtual MutableBytes nodes() = 0;
    virtual void fill_leaves(std::uint32_t first, std::uint32_t count) = 0;
    virtual void finish_tree() = 0;

    // The nodes are whole and this key's; sign() may follow.
    virtual core::Result<void> open() = 0;
    virtual ByteVector public_key() = 0;
    virtual core::Result<ByteVector> sign(core::lms::OneTimeIndex index, Bytes message) = 0;
};

// `identifier`: 16 bytes; `seed`: digest_size(shape.hash).
Result<std::unique_ptr<Engine>> make_engine(const Shape& shape, Bytes identifier, Bytes seed);

// Once in a process; make_engine() and make_verifier() ask for it.
Result<void> self_test();

class MessageVerifier {
public:
    MessageVerifier() = default;
    MessageVerifier(const MessageVerifier&) = delete;
    MessageVerifier& operator=(const MessageVerifier&) = delete;
    virtual ~MessageVerifier() = default;
    virtual core::Result<void> start(Bytes public_key, Bytes signature) = 0;
    virtual void update(Bytes message) = 0;
    virtual core::Result<void> finish() = 0;
};
Result<std::unique_ptr<MessageVerifier>> make_verifier(Hash hash);

}  // namespace quoin::lms
