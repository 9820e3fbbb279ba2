#include "secure_element/sealer.hpp"

#include "core/crypto/aes/aes_gcm.hpp"
#include "core/crypto/hmac/hkdf.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "secure_element/backend.hpp"
#include "secure_element/key.hpp"

namespace quoin::secure_element {
namespace {

namespace aes_gcm = core::aes_gcm;

constexpr std::string_view domain = "quoin-se-seal-v1";
constexpr std::size_t head_size = salt_size + 8;

std::array<std::uint8_t, aes_gcm::iv_size> iv_of(Bytes counter) {
    std::array<std::uint8_t, aes_gcm::iv_size> iv{};
    std::ranges::copy(counter, iv.begin() + 4);
    return iv;
}

}  // namespace

Result<std::unique_ptr<Sealer>> Sealer::make(Root root, Bytes info, bool refuses_own) {
    std::unique_ptr<Sealer> sealer(new Sealer(std::move(root), info, refuses_own));
    QUOIN_CHECK(private_random(sealer->salt_));
    sealer->message_key(sealer->salt_, sealer->own_key_);
    return sealer;
}

void Sealer::message_key(Bytes salt, MessageKey& key) const {
    ByteVector info(domain.size() + info_.size() + 1 + salt.size());
    auto at = std::ranges::copy(bytes_of(domain), info.begin()).out;
    at = std::ranges::copy(info_, at).out;
    *at++ = 0;
    std::ranges::copy(salt, at);
    core::hkdf::expand<core::sha2::Sha256>(root_.expose(), info, key.expose_to_fill());
}

Result<ByteVector> Sealer::seal(Bytes associated_data, Bytes plaintext) {
    ByteVector sealed(plaintext.size() + sealed_overhead);
    core::Writer writer(sealed);
    QUOIN_CHECK(lift(writer.put(salt_), "seal"));
    QUOIN_CHECK(lift(writer.put_unsigned<8>(counter_.fetch_add(1)), "seal"));
    const auto iv = iv_of(writer.written().last(8));
    const std::span whole(sealed);
    const auto done = with_best_aes([&]<class Backend>() {
        const aes_gcm::Key<aes_gcm::Set256, Backend> key(own_key_.expose());
        return key.seal(iv, associated_data, plaintext, whole.subspan(head_size, plaintext.size()),
                        whole.last<aes_gcm::tag_size>());
    });
    QUOIN_CHECK(lift(done, "seal"));
    return sealed;
}

Result<ByteVector> Sealer::open(Bytes associated_data, Bytes sealed) const {
    const auto not_sealed = [] {
        return fail(Code::integrity_mismatch,
                    "was not sealed with this key and associated data, or was changed");
    };
    if (sealed.size() < sealed_overhead) return not_sealed();
    const Bytes salt = sealed.first(salt_size);
    if (refuses_own_ && std::ranges::equal(salt, salt_)) {
        return fail(Code::peer_replayed, "was sealed by this session itself, not by its peer");
    }
    MessageKey message;
    message_key(salt, message);
    const Bytes ciphertext = sealed.subspan(head_size, sealed.size() - sealed_overhead);
    ByteVector plaintext(ciphertext.size());
    const auto iv = iv_of(sealed.subspan(salt_size, 8));
    const auto done = with_best_aes([&]<class Backend>() {
        const aes_gcm::Key<aes_gcm::Set256, Backend> key(message.expose());
        return key.open(iv, associated_data, ciphertext, sealed.last<aes_gcm::tag_size>(),
                        plaintext);
    });
    if (!done) return not_sealed();
    return plaintext;
}

}  // namespace quoin::secure_element
