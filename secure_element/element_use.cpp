// Commands that use keys: sign, decapsulate, agree, ephemeral keys, sessions, seal and open.
#include "core/crypto/hmac/hkdf.hpp"
#include "core/crypto/sha2/sha2.hpp"
#include "host/keys/tpm/quote.hpp"
#include "secure_element/entry.hpp"

namespace quoin::secure_element {

using namespace keys::se;

namespace {

static_assert(max_quote_statement_size == keys::tpm::max_quote_statement &&
              max_quote_signature_size == keys::tpm::max_quote_signature);

bool begins_with(Bytes message, Bytes prefix) {
    return message.size() >= prefix.size() &&
           std::ranges::equal(message.first(prefix.size()), prefix);
}

// The TPM of the key's platform says, for this message, that it is in the state of the policy.
Result<void> check_platform(const Platform& platform, const Sign& message) {
    if (platform.quote_key.bytes.empty()) return {};
    QUOIN_TRY(const auto state,
              keys::tpm::verify_quote_for(message.message.bytes, message.quote.statement.bytes,
                                          message.quote.signature.bytes, platform.quote_key.bytes));
    return keys::tpm::check_state(state, {platform.pcrs.items, platform.pcr_digest});
}

}  // namespace

Element::Answer<Sign> Element::handle(Session& session, const Sign& message, Scratch& scratch) {
    QUOIN_TRY(const EntryPointer entry, use(session, message.key.text, may_sign));
    const Policy& policy = entry->policy;
    if (!begins_with(message.message.bytes, policy.prefix.bytes)) {
        return fail(Code::peer_forbidden, "key \"{}\" signs only what begins with its prefix",
                    entry->name);
    }
    if (policy.context_fixed != 0 &&
        !std::ranges::equal(message.context.bytes, policy.context.bytes)) {
        return fail(Code::peer_forbidden, "key \"{}\" signs only with its own context",
                    entry->name);
    }
    if (entry->algorithm == Algorithm::ed25519 && !message.context.bytes.empty()) {
        return fail(Code::input_invalid, "Ed25519 has no context; leave it empty");
    }
    if (const auto bound = check_platform(policy.platform, message); !bound) {
        return fail(bound.error().code, "key \"{}\" is bound to its platform: {}", entry->name,
                    bound.error().message);
    }
    QUOIN_CHECK(count_use(*entry));
    QUOIN_TRY(ByteVector signature, entry->key->sign(message.message.bytes, message.context.bytes));
    scratch.output.assign(std::move(signature));
    return Sign::Reply{{scratch.output.bytes()}};
}

namespace {

Result<void> check_input(Algorithm algorithm, Bytes input) {
    const AlgorithmInfo& known = info(algorithm);
    const std::size_t size = known.kind == Kind::kem ? known.output_size : known.public_key_size;
    if (known.kind != Kind::kem && known.kind != Kind::agreement) {
        return fail(Code::input_unsupported, "{} makes no shared secrets", known.name);
    }
    if (input.size() == size) return {};
    return fail(Code::input_invalid, "{} takes {} bytes here, not {}", known.name, size,
                input.size());
}

Result<SharedSecret> secret_of(const Key& key, Algorithm algorithm, Bytes input) {
    return info(algorithm).kind == Kind::kem ? key.decapsulate(input) : key.agree(input);
}

// decapsulate is for ML-KEM, agree for X25519, derive for both.
bool fits(Algorithm algorithm, Operation operation) {
    if (operation == may_derive) return true;
    return (info(algorithm).kind == Kind::kem) == (operation == may_decapsulate);
}

}  // namespace

Result<SharedSecret> Element::exchange(Session& session, const Target& target, Bytes input,
                                       Operation operation) {
    const auto unfit = [](Algorithm algorithm) {
        return fail(Code::input_unsupported, "{} does not do this", info(algorithm).name);
    };
    if (!target.name.empty()) {
        QUOIN_TRY(const EntryPointer entry, use(session, target.name, operation));
        if (!fits(entry->algorithm, operation)) return unfit(entry->algorithm);
        QUOIN_CHECK(check_input(entry->algorithm, input));
        QUOIN_CHECK(count_use(*entry));
        return secret_of(*entry->key, entry->algorithm, input);
    }
    const auto found = session.held.find(target.handle);
    const auto* const ephemeral =
        found == session.held.end() ? nullptr : std::get_if<Ephemeral>(&found->second);
    if (ephemeral == nullptr) {
        return fail(Code::input_not_found, "this session has no such ephemeral key");
    }
    if (!fits(ephemeral->algorithm, operation)) return unfit(ephemeral->algorithm);
    QUOIN_CHECK(check_input(ephemeral->algorithm, input));
    auto secret = secret_of(*ephemeral->key, ephemeral->algorithm, input);
    session.held.erase(found);
    return secret;
}

Element::Answer<Decapsulate> Element::handle(Session& session, const Decapsulate& message,
                                             Scratch&) {
    Decapsulate::Reply reply;
    QUOIN_TRY(reply.secret,
              exchange(session, message.key, message.ciphertext.bytes, may_decapsulate));
    return reply;
}

Element::Answer<Agree> Element::handle(Session& session, const Agree& message, Scratch&) {
    Agree::Reply reply;
    QUOIN_TRY(reply.secret, exchange(session, message.key, message.peer, may_agree));
    return reply;
}

Element::Answer<TakeEphemeral> Element::handle(Session& session, const TakeEphemeral& message,
                                               Scratch& scratch) {
    QUOIN_TRY(std::unique_ptr<Key> key, pool_.take(message.algorithm));
    const Bytes public_key = key->public_key();
    scratch.output.assign({public_key.begin(), public_key.end()});
    QUOIN_TRY(const std::uint64_t handle,
              hold(session, Ephemeral{message.algorithm, std::move(key)}));
    return TakeEphemeral::Reply{handle, {scratch.output.bytes()}};
}

Element::Answer<DeriveSession> Element::handle(Session& session, const DeriveSession& message,
                                               Scratch&) {
    QUOIN_TRY(const SharedSecret secret,
              exchange(session, message.key, message.input.bytes, may_derive));
    Root root;
    core::hkdf::extract<core::sha2::Sha256>(bytes_of("quoin-se-session-v1"), secret.expose(),
                                            root.expose_to_fill());
    QUOIN_TRY(std::unique_ptr<Sealer> sealer,
              Sealer::make(std::move(root), message.info.bytes, true));
    QUOIN_TRY(const std::uint64_t handle, hold(session, std::move(sealer)));
    return Handle{handle};
}

Result<Sealer*> Element::sealer_of(Session& session, const Target& target, EntryPointer& keep) {
    if (!target.name.empty()) {
        QUOIN_TRY(keep, use(session, target.name, may_seal));
        QUOIN_CHECK(count_use(*keep));
        return keep->sealer.get();
    }
    const auto found = session.held.find(target.handle);
    auto* const sealer = found == session.held.end()
                             ? nullptr
                             : std::get_if<std::unique_ptr<Sealer>>(&found->second);
    if (sealer == nullptr) return fail(Code::input_not_found, "this session has no such handle");
    return sealer->get();
}

Element::Answer<Seal> Element::handle(Session& session, const Seal& message, Scratch& scratch) {
    QUOIN_TRY(Sealer* const sealer, sealer_of(session, message.key, scratch.entry));
    QUOIN_TRY(ByteVector sealed,
              sealer->seal(message.associated_data.bytes, message.plaintext.bytes));
    scratch.output.assign(std::move(sealed));
    return Seal::Reply{{scratch.output.bytes()}};
}

Element::Answer<Open> Element::handle(Session& session, const Open& message, Scratch& scratch) {
    QUOIN_TRY(const Sealer* const sealer, sealer_of(session, message.key, scratch.entry));
    QUOIN_TRY(ByteVector plaintext,
              sealer->open(message.associated_data.bytes, message.sealed.bytes));
    scratch.output.assign(std::move(plaintext));
    return Open::Reply{{scratch.output.bytes()}};
}

Element::Answer<Drop> Element::handle(Session& session, const Drop& message, Scratch&) {
    if (session.held.erase(message.handle) == 1) return Nothing{};
    return fail(Code::input_not_found, "this session has no such handle");
}

}  // namespace quoin::secure_element
