#include <algorithm>
#include <array>

#include "core/crypto/ml_kem/ml_kem.hpp"
#include "secure_element/backend.hpp"
#include "secure_element/key.hpp"

namespace quoin::secure_element {
namespace {

using namespace core::ml_kem;

struct DecapsulationKeyTag;

template <class Set, class Backend>
class KemKey final : public Key {
public:
    explicit KemKey(Bytes seed) {
        const auto halves = seed.first<seed_size>();
        const auto workspace = std::make_unique<Workspace<Set, Backend>>();
        generate<Set, Backend>(public_, private_.expose_to_fill(), halves.template first<32>(),
                               halves.template last<32>(), *workspace);
    }

    Bytes public_key() const override { return public_; }
    Result<SharedSecret> decapsulate(Bytes ciphertext) const override {
        if (ciphertext.size() != Set::ciphertext_size) {
            return fail(Code::input_invalid, "a ciphertext for this key has {} bytes, this one {}",
                        Set::ciphertext_size, ciphertext.size());
        }
        SharedSecret shared;
        // NOLINTNEXTLINE(*-member-init): kilobytes that the operation writes before it reads
        Workspace<Set, Backend> workspace;
        core::ml_kem::decapsulate<Set, Backend>(
            shared.expose_to_fill(), DecapsulationKey<Set>::danger_unchecked(private_.expose()),
            ciphertext.first<Set::ciphertext_size>(), workspace);
        return shared;
    }
    Result<void> check_pair() const override {
        std::array<std::uint8_t, 32> random{};
        std::array<std::uint8_t, Set::ciphertext_size> ciphertext{};
        SharedSecret theirs;
        QUOIN_CHECK(private_random(random));
        QUOIN_TRY(const auto peer,
                  lift(EncapsulationKey<Set>::template check<Backend>(public_), "the new key"));
        // NOLINTNEXTLINE(*-member-init): kilobytes that the operation writes before it reads
        Workspace<Set, Backend> workspace;
        encapsulate<Set, Backend>(theirs.expose_to_fill(), ciphertext, peer, random, workspace);
        core::ct::wipe(random);
        QUOIN_TRY(const SharedSecret ours, decapsulate(ciphertext));
        if (core::ct::equal(ours.expose(), theirs.expose())) return {};
        return fail(Code::internal, "the new ML-KEM key's halves do not belong together");
    }

private:
    core::Secret<DecapsulationKeyTag, Set::decapsulation_key_size> private_;
    std::array<std::uint8_t, Set::encapsulation_key_size> public_{};
};

}  // namespace

std::unique_ptr<Key> load_kem_key(Algorithm algorithm, Bytes material) {
    return with_widest_vectors([&]<class Backend>() -> std::unique_ptr<Key> {
        if (algorithm == Algorithm::ml_kem_512) {
            return std::make_unique<KemKey<Set512, Backend>>(material);
        }
        if (algorithm == Algorithm::ml_kem_768) {
            return std::make_unique<KemKey<Set768, Backend>>(material);
        }
        return std::make_unique<KemKey<Set1024, Backend>>(material);
    });
}

}  // namespace quoin::secure_element
