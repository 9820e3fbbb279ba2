// For tests: an Element in this process, spoken to in encoded messages, without sockets.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "host/keys/errors.hpp"
#include "secure_element/element.hpp"

namespace quoin::secure_element {

// None for a success.
template <class T>
std::optional<Code> code_of(const Result<T>& result) {
    if (result) return std::nullopt;
    return result.error().code;
}

class ElementInProcess {
public:
    static constexpr uid_t owner = 1000;
    static constexpr uid_t administrator = 0;

    ElementInProcess() {
        std::string name = (std::filesystem::temp_directory_path() / "quoin-se-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        open();
    }
    ElementInProcess(const ElementInProcess&) = delete;
    ElementInProcess& operator=(const ElementInProcess&) = delete;
    ~ElementInProcess() {
        element.reset();
        std::filesystem::remove_all(folder_);
    }

    // Also again, as after a restart.
    void open(char key = 'k') {
        element.reset();
        auto store = Store::open(folder_, unlock(key));
        ASSERT_TRUE(store) << store.error().message;
        auto opened = Element::open(
            *std::move(store),
            {.administrators = {administrator}, .version = "test", .now = [this] { return now; }});
        ASSERT_TRUE(opened) << opened.error().message;
        element = *std::move(opened);
    }
    static Unlock unlock(char key) {
        std::string bytes(32, key);
        return RawKey(MutableBytes(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()));
    }

    static Session session(uid_t uid = owner) {
        Session made;
        made.peer = {uid, 1};
        return made;
    }
    Session greeted(uid_t uid = owner) {
        Session made = session(uid);
        const auto answer = ask(made, keys::se::Hello{{bytes_of("test")}});
        EXPECT_TRUE(answer) << answer.error().message;
        return made;
    }

    // The reply's views are into `reply`, until the next ask().
    template <class Message>
    Result<typename Message::Reply> ask(Session& who, const Message& message) {
        const auto request = keys::se::write_request(7, message);
        if (!request) return fail(Code::internal, "the test's own request is wrong");
        reply = element->answer(who, *request);
        const auto head = keys::se::read_reply_head(reply);
        if (!head || head->id != 7) return fail(Code::internal, "no reply to this");
        if (head->status == keys::se::Status::failed) {
            const auto refusal = keys::se::codec::read_whole<keys::se::Refusal>(head->body);
            if (!refusal) return fail(Code::internal, "no refusal either");
            return std::unexpected(
                keys::se_error(refusal->code, text_of(refusal->text.bytes), "test"));
        }
        auto read = keys::se::codec::read_whole<typename Message::Reply>(head->body);
        if (!read) return fail(Code::internal, "the reply cannot be read");
        return *std::move(read);
    }
    Code refused(Session& who, Bytes frame) {
        reply = element->answer(who, frame);
        const auto head = keys::se::read_reply_head(reply);
        if (!head || head->status != keys::se::Status::failed) return Code::internal;
        return static_cast<Code>(keys::se::codec::read_whole<keys::se::Refusal>(head->body)->code);
    }
    // All that can be seen of the state: the file, and the statement without its signature.
    std::string state() {
        Session who = greeted(administrator);
        const auto statement = ask(who, keys::se::Attest{{}, {bytes_of("same nonce")}});
        EXPECT_TRUE(statement);
        const auto file = files::read(folder_ / "store");
        EXPECT_TRUE(file);
        return *file + std::string(text_of(statement->statement.bytes));
    }

    const std::filesystem::path& folder() const { return folder_; }

    std::unique_ptr<Element> element;
    std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now();
    ByteVector reply;

private:
    std::filesystem::path folder_;
};

}  // namespace quoin::secure_element
