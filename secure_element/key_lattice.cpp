#include <array>

#include "core/crypto/ml_dsa/loaded.hpp"
#include "secure_element/backend.hpp"
#include "secure_element/key.hpp"

namespace quoin::secure_element {
namespace {

using namespace core::ml_dsa;

constexpr std::array<std::uint8_t, 32> test_message{0x51};

struct ExpandedKeyTag;

template <class Set, class Backend>
class LatticeKey final : public Key {
public:
    static Result<std::unique_ptr<Key>> load(Bytes material) {
        auto key = std::make_unique<LatticeKey>();
        const auto workspace = std::make_unique<KeygenWorkspace<Set, Backend>>();
        core::Secret<ExpandedKeyTag, Set::private_key_size> expanded;
        Seed seed;
        std::ranges::copy(material, seed.expose_to_fill().begin());
        keygen<Set, Backend>(seed, key->public_, expanded.expose_to_fill(), *workspace);
        QUOIN_CHECK(lift(key->private_.load(expanded.expose()), "load an ML-DSA key"));
        return key;
    }

    Bytes public_key() const override { return public_; }
    Result<ByteVector> sign(Bytes message, Bytes context) const override {
        QUOIN_TRY(const Context checked, lift(Context::of(context), "the context"));
        std::array<std::uint8_t, 32> randomness{};
        QUOIN_CHECK(private_random(randomness));
        ByteVector signature(Set::signature_size);
        // NOLINTNEXTLINE(*-member-init): kilobytes that the operation writes before it reads
        SignScratch<Set, Backend> scratch;
        const auto done =
            private_.sign(message, checked, randomness,
                          std::span(signature).template first<Set::signature_size>(), scratch);
        core::ct::wipe(randomness);
        QUOIN_CHECK(lift(done, "sign with ML-DSA"));
        return signature;
    }
    Result<void> check_pair() const override {
        QUOIN_TRY(const ByteVector signature, sign(test_message, {}));
        const auto workspace = std::make_unique<VerifyWorkspace<Set, Backend>>();
        return lift(verify<Set, Backend>(public_, test_message, {},
                                         std::span(signature).template first<Set::signature_size>(),
                                         *workspace),
                    "the new ML-DSA key's first signature");
    }

private:
    LoadedPrivateKey<Set, Backend> private_;
    std::array<std::uint8_t, Set::public_key_size> public_{};
};

}  // namespace

Result<std::unique_ptr<Key>> load_lattice_key(Algorithm algorithm, Bytes material) {
    return with_widest_vectors([&]<class Backend>() -> Result<std::unique_ptr<Key>> {
        if (algorithm == Algorithm::ml_dsa_44) return LatticeKey<Set44, Backend>::load(material);
        if (algorithm == Algorithm::ml_dsa_65) return LatticeKey<Set65, Backend>::load(material);
        return LatticeKey<Set87, Backend>::load(material);
    });
}

}  // namespace quoin::secure_element
