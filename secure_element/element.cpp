#include "secure_element/element.hpp"

#include <spdlog/spdlog.h>

#include "core/crypto/sha2/sha2.hpp"
#include "secure_element/entry.hpp"

namespace quoin::secure_element {

using namespace keys::se;

void audit(const Session& session, std::string_view event, std::string_view what) {
    spdlog::info("{} uid={} pid={} label={} {}", event, session.peer.uid, session.peer.pid,
                 session.label, what);
}

namespace {

// So that a client in a loop cannot fill the log.
class RefusalLog {
public:
    void write(const Session& session, const Error& error) {
        const auto now = std::chrono::steady_clock::now();
        const std::scoped_lock lock(mutex_);
        if (now - since_ > std::chrono::seconds(1)) {
            if (left_out_ > 0) spdlog::warn("refusals left out of the log count={}", left_out_);
            since_ = now;
            written_ = left_out_ = 0;
        }
        if (++written_ > most_in_a_second) {
            ++left_out_;
            return;
        }
        spdlog::warn("refused uid={} pid={} label={} code={} reason=\"{}\"", session.peer.uid,
                     session.peer.pid, session.label, code_name(error.code), error.message);
    }

private:
    static constexpr int most_in_a_second = 20;
    std::mutex mutex_;
    std::chrono::steady_clock::time_point since_;
    int written_ = 0;
    int left_out_ = 0;
};
RefusalLog& refusals() {
    static RefusalLog log;
    return log;
}

std::string_view why_unreadable(Code code) {
    if (code == Code::input_unsupported) return "this quoin-se speaks version 1 of the protocol";
    return "this is no request, or it is over a limit; nothing was done";
}

}  // namespace

Result<std::unique_ptr<Element>> Element::open(Store::Opened opened, ElementOptions options) {
    std::unique_ptr<Element> element(
        new Element(std::move(opened.store), std::move(opened.contents), std::move(options)));
    QUOIN_CHECK(private_random(element->instance_));
    if (opened.is_new) {
        QUOIN_TRY(element->contents_.attestation, make_material(Algorithm::ml_dsa_65));
        QUOIN_TRY(const auto key,
                  load_key(Algorithm::ml_dsa_65, element->contents_.attestation.expose()));
        QUOIN_CHECK(check_new_pair(*key, Algorithm::ml_dsa_65));
        QUOIN_CHECK(element->store_.save(element->contents_));
    }
    QUOIN_CHECK(element->load());
    return element;
}

Result<void> Element::load() {
    zeroized_ = shredded_ = contents_.zeroized != 0;
    if (zeroized_) return {};
    QUOIN_TRY(attestation_, load_key(Algorithm::ml_dsa_65, contents_.attestation.expose()));
    for (const StoredKey& stored : contents_.keys.items) {
        QUOIN_TRY(EntryPointer entry, make_entry(stored));
        entries_.emplace(stored.name.text, std::move(entry));
    }
    return {};
}

Result<Element::EntryPointer> Element::make_entry(const StoredKey& stored) const {
    auto entry = std::make_shared<Entry>();
    entry->name = stored.name.text;
    entry->algorithm = stored.algorithm;
    entry->owner = stored.owner;
    entry->policy = stored.policy;
    entry->allowed = stored.policy.max_uses_per_minute;
    entry->refilled = options_.now();
    if (stored.algorithm == Algorithm::aes_256_gcm) {
        Root root;
        if (stored.material.size() != root.expose().size()) {
            return fail(Code::integrity_mismatch, "key {}: has the wrong size", entry->name);
        }
        std::ranges::copy(stored.material.expose(), root.expose_to_fill().begin());
        QUOIN_TRY(entry->sealer, Sealer::make(std::move(root), bytes_of("key"), false));
        return entry;
    }
    QUOIN_TRY(entry->key, load_key(stored.algorithm, stored.material.expose()));
    entry->digest = core::sha2::Sha256::of(entry->key->public_key());
    return entry;
}

ByteVector Element::answer(Session& session, Bytes frame) {
    const Incoming incoming = read_request(frame);
    const auto refuse = [&](const Error& error) {
        refusals().write(session, error);
        return write_refusal(incoming.id, error.code, error.message);
    };
    if (!incoming.request) {
        const Code code = incoming.request.error();
        return refuse({code, std::string(why_unreadable(code))});
    }
    auto reply =
        std::visit([&](const auto& message) { return dispatch(session, incoming.id, message); },
                   *incoming.request);
    return reply ? *std::move(reply) : refuse(reply.error());
}

template <class Message>
Result<ByteVector> Element::dispatch(Session& session, std::uint32_t id, const Message& message) {
    constexpr bool is_hello = std::is_same_v<Message, Hello>;
    if (session.greeted == is_hello) {
        return fail(
            Code::state_wrong, "{}",
            is_hello ? "hello was said already" : "the first command of a session is hello");
    }
    // Zeroize may be asked for again if the disk failed: it looks by itself.
    if constexpr (!is_hello && !std::is_same_v<Message, Zeroize>) {
        if (auto alive = check_alive(); !alive) {
            session.held.clear();
            return std::unexpected(std::move(alive).error());
        }
    }
    Scratch scratch;
    QUOIN_TRY(const auto reply, handle(session, message, scratch));
    return lift(write_reply(id, reply), "write the reply");
}

Result<void> Element::check_alive() const {
    if (!zeroized()) return {};
    return fail(Code::state_wrong, "this quoin-se was zeroized: it holds nothing any more");
}

bool Element::zeroized() const {
    const std::shared_lock lock(table_);
    return zeroized_;
}

std::size_t Element::key_count() const {
    const std::shared_lock lock(table_);
    return entries_.size();
}

bool Element::is_administrator(const Session& session) const {
    return options_.administrators.contains(session.peer.uid);
}

bool Element::may_see(const Session& session, const Entry& entry) const {
    return session.peer.uid == entry.owner || is_administrator(session) ||
           std::ranges::contains(entry.policy.uids.items, session.peer.uid);
}

Result<Element::EntryPointer> Element::find(const std::string& name) const {
    const std::shared_lock lock(table_);
    const auto found = entries_.find(name);
    if (found != entries_.end()) return found->second;
    return fail(Code::input_not_found, "there is no key \"{}\"", name);
}

StoredKey* Element::stored(const std::string& name) {
    const auto found = std::ranges::find(contents_.keys.items, name,
                                         [](const StoredKey& key) { return key.name.text; });
    return found == contents_.keys.items.end() ? nullptr : &*found;
}

StoredCounter* Element::counter(const std::string& name) {
    const auto found =
        std::ranges::find(contents_.counters.items, name,
                          [](const StoredCounter& counter) { return counter.name.text; });
    return found == contents_.counters.items.end() ? nullptr : &*found;
}

Result<Element::EntryPointer> Element::use(const Session& session, const std::string& name,
                                           Operation operation) const {
    QUOIN_TRY(EntryPointer entry, find(name));
    const bool is_user = session.peer.uid == entry->owner ||
                         std::ranges::contains(entry->policy.uids.items, session.peer.uid);
    if (!is_user) {
        return fail(Code::peer_forbidden, "key \"{}\" is not for uid {}", name, session.peer.uid);
    }
    if ((entry->policy.operations & operation) == 0) {
        return fail(Code::peer_forbidden, "key \"{}\" is not for this operation", name);
    }
    return entry;
}

Result<void> Element::count_use(Entry& entry) {
    if (entry.policy.max_uses_per_minute != 0) {
        const std::scoped_lock lock(entry.rate);
        const double most = entry.policy.max_uses_per_minute;
        const auto now = options_.now();
        const std::chrono::duration<double> passed = now - entry.refilled;
        entry.allowed = std::min(most, entry.allowed + passed.count() * most / 60);
        entry.refilled = now;
        if (entry.allowed < 1) {
            return fail(Code::peer_too_fast, "key \"{}\" may be used {} times a minute", entry.name,
                        entry.policy.max_uses_per_minute);
        }
        entry.allowed -= 1;
    }
    if (entry.policy.max_uses == 0) return {};
    const std::scoped_lock lock(change_);
    StoredKey* const key = stored(entry.name);
    QUOIN_TRY(const EntryPointer present, find(entry.name));
    // Another key may have its name by now.
    if (key == nullptr || present.get() != &entry) {
        return fail(Code::input_not_found, "there is no key \"{}\" any more", entry.name);
    }
    if (key->uses >= entry.policy.max_uses) {
        return fail(Code::peer_forbidden, "key \"{}\" was used {} times, as often as it may",
                    entry.name, key->uses);
    }
    ++key->uses;
    auto saved = store_.save(contents_);
    if (!saved) --key->uses;
    return saved;
}

KeyEntry Element::public_entry(const Entry& entry) {
    KeyEntry known{{entry.name}, entry.algorithm, entry.owner, entry.policy, 0, entry.digest};
    const StoredKey* const key = stored(entry.name);
    known.uses = key == nullptr ? 0 : key->uses;
    return known;
}

Result<std::uint64_t> Element::hold(Session& session, Held held) {
    if (session.held.size() >= max_handles) {
        return fail(Code::resource_full, "a session holds at most {} handles; drop some",
                    max_handles);
    }
    std::uint64_t handle = 0;
    do {
        QUOIN_CHECK(private_random({reinterpret_cast<std::uint8_t*>(&handle), sizeof handle}));
    } while (handle == 0 || session.held.contains(handle));
    session.held.emplace(handle, std::move(held));
    return handle;
}

}  // namespace quoin::secure_element
