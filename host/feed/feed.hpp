// What quoind tells the broker's plugin, and back: versioned device states over a Unix socket.
//
// One JSON object a line, its kind in `type`, at most `max_line_bytes`. quoind listens on
// HOME/run/broker.sock (mode 0600, the peer's uid is checked), the plugin dials.
//
//   quoind -> plugin                                     plugin -> quoind
//   hello{v,site,epoch,lifetime_ms,issuer}               hello{v,pid,nonce}
//   device{seq,id,epoch,grant,state,reason,revoked[]}*   applied{seq,id,closed,at_ms}
//   snapshot_end{seq,count,head,signature}               sessions{ids[]}
//   device{...}  (each later change)                     refused{id,why,peer,serial}
//   revocation{seq,statement,signature}                  connected{id,serial,peer}
//   heartbeat{seq}                                       disconnected{id,reason}
//                                                        denied{id,access,topic}
//
// `seq` grows by one with each device and revocation line of an epoch of the feed; that `epoch`
// grows with each start of quoind. A gap or a step back: the plugin drops the connection and asks
// grows with each start of quoind. A gap or a step back: the plugin drops the connection and asks
// for
//
// What is revoked comes signed (revocation.hpp): `statement` and `head` are what the issuing CA
// signed, `issuer` is its certificate (DER), which chains to the plugin's root; all base64. A
// snapshot's lines ascend by id, bytewise, and have the serials of revoked certificates (more than
// fit are in the next line, with the device once more; `count` is of the lines); its head
// vouches for them, and for how many statements there are, and names the plugin's nonce. Later
// ones come by statements alone: a device line has no serials then. A device's `epoch` is how often
// it was taken in; only a larger one brings back a device that was revoked. A service some of whose
// certificates are revoked has such a line in a snapshot, too: grant none, which says nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/error.hpp"
#include "host/feed/revocation.hpp"

namespace quoin::feed {

inline constexpr std::size_t max_line_bytes = 128 * 1024;
inline constexpr int version = 2;
inline constexpr std::string_view revoked_state = "revoked";  // a device's, in its own line

// What a device may do on the broker.
//   full         its own branch
//   attest_only  attest/#, event, cmd and ack of its own branch: freshness or trust is not known
//   yet none         no session at all
enum class Grant : std::uint8_t { none, attest_only, full };

struct Hello {
    std::string site;
    std::uint64_t epoch = 0;
    std::int64_t lifetime_ms = 0;
    crypto::ByteVector issuer = {};
};
struct Device {
    std::uint64_t seq = 0;
    std::string id;
    std::uint64_t epoch = 1;
    Grant grant = Grant::none;
    std::string state;   // fleet state, for messages
    std::string reason;  // why it is not full; for messages
    std::vector<std::string>
        revoked;  // serials (hex) of revoked certificates that have not expired
};
struct Revocation {
    std::uint64_t seq = 0;
    crypto::ByteVector statement;
    crypto::ByteVector signature;
};
struct SnapshotEnd {
    std::uint64_t seq = 0;
    std::uint64_t count = 0;
    crypto::ByteVector head = {};
    crypto::ByteVector signature = {};
};
struct Heartbeat {
    std::uint64_t seq = 0;
};
using ToPlugin = std::variant<Hello, Device, Revocation, SnapshotEnd, Heartbeat>;

struct PluginHello {
    std::int64_t pid = 0;
    Nonce nonce = {};  // random, of this connection
};
struct Applied {
    std::uint64_t seq = 0;
    std::string id;
    bool closed = false;  // a live session was closed
    std::int64_t at_ms = 0;
};
// Live sessions when a snapshot came; as many lines as needed.
struct Sessions {
    std::vector<std::string> ids;
};
struct Refused {
    std::string id;  // of the certificate; empty when it names nobody
    std::string why, peer, serial;
};
struct Connected {
    std::string id, serial, peer;
};
struct Disconnected {
    std::string id, reason;
};
struct Denied {
    std::string id, access, topic;
};
using FromPlugin =
    std::variant<PluginHello, Applied, Sessions, Refused, Connected, Disconnected, Denied>;

// What a snapshot is made of: every device, and the last statement there is about any.
struct PlantState {
    std::vector<Device> devices;
    std::uint64_t number = 0;
    crypto::Sha3_512Digest last{};
};

// One line with its newline.
std::string encode(const ToPlugin& message);
std::string encode(const FromPlugin& message);
// One line without its newline. Unknown or missing fields, wrong types, another version, ids
// outside I0: peer_malformed, naming the field.
Result<ToPlugin> decode_to_plugin(std::string_view line);
Result<FromPlugin> decode_from_plugin(std::string_view line);

std::string_view grant_name(Grant grant);

}  // namespace quoin::feed
