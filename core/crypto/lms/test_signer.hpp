// For the tests: keys with their storage, and one function for all families.
#pragma once

#include <memory>
#include <vector>

#include "core/crypto/lms/signer.hpp"
#include "core/crypto/lms/verify.hpp"

namespace quoin::core::lms {

using ByteVector = std::vector<std::uint8_t>;

// A key, its tree, its signer.
template <class Family, class Backend = Portable>
struct TestKey {
    TestKey(const std::vector<Level>& levels, Bytes identifier, Bytes seed)
        : key(*Parameters::make(levels), identifier.first<identifier_size>(),
              seed.first<Family::n>()),
          storage(signer_storage_size<Family>(key.parameters())),
          signer(key, storage) {
        const auto top = top_tree(key, storage);
        fill_leaves<Family, Backend>(top, 0, std::uint32_t{1} << levels[0].height);
        finish_tree<Family, Backend>(top);
        public_key.resize(public_key_size<Family>);
        write_public_key(key, top, std::span(public_key).template first<public_key_size<Family>>());
    }

    Result<ByteVector> sign(std::uint64_t index, Bytes message) {
        ByteVector signature(signature_size<Family>(key.parameters()));
        if (!is_open) QUOIN_CHECK(signer.open());
        is_open = true;
        auto block = Reservation::danger_already_durable(index, 1);
        QUOIN_TRY(OneTimeIndex one, block.take());
        QUOIN_CHECK(signer.sign(std::move(one), message, signature));
        return signature;
    }

    PrivateKey<Family> key;
    ByteVector storage;
    Signer<Family, Backend> signer;
    ByteVector public_key;
    bool is_open = false;
};

}  // namespace quoin::core::lms
