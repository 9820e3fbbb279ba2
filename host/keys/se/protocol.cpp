#include "host/keys/se/protocol.hpp"

namespace quoin::keys::se {
namespace {

template <class Message>
bool take_message(Command command, Bytes body, core::Result<Request>& into) {
    if (command != Message::command) return false;
    auto message = codec::read_whole<Message>(body);
    if (message) {
        into = Request(*std::move(message));
    } else {
        into = std::unexpected(message.error());
    }
    return true;
}

template <class... Messages>
core::Result<Request> take_request(Command command, Bytes body,
                                   std::type_identity<std::variant<Messages...>>) {
    core::Result<Request> result = std::unexpected(Code::peer_malformed);  // an unknown command
    static_cast<void>((take_message<Messages>(command, body, result) || ...));
    return result;
}

}  // namespace

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && text != "." && text != ".." &&
           std::ranges::all_of(text, [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '.' || c == '-';
           });
}

Incoming read_request(Bytes frame) {
    core::Reader reader(frame);
    const auto version = reader.take_unsigned<1>();
    const auto command = reader.take_unsigned<1>();
    const auto id = reader.take_unsigned<4>();
    if (!version || !command || !id) return {0, std::unexpected(Code::peer_malformed)};
    const auto number = static_cast<std::uint32_t>(*id);
    if (*version != protocol_version) return {number, std::unexpected(Code::input_unsupported)};
    return {number, take_request(static_cast<Command>(*command), frame.subspan(head_size),
                                 std::type_identity<Request>())};
}

ByteVector write_refusal(std::uint32_t id, Code code, std::string_view text) {
    const Refusal refusal{std::to_underlying(code), {bytes_of(text.substr(0, 255))}};
    return *write_frame(std::to_underlying(Status::failed), id, refusal);
}

core::Result<ReplyHead> read_reply_head(Bytes frame) {
    core::Reader reader(frame);
    ReplyHead head;
    QUOIN_TRY(const std::uint64_t version, reader.take_unsigned<1>());
    if (version != protocol_version) return std::unexpected(Code::peer_malformed);
    QUOIN_CHECK(codec::Field<Status>::take(reader, head.status));
    QUOIN_CHECK(codec::Field<std::uint32_t>::take(reader, head.id));
    head.body = frame.subspan(head_size);
    return head;
}

}  // namespace quoin::keys::se
