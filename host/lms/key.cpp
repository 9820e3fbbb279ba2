#include "host/lms/key.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include "host/counters/open_anchor.hpp"
#include "host/crypto/foreign_key.hpp"
#include "host/files/files.hpp"
#include "host/lms/engine.hpp"

namespace quoin::lms {
namespace {

namespace fs = std::filesystem;
using core::lms::identifier_size;

const std::string object_identifier = "1.2.840.113549.1.9.16.3.17";  // RFC 9802, section 3
constexpr std::size_t max_nodes_size = std::size_t{2} << 30U;        // height 25, n = 32
constexpr std::uint32_t leaves_at_once = 32;
constexpr std::string_view index_counter = "index";

// Bytes that are wiped when they go.
struct Wiped {
    ByteVector bytes;
    Wiped() = default;
    explicit Wiped(std::size_t size) : bytes(size) {}
    explicit Wiped(ByteVector&& taken) : bytes(std::move(taken)) {}
    Wiped(const Wiped&) = delete;
    Wiped& operator=(const Wiped&) = delete;
    Wiped(Wiped&&) = default;
    Wiped& operator=(Wiped&&) = delete;
    ~Wiped() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

// What private.key holds: u8(1), u8(hash), u8(levels), (u8 height, u8 width) of each, I, SEED.
struct Secret {
    Shape shape;
    ByteVector identifier;
    Wiped seed;
};

Wiped encode(const Secret& secret) {
    Wiped out;
    out.bytes.reserve(64 + 2 * core::lms::max_levels);  // no copies left behind by growing
    out.bytes = {1, static_cast<std::uint8_t>(secret.shape.hash),
                 static_cast<std::uint8_t>(secret.shape.levels.size())};
    for (const Level level : secret.shape.levels) {
        out.bytes.push_back(level.height);
        out.bytes.push_back(level.w);
    }
    out.bytes.insert(out.bytes.end(), secret.identifier.begin(), secret.identifier.end());
    out.bytes.insert(out.bytes.end(), secret.seed.bytes.begin(), secret.seed.bytes.end());
    return out;
}

core::Result<Secret> decode(Bytes bytes) {
    core::Reader reader(bytes);
    QUOIN_TRY(const std::uint64_t version, reader.take_unsigned<1>());
    QUOIN_TRY(const std::uint64_t hash, reader.take_unsigned<1>());
    QUOIN_TRY(const std::uint64_t levels, reader.take_unsigned<1>());
    if (version != 1 || hash > static_cast<std::uint64_t>(Hash::shake256_192)) {
        return std::unexpected(Code::input_invalid);
    }
    Secret secret;
    secret.shape.hash = static_cast<Hash>(hash);
    for (std::uint64_t i = 0; i < levels; ++i) {
        QUOIN_TRY(const std::uint64_t height, reader.take_unsigned<1>());
        QUOIN_TRY(const std::uint64_t w, reader.take_unsigned<1>());
        secret.shape.levels.push_back(
            {static_cast<std::uint8_t>(height), static_cast<std::uint8_t>(w)});
    }
    QUOIN_TRY(const Bytes identifier, reader.take(identifier_size));
    QUOIN_TRY(const Bytes seed, reader.take(digest_size(secret.shape.hash)));
    QUOIN_CHECK(reader.finish());
    secret.identifier.assign(identifier.begin(), identifier.end());
    secret.seed.bytes.assign(seed.begin(), seed.end());
    return secret;
}

// The store of counters belongs to this public key, and to no other.
Result<std::string> store_name(Bytes public_key) {
    QUOIN_TRY(const auto digest, crypto::sha256(public_key));
    return "lms-" + crypto::to_hex(Bytes(digest).first(24));
}

fs::path store_file(const fs::path& folder) { return folder / "counters"; }

Result<counters::Content> look_at_store(const fs::path& folder, std::string_view name) {
    auto content = counters::Store::look(store_file(folder));
    std::error_code failure;
    if (!content && fs::exists(folder / "index", failure)) {
        return fail(Code::input_unsupported,
                    "{}: counts its signatures as Quoin once did, where a restored copy is never "
                    "noticed; what it signed stays good, but make a new key",
                    folder.string());
    }
    if (!content) return content;
    if (content->name != name || !content->entries.contains(index_counter)) {
        return fail(Code::integrity_mismatch, "{}: are the counters of another key ({})",
                    store_file(folder).string(), content->name);
    }
    return content;
}

// All leaves of the top tree on all processors, then the rest. `progress` is told by one thread.
void make_nodes(Engine& engine, std::uint32_t leaves, const Progress& progress) {
    std::atomic<std::uint32_t> next = 0;
    const auto work = [&](bool tells) {
        for (;;) {
            const std::uint32_t first = next.fetch_add(leaves_at_once);
            if (first >= leaves) return;
            engine.fill_leaves(first, leaves_at_once);
            if (tells && progress) progress(first, leaves);
        }
    };
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) {
        helpers.emplace_back(work, false);
    }
    work(true);
    helpers.clear();
    engine.finish_tree();
    if (progress) progress(leaves, leaves);
}

// The nodes that lie in the folder, or new ones from the seed if there is no file.
Result<void> load_nodes(Engine& engine, const fs::path& folder, std::uint32_t leaves,
                        const Progress& progress) {
    const fs::path file = folder / "nodes";
    const auto kept = files::read(file, max_nodes_size);
    if (!kept && kept.error().code != Code::input_not_found) {
        return std::unexpected(kept.error());
    }
    if (kept) {
        const Bytes bytes = bytes_of(*kept);
        if (bytes.size() == engine.nodes().size()) {
            std::ranges::copy(bytes, engine.nodes().begin());
            if (engine.open()) return {};
        }
        return fail(Code::integrity_mismatch,
                    "{}: is damaged, or of another key; remove it: the next signature makes it "
                    "anew",
                    file.string());
    }
    make_nodes(engine, leaves, progress);
    QUOIN_CHECK(files::write_atomically(file, text_of(engine.nodes()), 0600));
    return lift(engine.open(), file.string());
}

}  // namespace

Result<void> generate(const fs::path& folder, const Shape& shape,
                      const crypto::Passphrase& passphrase, bool slow, std::string_view anchor,
                      const Progress& progress) {
    QUOIN_TRY(const std::uint64_t limit, capacity(shape));
    std::error_code failure;
    if (fs::exists(folder, failure) && !fs::is_empty(folder, failure)) {
        return fail(Code::input_conflict, "{}: is there already; name a new folder",
                    folder.string());
    }
    Secret secret{shape, ByteVector(identifier_size), Wiped(digest_size(shape.hash))};
    QUOIN_CHECK(crypto::random_bytes(secret.identifier));
    QUOIN_CHECK(crypto::random_bytes(secret.seed.bytes));
    QUOIN_TRY(const auto engine, make_engine(shape, secret.identifier, secret.seed.bytes));
    make_nodes(*engine, std::uint32_t{1} << shape.levels[0].height, progress);
    const ByteVector public_key = engine->public_key();

    QUOIN_TRY(const std::string name, store_name(public_key));
    QUOIN_TRY(auto anchored, counters::open_anchor(anchor, name));
    QUOIN_TRY(const std::string sealed,
              crypto::seal_foreign_key(object_identifier, encode(secret).bytes, passphrase, slow));
    QUOIN_TRY(const std::string pem, crypto::foreign_public_key_pem(object_identifier, public_key));
    QUOIN_CHECK(files::make_private_folder(folder));
    QUOIN_CHECK(files::sync_folder(folder / ".."));  // it may have been there, unsynced
    QUOIN_CHECK(files::create(folder / "private.key", sealed, 0600));
    QUOIN_CHECK(files::create(folder / "nodes", text_of(engine->nodes()), 0600));
    QUOIN_CHECK(files::create(folder / "public.pem", pem, 0644));
    QUOIN_CHECK(counters::Store::create(store_file(folder), name, anchored.get()));
    QUOIN_TRY(const auto store,
              counters::Store::open(store_file(folder), name, std::move(anchored)));
    return store->add_scarce(index_counter, limit);  // last: now the key is whole
}

SigningKey::SigningKey(Shape shape, std::uint64_t capacity, std::unique_ptr<Engine> engine,
                       std::unique_ptr<counters::Store> store, std::uint64_t block)
    : shape_(std::move(shape)),
      capacity_(capacity),
      engine_(std::move(engine)),
      store_(std::move(store)),
      block_size_(block) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

Result<SigningKey> SigningKey::open(const fs::path& folder, const crypto::Passphrase& passphrase,
                                    std::uint64_t block, const Progress& progress) {
    const fs::path key_file = folder / "private.key";
    QUOIN_TRY(const std::string sealed, files::read(key_file));
    auto clear = crypto::open_foreign_key(object_identifier, sealed, passphrase);
    if (!clear) return fail(clear.error().code, "{}: {}", key_file.string(), clear.error().message);
    const Wiped encoded(std::move(*clear));
    QUOIN_TRY(Secret secret, lift(decode(encoded.bytes), key_file.string()));
    QUOIN_TRY(auto engine, make_engine(secret.shape, secret.identifier, secret.seed.bytes));
    QUOIN_CHECK(
        load_nodes(*engine, folder, std::uint32_t{1} << secret.shape.levels[0].height, progress));
    QUOIN_TRY(const std::string name, store_name(engine->public_key()));
    QUOIN_TRY(const auto content, look_at_store(folder, name));
    QUOIN_TRY(auto anchor, counters::open_anchor(content.anchor, name));
    auto opened = counters::Store::open(store_file(folder), name, std::move(anchor));
    if (!opened && opened.error().code == Code::integrity_mismatch) {
        return fail(Code::integrity_mismatch,
                    "{}. Once adopted, this key is spent: an index used twice gives it away",
                    opened.error().message);
    }
    QUOIN_TRY(auto store, std::move(opened));
    return SigningKey(std::move(secret.shape), content.entries.at(std::string(index_counter)).limit,
                      std::move(engine), std::move(store), block);
}

Result<ByteVector> SigningKey::sign(Bytes message) {
    QUOIN_CHECK(store_->check_process());  // a child by fork() has the same block
    if (block_.left() == 0) {
        QUOIN_TRY(const counters::Block block, store_->reserve(index_counter, block_size_));
        block_ = core::lms::Reservation::danger_already_durable(block.first, block.count);
    }
    QUOIN_TRY(core::lms::OneTimeIndex index, lift(block_.take(), "LMS index"));
    return lift(engine_->sign(std::move(index), message), "LMS signature");
}

std::uint64_t SigningKey::left() const {
    return store_->left(index_counter).value_or(0) + block_.left();
}

Result<ByteVector> load_public_key(const fs::path& file) {
    std::error_code failure;
    const fs::path pem_file = fs::is_directory(file, failure) ? file / "public.pem" : file;
    QUOIN_TRY(const std::string pem, files::read(pem_file));
    auto key = crypto::foreign_public_key(object_identifier, pem);
    if (!key) return fail(key.error().code, "{}: {}", pem_file.string(), key.error().message);
    if (const auto shape = shape_of_public_key(*key); !shape) {
        return fail(shape.error().code, "{}: {}", pem_file.string(), shape.error().message);
    }
    return *std::move(key);
}

Result<Status> look_at(const fs::path& folder) {
    Status status;
    QUOIN_TRY(status.public_key, load_public_key(folder / "public.pem"));
    QUOIN_TRY(status.description, describe_public_key(status.public_key));
    QUOIN_TRY(const std::string name, store_name(status.public_key));
    QUOIN_TRY(const counters::Content content, look_at_store(folder, name));
    const counters::Entry& index = content.entries.at(std::string(index_counter));
    status.left = index.limit - index.value;
    status.capacity = index.limit;
    status.anchor = content.anchor;
    return status;
}

Result<void> verify_file(Bytes public_key, const fs::path& message, Bytes signature) {
    QUOIN_TRY(const Shape shape, shape_of_public_key(public_key));
    std::ifstream file(message, std::ios::binary);
    if (!file) return fail(Code::input_not_found, "{}: cannot be read", message.string());
    QUOIN_TRY(const auto verifier, make_verifier(shape.hash));
    const auto wrong = [&](Code code) {
        return fail(code, "{}: the signature is not of this file by this key", message.string());
    };
    if (const auto started = verifier->start(public_key, signature); !started) {
        return wrong(started.error());
    }
    std::array<char, 64U << 10U> piece{};
    while (file) {
        file.read(piece.data(), piece.size());
        verifier->update(bytes_of({piece.data(), static_cast<std::size_t>(file.gcount())}));
    }
    if (file.bad()) return fail(Code::resource_unavailable, "{}: cannot be read", message.string());
    if (const auto finished = verifier->finish(); !finished) return wrong(finished.error());
    return {};
}

}  // namespace quoin::lms
