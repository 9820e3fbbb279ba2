// Messages over a stream of bytes, without the stream: what came in goes into feed(), what must go
// out is in output(). LengthFraming is for sockets; bus.hpp has the one for I2C and SPI.
//
// Errors: peer_oversize for a length above the limit, peer_malformed for what this framing does not
// know: the stream is of no use then. Threads: one owner. Messages may hold secrets: what was
// queued or taken is wiped when it is done with, and by the destructor.
#pragma once

#include "host/keys/se/codec.hpp"

namespace quoin::keys::se {

// A vector that is wiped when it is emptied, replaced or destroyed. It never grows in place, which
// would leave a copy behind.
class WipedBytes {
public:
    WipedBytes() = default;
    WipedBytes(const WipedBytes&) = delete;
    WipedBytes& operator=(const WipedBytes&) = delete;
    ~WipedBytes() { clear(); }

    void clear();
    void assign(ByteVector bytes);        // wipes what was there
    void resize_empty(std::size_t size);  // zeros; wipes what was there
    MutableBytes bytes() { return bytes_; }
    Bytes bytes() const { return bytes_; }
    std::size_t size() const { return bytes_.size(); }

private:
    ByteVector bytes_;
};

class Framing {
public:
    Framing() = default;
    Framing(const Framing&) = delete;
    Framing& operator=(const Framing&) = delete;
    virtual ~Framing() = default;

    // Takes bytes until a message is complete; returns how many it took. Takes none while one is.
    virtual core::Result<std::size_t> feed(Bytes input) = 0;
    bool has_message() const { return has_message_; }
    Bytes message() const { return message_.bytes(); }
    // Done with the message: wipes it, ready for the next.
    void next_message();

    // Queues one message, when nothing is queued. resource_full: longer than this framing carries.
    virtual core::Result<void> send(Bytes message) = 0;
    Bytes output() const { return Bytes(output_.bytes()).subspan(sent_); }
    void sent(std::size_t count);

    // Nothing came although something must. True: something is in output() again. False: given up.
    virtual bool timed_out() { return false; }

protected:
    WipedBytes message_;
    bool has_message_ = false;
    WipedBytes output_;
    std::size_t sent_ = 0;
};

// u32 length, then that many bytes, at most `limit`.
class LengthFraming final : public Framing {
public:
    explicit LengthFraming(std::size_t limit) : limit_(limit) {}
    core::Result<std::size_t> feed(Bytes input) override;
    core::Result<void> send(Bytes message) override;

private:
    std::size_t limit_;
    std::array<std::uint8_t, 4> head_{};
    std::size_t taken_ = 0;  // of head and message
};

}  // namespace quoin::keys::se
