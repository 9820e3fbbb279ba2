#include <array>

#include "core/crypto/hybrid/composite_loaded.hpp"
#include "secure_element/backend.hpp"
#include "secure_element/key.hpp"

namespace quoin::secure_element {
namespace {

using namespace core::hybrid;
namespace ml_dsa = core::ml_dsa;

constexpr std::array<std::uint8_t, 32> test_message{0x51};

template <class Composite, class Backend>
class CompositeKey final : public Key {
public:
    static Result<std::unique_ptr<Key>> load(Bytes material) {
        auto key = std::make_unique<CompositeKey>();
        const auto workspace = std::make_unique<CompositeLoadWorkspace<Composite, Backend>>();
        QUOIN_CHECK(
            lift(key->private_.load(material.first<composite_private_key_size>(), *workspace),
                 "load a composite key"));
        return key;
    }

    Bytes public_key() const override { return private_.public_key(); }
    Result<ByteVector> sign(Bytes message, Bytes context) const override {
        QUOIN_TRY(const auto checked, lift(ml_dsa::Context::of(context), "the context"));
        std::array<std::uint8_t, 32> randomness{};
        QUOIN_CHECK(private_random(randomness));
        ByteVector signature(Composite::signature_size);
        // NOLINTNEXTLINE(*-member-init): kilobytes that the operation writes before it reads
        ml_dsa::SignScratch<typename Composite::Set, Backend> scratch;
        const auto done = private_.sign(
            message, checked, randomness,
            std::span(signature).template first<Composite::signature_size>(), scratch);
        core::ct::wipe(randomness);
        QUOIN_CHECK(lift(done, "sign with a composite key"));
        return signature;
    }
    Result<void> check_pair() const override {
        QUOIN_TRY(const ByteVector signature, sign(test_message, {}));
        const auto workspace =
            std::make_unique<ml_dsa::VerifyWorkspace<typename Composite::Set, Backend>>();
        return lift(
            verify<Composite, Backend>(
                private_.public_key(), test_message, {},
                std::span(signature).template first<Composite::signature_size>(), *workspace),
            "the new composite key's first signature");
    }

private:
    CompositePrivateKey<Composite, Backend> private_;
};

}  // namespace

Result<std::unique_ptr<Key>> load_composite_key(Algorithm algorithm, Bytes material) {
    return with_widest_vectors([&]<class Backend>() -> Result<std::unique_ptr<Key>> {
        if (algorithm == Algorithm::ml_dsa_44_ed25519) {
            return CompositeKey<MlDsa44Ed25519, Backend>::load(material);
        }
        return CompositeKey<MlDsa65Ed25519, Backend>::load(material);
    });
}

}  // namespace quoin::secure_element
