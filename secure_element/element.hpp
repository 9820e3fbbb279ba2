// The secure element: keys, policies, counters, and every command of the protocol. No sockets.
//
// A command that fails changes nothing. What must last is durable before it is answered; when the
// disk fails, what the store holds is as before.
// Threads: answer() may run for many sessions at once; one session, one call at a time.
#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <shared_mutex>

#include "host/keys/se/attestation.hpp"
#include "host/keys/se/framing.hpp"
#include "secure_element/pool.hpp"
#include "secure_element/session.hpp"
#include "secure_element/store.hpp"

namespace quoin::secure_element {

inline constexpr std::size_t max_keys_of_one_uid = 128;
inline constexpr std::size_t max_counters_of_one_uid = 32;

struct ElementOptions {
    std::set<uid_t> administrators;  // may remove any key, and zeroize
    std::string version;
    std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

class Element {
public:
    // Loads every key; makes the attestation key of a new store, and writes it.
    static Result<std::unique_ptr<Element>> open(Store::Opened opened, ElementOptions options);

    // The reply to a request, or the refusal of what is none.
    ByteVector answer(Session& session, Bytes frame);

    Pool& pool() { return pool_; }
    std::size_t key_count() const;
    bool zeroized() const;
    Result<void> check_alive() const;  // state_wrong once it was zeroized

private:
    struct Entry;
    struct Scratch;

    Element(Store store, Contents contents, ElementOptions options)
        : options_(std::move(options)), store_(std::move(store)), contents_(std::move(contents)) {}
    Result<void> load();

    template <class Message>
    Result<ByteVector> dispatch(Session& session, std::uint32_t id, const Message& message);

    template <class Message>
    using Answer = Result<typename Message::Reply>;
    Answer<keys::se::Hello> handle(Session&, const keys::se::Hello&, Scratch&);
    Answer<keys::se::Generate> handle(Session&, const keys::se::Generate&, Scratch&);
    Answer<keys::se::Describe> handle(Session&, const keys::se::Describe&, Scratch&);
    Answer<keys::se::List> handle(Session&, const keys::se::List&, Scratch&);
    Answer<keys::se::Remove> handle(Session&, const keys::se::Remove&, Scratch&);
    Answer<keys::se::Sign> handle(Session&, const keys::se::Sign&, Scratch&);
    Answer<keys::se::Decapsulate> handle(Session&, const keys::se::Decapsulate&, Scratch&);
    Answer<keys::se::Agree> handle(Session&, const keys::se::Agree&, Scratch&);
    Answer<keys::se::TakeEphemeral> handle(Session&, const keys::se::TakeEphemeral&, Scratch&);
    Answer<keys::se::DeriveSession> handle(Session&, const keys::se::DeriveSession&, Scratch&);
    Answer<keys::se::Seal> handle(Session&, const keys::se::Seal&, Scratch&);
    Answer<keys::se::Open> handle(Session&, const keys::se::Open&, Scratch&);
    Answer<keys::se::Drop> handle(Session&, const keys::se::Drop&, Scratch&);
    Answer<keys::se::CreateCounter> handle(Session&, const keys::se::CreateCounter&, Scratch&);
    Answer<keys::se::IncrementCounter> handle(Session&, const keys::se::IncrementCounter&,
                                              Scratch&);
    Answer<keys::se::ReadCounter> handle(Session&, const keys::se::ReadCounter&, Scratch&);
    Answer<keys::se::Attest> handle(Session&, const keys::se::Attest&, Scratch&);
    Answer<keys::se::Zeroize> handle(Session&, const keys::se::Zeroize&, Scratch&);

    using EntryPointer = std::shared_ptr<Entry>;
    Result<EntryPointer> make_entry(const StoredKey& stored) const;
    Result<EntryPointer> find(const std::string& name) const;
    // May this session use the key so? When and how often, says count_use(): last, so that what is
    // refused for another reason is not counted.
    Result<EntryPointer> use(const Session& session, const std::string& name,
                             keys::se::Operation operation) const;
    Result<void> count_use(Entry& entry);
    // Decapsulates or agrees, as the key's algorithm has it; an ephemeral key is gone then.
    Result<SharedSecret> exchange(Session& session, const keys::se::Target& target, Bytes input,
                                  keys::se::Operation operation);
    Result<Sealer*> sealer_of(Session& session, const keys::se::Target& target, EntryPointer& keep);
    Result<std::uint64_t> hold(Session& session, Held held);
    StoredKey* stored(const std::string& name);
    StoredCounter* counter(const std::string& name);
    keys::se::KeyEntry public_entry(const Entry& entry);  // change_ is held
    bool may_see(const Session& session, const Entry& entry) const;
    bool is_administrator(const Session& session) const;
    Result<void> check_new_key(const Session& session, const keys::se::Generate& message) const;
    ByteVector statement(const keys::se::Attest& message);  // encoded

    ElementOptions options_;
    std::array<std::uint8_t, 16> instance_{};
    Pool pool_;

    std::mutex change_;  // store_ and contents_
    Store store_;
    Contents contents_;

    mutable std::shared_mutex table_;  // entries_, attestation_, zeroized_; after change_
    std::map<std::string, EntryPointer> entries_;
    std::shared_ptr<Key> attestation_;
    bool zeroized_ = false;
    bool shredded_ = false;  // on the disk, too; after change_
};

}  // namespace quoin::secure_element
