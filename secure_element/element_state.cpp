// Commands on the state: hello, counters, attest, zeroize.
#include "secure_element/entry.hpp"

namespace quoin::secure_element {

using namespace keys::se;

Element::Answer<Hello> Element::handle(Session& session, const Hello& message, Scratch&) {
    const std::string_view label = text_of(message.label.bytes);
    if (!is_name(label)) {
        return fail(Code::input_invalid,
                    "a label is a word of 1 to 64 characters: A-Z a-z 0-9 _ . -");
    }
    session.label = label;
    session.greeted = true;
    return Hello::Reply{instance_, {bytes_of(options_.version)}};
}

Element::Answer<CreateCounter> Element::handle(Session& session, const CreateCounter& message,
                                               Scratch&) {
    const std::scoped_lock lock(change_);
    QUOIN_CHECK(check_alive());
    if (counter(message.name.text) != nullptr) {
        return fail(Code::input_conflict, "there is a counter \"{}\" already", message.name.text);
    }
    auto& items = contents_.counters.items;
    const auto own = std::ranges::count(items, session.peer.uid, &StoredCounter::owner);
    if (items.size() >= max_counters || static_cast<std::size_t>(own) >= max_counters_of_one_uid) {
        return fail(Code::resource_full, "there are {} counters, {} of them of uid {}",
                    items.size(), own, session.peer.uid);
    }
    // The time, so that a counter of this name in a store made anew does not go back.
    const auto start = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const auto value = static_cast<std::uint64_t>(start.count());
    items.push_back({message.name, session.peer.uid, value});
    const auto saved = store_.save(contents_);
    if (!saved) {
        items.pop_back();
        return std::unexpected(saved.error());
    }
    audit(session, "counter_created", fmt::format("counter={}", message.name.text));
    return CounterValue{value};
}

Element::Answer<IncrementCounter> Element::handle(Session& session, const IncrementCounter& message,
                                                  Scratch&) {
    const std::scoped_lock lock(change_);
    StoredCounter* const found = counter(message.name.text);
    if (found == nullptr) {
        return fail(Code::input_not_found, "there is no counter \"{}\"", message.name.text);
    }
    if (found->owner != session.peer.uid) {
        return fail(Code::peer_forbidden, "counter \"{}\" is not uid {}'s", message.name.text,
                    session.peer.uid);
    }
    if (found->value == UINT64_MAX) {
        return fail(Code::resource_full, "counter \"{}\" is at its end", message.name.text);
    }
    ++found->value;
    const auto saved = store_.save(contents_);
    if (!saved) {
        --found->value;
        return std::unexpected(saved.error());
    }
    return CounterValue{found->value};
}

Element::Answer<ReadCounter> Element::handle(Session&, const ReadCounter& message, Scratch&) {
    const std::scoped_lock lock(change_);
    const StoredCounter* const found = counter(message.name.text);
    if (found != nullptr) return CounterValue{found->value};
    return fail(Code::input_not_found, "there is no counter \"{}\"", message.name.text);
}

ByteVector Element::statement(const Attest& message) {
    const auto owned = [](Bytes bytes) { return ByteVector(bytes.begin(), bytes.end()); };
    Statement statement{{owned(bytes_of(attestation_context))},
                        {owned(message.nonce.bytes)},
                        {owned(bytes_of(options_.version))},
                        instance_,
                        0,
                        {owned(message.key.bytes)},
                        {},
                        {}};
    const std::scoped_lock lock(change_);
    const std::shared_lock table(table_);
    statement.generation = contents_.generation;
    for (const auto& [name, entry] : entries_) {
        statement.keys.items.push_back(public_entry(*entry));
    }
    for (const StoredCounter& counter : contents_.counters.items) {
        statement.counters.items.push_back({counter.name, counter.owner, counter.value});
    }
    ByteVector encoded(codec::Field<Statement>::size(statement));
    core::Writer writer(encoded);
    // The limits of the statement are those of the store: it fits.
    static_cast<void>(codec::put(writer, statement));
    return encoded;
}

Element::Answer<Attest> Element::handle(Session& session, const Attest& message, Scratch& scratch) {
    if (message.nonce.bytes.empty()) {
        return fail(Code::input_invalid, "a nonce has 1 to {} bytes, this one none",
                    max_nonce_size);
    }
    const std::string name(text_of(message.key.bytes));
    if (!name.empty() && !is_name(name)) return fail(Code::input_invalid, "this is no key's name");
    std::shared_ptr<Key> own;
    Algorithm algorithm = Algorithm::ml_dsa_65;
    if (name.empty()) {
        const std::shared_lock table(table_);
        own = attestation_;
        if (own == nullptr) return fail(Code::state_wrong, "this quoin-se was zeroized");
    } else {
        QUOIN_TRY(scratch.entry, use(session, name, may_attest));
        QUOIN_CHECK(count_use(*scratch.entry));
        algorithm = scratch.entry->algorithm;
    }
    const Key& key = own ? *own : *scratch.entry->key;
    const Bytes context = algorithm == Algorithm::ed25519 ? Bytes() : bytes_of(attestation_context);
    scratch.output.assign(statement(message));
    QUOIN_TRY(ByteVector signature, key.sign(scratch.output.bytes(), context));
    const Bytes public_key = key.public_key();
    ByteVector both = std::move(signature);
    const std::size_t signature_size = both.size();
    both.insert(both.end(), public_key.begin(), public_key.end());
    scratch.second.assign(std::move(both));
    const Bytes second = scratch.second.bytes();
    return Attest::Reply{algorithm,
                         {second.subspan(signature_size)},
                         {scratch.output.bytes()},
                         {second.first(signature_size)}};
}

Element::Answer<Zeroize> Element::handle(Session& session, const Zeroize&, Scratch&) {
    if (!is_administrator(session)) {
        return fail(Code::peer_forbidden, "uid {} is no administrator of this quoin-se",
                    session.peer.uid);
    }
    const std::scoped_lock lock(change_);
    const std::unique_lock table(table_);
    if (zeroized_ && shredded_) {
        return fail(Code::state_wrong, "this quoin-se was zeroized: it holds nothing any more");
    }
    audit(session, "zeroized", fmt::format("keys={}", entries_.size()));
    // In memory first: nothing may bring the keys back, not even a disk that fails.
    contents_.keys.items.clear();
    contents_.counters.items.clear();
    contents_.attestation = SecretBytes();
    contents_.zeroized = 1;
    entries_.clear();
    attestation_.reset();
    zeroized_ = true;
    session.held.clear();
    QUOIN_CHECK(store_.save_and_shred(contents_));
    shredded_ = true;
    return Nothing{};
}

}  // namespace quoin::secure_element
