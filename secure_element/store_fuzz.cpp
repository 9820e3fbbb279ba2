// The key store's file. Whatever lies in its place is refused or opened, and what its sealed part
// holds is decoded as it was encoded: there is one encoding.
#include <cstdlib>
#include <fstream>

#include "secure_element/store.hpp"

namespace {

using namespace quoin;
using namespace quoin::secure_element;

void must(bool holds) {
    if (!holds) std::abort();
}

const std::filesystem::path& folder() {
    static const std::filesystem::path made = [] {
        std::string name = (std::filesystem::temp_directory_path() / "quoin-fuzz-XXXXXX").string();
        must(::mkdtemp(name.data()) != nullptr);
        std::atexit([] { std::filesystem::remove_all(folder()); });
        return std::filesystem::path(name);
    }();
    return made;
}

// A key of 32 bytes: a file that asks for Argon2id is refused before any of its costs are paid.
const Unlock& unlock() {
    static const Unlock key = RawKey(32);
    return key;
}

// Not by Store::save(), which syncs the disk each time.
void put(Bytes file) {
    std::ofstream(folder() / "store", std::ios::binary)
        .write(reinterpret_cast<const char*>(file.data()), std::ssize(file));
}

void open_as_a_file(Bytes input) {
    put(input);
    static_cast<void>(Store::open(folder(), unlock()));
}

// What was sealed with the right key, and the keys in it. Those of SLH-DSA are tables of bytes to
// OpenSSL, and slow.
void open_as_contents(Bytes input) {
    const auto contents = keys::se::codec::read_whole<Contents>(input);
    if (!contents) return;
    ByteVector again(keys::se::codec::Field<Contents>::size(*contents));
    core::Writer writer(again);
    must(keys::se::codec::put(writer, *contents).has_value());
    must(std::ranges::equal(again, input));
    for (const StoredKey& key : contents->keys.items) {
        const bool slow = keys::se::info(key.algorithm).name.starts_with("SLH-DSA");
        if (!slow) static_cast<void>(load_key(key.algorithm, key.material.expose()));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    open_as_a_file({data, size});
    open_as_contents({data, size});
    return 0;
}
