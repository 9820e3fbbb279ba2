// Commands on keys as such: generate, describe, list, remove.
#include "core/crypto/sha2/sha2.hpp"
#include "host/crypto/approved.hpp"
#include "host/crypto/crypto.hpp"
#include "secure_element/entry.hpp"

namespace quoin::secure_element {

using namespace keys::se;

namespace {

unsigned operations_of(Algorithm algorithm) {
    switch (info(algorithm).kind) {
        case Kind::signature:
            return may_sign | may_attest;
        case Kind::kem:
            return may_decapsulate | may_derive;
        case Kind::agreement:
            return may_agree | may_derive;
        case Kind::cipher:
            return may_seal;
    }
    return 0;
}

Result<void> check_platform(const Policy& policy) {
    const auto refuse = [](std::string_view why) {
        return fail(Code::input_invalid, "the platform of the new key: {}", why);
    };
    if (policy.platform == Platform{}) return {};
    const auto& pcrs = policy.platform.pcrs.items;
    const auto key = crypto::PublicKey::from_spki_der(policy.platform.quote_key.bytes);
    const auto algorithm = key ? key->algorithm() : std::unexpected(key.error());
    if (!algorithm || *algorithm != crypto::Algorithm::ecdsa_p256) {
        return refuse("a TPM quotes with an ECDSA P-256 key, and this is none");
    }
    if (pcrs.empty() || pcrs.back() >= max_pcrs ||
        !std::ranges::is_sorted(pcrs, std::ranges::less_equal())) {
        return refuse("names PCRs 0 to 23, rising, at least one");
    }
    if (policy.operations != may_sign) return refuse("is for keys that sign");
    return {};
}

Result<void> check_policy(Algorithm algorithm, const Policy& policy) {
    const auto refuse = [](std::string_view why) {
        return fail(Code::input_invalid, "the policy of the new key: {}", why);
    };
    const unsigned operations = policy.operations;
    if (operations == 0 || (operations & ~operations_of(algorithm)) != 0) {
        return refuse("allows nothing, or what its algorithm cannot do");
    }
    if ((operations & may_attest) != 0 && operations != may_attest) {
        return refuse("a key that attests signs nothing else");
    }
    if (policy.context_fixed > 1 || (policy.context_fixed == 0 && !policy.context.bytes.empty())) {
        return refuse("context_fixed is 0 or 1, and without it there is no context");
    }
    if (!policy.prefix.bytes.empty() && operations != may_sign) {
        return refuse("a prefix is for keys that sign");
    }
    if (algorithm == Algorithm::ed25519 && !policy.context.bytes.empty()) {
        return refuse("Ed25519 has no context");
    }
    return check_platform(policy);
}

}  // namespace

// change_ and table_ are not held: what it says may be old when the key is made.
Result<void> Element::check_new_key(const Session& session, const Generate& message) const {
    const std::shared_lock lock(table_);
    if (entries_.contains(message.name.text)) {
        return fail(Code::input_conflict, "there is a key \"{}\" already; it stays as it is",
                    message.name.text);
    }
    const auto own = std::ranges::count_if(
        entries_, [&](const auto& entry) { return entry.second->owner == session.peer.uid; });
    if (entries_.size() >= max_keys || static_cast<std::size_t>(own) >= max_keys_of_one_uid) {
        return fail(Code::resource_full, "there are {} keys, {} of them of uid {}; remove some",
                    entries_.size(), own, session.peer.uid);
    }
    return {};
}

Element::Answer<Generate> Element::handle(Session& session, const Generate& message,
                                          Scratch& scratch) {
    QUOIN_CHECK(crypto::check_approved(info(message.algorithm).name));
    QUOIN_CHECK(check_policy(message.algorithm, message.policy));
    QUOIN_CHECK(check_new_key(session, message));
    StoredKey key{message.name, message.algorithm, session.peer.uid, message.policy, 0, {}};
    QUOIN_TRY(key.material, make_material(message.algorithm));
    QUOIN_TRY(EntryPointer entry, make_entry(key));
    if (entry->key) QUOIN_CHECK(check_new_pair(*entry->key, message.algorithm));
    {
        const std::scoped_lock lock(change_);
        QUOIN_CHECK(check_alive());  // making the key may have taken seconds
        QUOIN_CHECK(check_new_key(session, message));
        contents_.keys.items.push_back(std::move(key));
        const auto saved = store_.save(contents_);
        if (!saved) {
            contents_.keys.items.pop_back();
            return std::unexpected(saved.error());
        }
        const std::unique_lock table(table_);
        entries_.emplace(message.name.text, entry);
    }
    audit(session, "key_generated",
          fmt::format("key={} algorithm={}", entry->name, info(entry->algorithm).name));
    scratch.entry = std::move(entry);
    return Generate::Reply{{scratch.entry->key ? scratch.entry->key->public_key() : Bytes()}};
}

Element::Answer<Describe> Element::handle(Session& session, const Describe& message,
                                          Scratch& scratch) {
    QUOIN_TRY(scratch.entry, find(message.name.text));
    if (!may_see(session, *scratch.entry)) {
        return fail(Code::peer_forbidden, "key \"{}\" is not for uid {}", message.name.text,
                    session.peer.uid);
    }
    const std::scoped_lock lock(change_);
    return Describe::Reply{public_entry(*scratch.entry),
                           {scratch.entry->key ? scratch.entry->key->public_key() : Bytes()}};
}

Element::Answer<List> Element::handle(Session& session, const List&, Scratch&) {
    List::Reply reply;
    const std::scoped_lock lock(change_);
    const std::shared_lock table(table_);
    for (const auto& [name, entry] : entries_) {
        if (may_see(session, *entry)) reply.keys.items.push_back(public_entry(*entry));
    }
    return reply;
}

Element::Answer<Remove> Element::handle(Session& session, const Remove& message, Scratch&) {
    QUOIN_TRY(const EntryPointer entry, find(message.name.text));
    if (session.peer.uid != entry->owner && !is_administrator(session)) {
        return fail(Code::peer_forbidden, "key \"{}\" is not uid {}'s to remove", entry->name,
                    session.peer.uid);
    }
    const std::scoped_lock lock(change_);
    auto& items = contents_.keys.items;
    const auto found =
        std::ranges::find(items, entry->name, [](const StoredKey& key) { return key.name.text; });
    if (found == items.end()) {
        return fail(Code::input_not_found, "there is no key \"{}\"", entry->name);
    }
    const auto at = found - items.begin();
    StoredKey removed = std::move(*found);
    items.erase(found);
    const auto saved = store_.save(contents_);
    if (!saved) {
        items.insert(items.begin() + at, std::move(removed));
        return std::unexpected(saved.error());
    }
    const std::unique_lock table(table_);
    entries_.erase(entry->name);
    audit(session, "key_removed", fmt::format("key={}", entry->name));
    return Nothing{};
}

}  // namespace quoin::secure_element
