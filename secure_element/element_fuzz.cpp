// A session with an Element, frame after frame: u16 length | frame, and so on. What is refused
// changes neither the store nor the session; no reply holds a private key.
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <fstream>

#include "secure_element/element.hpp"

namespace {

using namespace quoin;
using namespace quoin::secure_element;
using namespace quoin::keys::se;

void must(bool holds) {
    if (!holds) std::abort();
}

std::filesystem::path new_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "quoin-fuzz-XXXXXX").string();
    must(::mkdtemp(name.data()) != nullptr);
    return name;
}

// One for all inputs: it fills up with keys, to its limits.
class Box {
public:
    Box() {
        spdlog::set_level(spdlog::level::off);
        auto store = Store::open(folder_, RawKey(32));
        must(store.has_value());
        auto opened = Element::open(*std::move(store), {.administrators = {0}, .version = "fuzz"});
        must(opened.has_value());
        element_ = *std::move(opened);
        state_ = read_state();
    }
    Box(const Box&) = delete;
    Box& operator=(const Box&) = delete;
    ~Box() {
        element_.reset();
        std::filesystem::remove_all(folder_);
    }

    void feed(Session& session, Bytes frame) {
        const auto held = [&] {
            std::vector<std::uint64_t> handles;
            for (const auto& [handle, what] : session.held) handles.push_back(handle);
            return handles;
        };
        const auto before = held();
        const bool greeted = session.greeted;
        const ByteVector reply = element_->answer(session, frame);
        const auto head = read_reply_head(reply);
        must(head.has_value());
        const std::string now = read_state();
        if (head->status == Status::failed) {
            must(codec::read_whole<Refusal>(head->body).has_value());
            must(now == state_ && held() == before && session.greeted == greeted);
        }
        if (now != state_) learn_secrets();
        state_ = now;
        for (const ByteVector& secret : secrets_) {
            must(std::ranges::search(reply, secret).empty());
        }
    }

private:
    std::string read_state() const {
        std::ifstream file(folder_ / "store", std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    // The store is locked: a copy is opened.
    void learn_secrets() {
        const auto copy = new_folder();
        std::filesystem::copy(folder_ / "store", copy / "store");
        {
            const auto opened = Store::open(copy, RawKey(32));
            must(opened.has_value());
            for (const StoredKey& key : opened->contents.keys.items) {
                const Bytes material = key.material.expose().first(32);
                secrets_.emplace(material.begin(), material.end());
            }
        }
        std::filesystem::remove_all(copy);
    }

    std::filesystem::path folder_ = new_folder();
    std::unique_ptr<Element> element_;
    std::string state_;
    std::set<ByteVector> secrets_;
};

// Making and using keys of SLH-DSA takes seconds here.
bool is_slow(Bytes frame) {
    const Incoming incoming = read_request(frame);
    if (!incoming.request) return false;
    const auto* const generate = std::get_if<Generate>(&*incoming.request);
    return generate != nullptr && info(generate->algorithm).name.starts_with("SLH-DSA");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Box box;
    Session session;
    session.peer = {1000, 1};
    core::Reader reader({data, size});
    while (const auto length = reader.take_unsigned<2>()) {
        const auto frame = reader.take(*length);
        if (!frame) break;
        if (!is_slow(*frame)) box.feed(session, *frame);
    }
    return 0;
}
