#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <memory_store.hpp>

#include "host/crypto/crypto.hpp"

namespace example {

using quoin::Bytes;
using quoin::Code;
using quoin::fail;
using quoin::Result;
using quoin::keys::ByteVector;

class Memory {
public:
    struct Key {
        quoin::keys::KeyInfo info;
        quoin::crypto::PrivateKey secret;
    };
    using Keys = std::map<std::string, Key, std::less<>>;

    std::mutex mutex;
    std::optional<Keys> keys;  // none: there is no store
    unsigned generation = 0;   // of stores; an object of an earlier one is of no use
};

namespace {

constexpr const char* algorithm_name = "Ed25519";

class MemoryStore final : public quoin::keys::SecurityProvider {
public:
    explicit MemoryStore(std::shared_ptr<Memory> memory)
        : memory_(std::move(memory)), generation_(memory_->generation) {}

    quoin::keys::Description describe() const override {
        return {.kind = "memory",
                .location = "this process",
                .product = "example",
                .residence = quoin::keys::Residence::best_effort,
                .algorithms = {algorithm_name},
                .sealed_by = "nothing: it is never at rest"};
    }

    Result<void> generate(std::string_view name, std::string_view algorithm,
                          const quoin::keys::UsePolicy& policy) override {
        QUOIN_CHECK(quoin::keys::check_name(name));
        if (algorithm != algorithm_name) return unsupported("make keys of that algorithm");
        if (policy != quoin::keys::UsePolicy()) return unsupported("keep to a policy");
        const std::scoped_lock lock(memory_->mutex);
        QUOIN_TRY(Memory::Keys* const keys, alive());
        if (keys->contains(name)) return fail(Code::input_conflict, "there is a key {}", name);
        QUOIN_TRY(auto secret,
                  quoin::crypto::PrivateKey::generate(quoin::crypto::Algorithm::ed25519));
        const std::string text(name);
        keys->emplace(text, Memory::Key{{text, algorithm_name, policy}, std::move(secret)});
        return {};
    }

    Result<std::vector<quoin::keys::KeyInfo>> list() override {
        const std::scoped_lock lock(memory_->mutex);
        QUOIN_TRY(const Memory::Keys* const keys, alive());
        std::vector<quoin::keys::KeyInfo> all;
        for (const auto& [name, key] : *keys) all.push_back(key.info);
        return all;
    }

    Result<ByteVector> public_key(std::string_view name) override {
        QUOIN_TRY(const auto secret, find(name));
        QUOIN_TRY(const auto key, secret.public_key());
        return key.spki_der();
    }

    Result<void> remove(std::string_view name) override {
        QUOIN_CHECK(find(name));
        const std::scoped_lock lock(memory_->mutex);
        QUOIN_TRY(Memory::Keys* const keys, alive());
        keys->erase(std::string(name));
        return {};
    }

    Result<void> zeroize() override {
        const std::scoped_lock lock(memory_->mutex);
        QUOIN_CHECK(alive());
        memory_->keys.reset();  // OpenSSL wipes a key when it frees it
        return {};
    }

    Result<ByteVector> sign(std::string_view name, Bytes message, Bytes context) override {
        if (message.size() > quoin::keys::max_message_size) {
            return fail(Code::input_invalid, "{} bytes are too many to sign", message.size());
        }
        QUOIN_TRY(const auto secret, find(name));
        return secret.sign(message, context);
    }

private:
    Result<Memory::Keys*> alive() const {
        if (memory_->keys && memory_->generation == generation_) return &*memory_->keys;
        return fail(Code::state_wrong, "the store was zeroized");
    }
    Result<quoin::crypto::PrivateKey> find(std::string_view name) const {
        QUOIN_CHECK(quoin::keys::check_name(name));
        const std::scoped_lock lock(memory_->mutex);
        QUOIN_TRY(const Memory::Keys* const keys, alive());
        const auto found = keys->find(name);
        if (found == keys->end()) return fail(Code::input_not_found, "there is no key {}", name);
        return found->second.secret;
    }

    std::shared_ptr<Memory> memory_;
    unsigned generation_;
};

}  // namespace

std::shared_ptr<Memory> make_memory() { return std::make_shared<Memory>(); }

Result<std::unique_ptr<quoin::keys::SecurityProvider>> create(std::shared_ptr<Memory> memory) {
    {
        const std::scoped_lock lock(memory->mutex);
        if (memory->keys) return fail(Code::input_conflict, "there is a store already");
        memory->keys.emplace();
        ++memory->generation;
    }
    return open(std::move(memory));
}

Result<std::unique_ptr<quoin::keys::SecurityProvider>> open(std::shared_ptr<Memory> memory) {
    if (!memory->keys) return fail(Code::input_not_found, "there is no store, or it was zeroized");
    return std::make_unique<MemoryStore>(std::move(memory));
}

}  // namespace example
