#include "host/lms/engine.hpp"

#include "core/crypto/lms/signer.hpp"
#include "core/crypto/lms/verify.hpp"
#include "host/crypto/backends.hpp"

namespace quoin::lms {
namespace {

namespace lms = core::lms;

template <class Family, class Backend>
class EngineOf final : public Engine {
public:
    EngineOf(const lms::Parameters& parameters, Bytes identifier, Bytes seed)
        : key_(parameters, identifier.first<lms::identifier_size>(), seed.first<Family::n>()),
          storage_(lms::signer_storage_size<Family>(parameters)),
          signer_(key_, storage_) {}

    MutableBytes nodes() override { return top().nodes; }
    void fill_leaves(std::uint32_t first, std::uint32_t count) override {
        lms::fill_leaves<Family, Backend>(top(), first, count);
    }
    void finish_tree() override { lms::finish_tree<Family, Backend>(top()); }

    core::Result<void> open() override { return signer_.open(); }
    ByteVector public_key() override {
        ByteVector out(lms::public_key_size<Family>);
        lms::write_public_key(key_, top(),
                              std::span(out).template first<lms::public_key_size<Family>>());
        return out;
    }
    core::Result<ByteVector> sign(lms::OneTimeIndex index, Bytes message) override {
        ByteVector out(lms::signature_size<Family>(key_.parameters()));
        QUOIN_CHECK(signer_.sign(std::move(index), message, out));
        return out;
    }

private:
    lms::Tree<Family> top() { return lms::top_tree(key_, MutableBytes(storage_)); }

    lms::PrivateKey<Family> key_;
    ByteVector storage_;
    lms::Signer<Family, Backend> signer_;
};

template <class Family, class Backend>
class VerifierOf final : public MessageVerifier {
public:
    core::Result<void> start(Bytes public_key, Bytes signature) override {
        return verifier_.start(public_key, signature);
    }
    void update(Bytes message) override { verifier_.update(message); }
    core::Result<void> finish() override { return verifier_.finish(); }

private:
    lms::Verifier<Family, Backend> verifier_;
};

// make.operator()<Family, Backend>() with the family of `hash` and the best backend for it.
template <class Family, class Make>
auto with_backend(Make make) {
    const auto with = [&]<class Backend>() { return make.template operator()<Family, Backend>(); };
    if constexpr (Family::is_shake) {
        return crypto::with_best_vectors(with);
    } else {
        return crypto::with_best_sha256(with);
    }
}
template <class Make>
auto with_family_and_backend(Hash hash, Make make) {
    return with_family(hash, [&]<class Family>() { return with_backend<Family>(make); });
}

}  // namespace

Result<std::unique_ptr<Engine>> make_engine(const Shape& shape, Bytes identifier, Bytes seed) {
    QUOIN_CHECK(self_test());
    const auto parameters = lms::Parameters::make(shape.levels);
    if (!parameters) return fail(parameters.error(), "no such LMS parameters");
    if (identifier.size() != lms::identifier_size || seed.size() != digest_size(shape.hash)) {
        return fail(Code::input_invalid, "LMS seed or identifier of a wrong size");
    }
    return with_family_and_backend(
        shape.hash, [&]<class Family, class Backend>() -> std::unique_ptr<Engine> {
            return std::make_unique<EngineOf<Family, Backend>>(*parameters, identifier, seed);
        });
}

Result<std::unique_ptr<MessageVerifier>> make_verifier(Hash hash) {
    QUOIN_CHECK(self_test());
    return with_family_and_backend(
        hash, []<class Family, class Backend>() -> std::unique_ptr<MessageVerifier> {
            return std::make_unique<VerifierOf<Family, Backend>>();
        });
}

}  // namespace quoin::lms
