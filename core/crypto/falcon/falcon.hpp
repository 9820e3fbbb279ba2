// Falcon-512 and Falcon-1024 signatures: specification v1.2 (round 3, October 2020), for
// microcontrollers, boot loaders and servers.
//
//   falcon::verify<falcon::Set512>(public_key, message, signature, workspace);
//
// | set     | public key | private key | padded signature | compressed       |  bytes
// | Set512  | 897        | 1281        | 666              | about 655, <=666 |
// | Set1024 | 1793       | 2305        | 1280             | about 1270       |
//
// | workspace, bytes | 512   | 1024  |
// | verify           | 2,048 | 4,096 | (a LoadedPublicKey: half of it)
//
// signing.hpp signs, keygen.hpp makes keys.
//
// A signature of exactly the padded length is read as padded, any other length as compressed: then
// the byte of the last coefficient is the last. Both have the same header. Each coefficient has one
// encoding. docs/spec/falcon.md has the bytes.
//
// Errors: integrity_signature for any signature that is not valid, malformed ones included;
// peer_malformed for a public key that is none.
//
// Verification handles public values only, and ends early. Threads: no shared state; one workspace
// for each call at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/crypto/backend.hpp"
#include "core/crypto/falcon/ring.hpp"

namespace quoin::core::falcon {

template <class Set>
using PublicKey = std::span<const std::uint8_t, Set::public_key_size>;
template <class Set>
struct VerifyWorkspace {
    Poly<Set> s;
    Poly<Set> h;  // then c
};

// Specification, Algorithm 16 (Verify).
template <class Set, class Backend = Portable>
Result<void> verify(PublicKey<Set> public_key, Bytes message, Bytes signature,
                    VerifyWorkspace<Set>& workspace);

// A public key that verifies many times: decoded and transformed once. Only read after load(): any
// number of threads may use one, each with its own workspace. Before load(), and after one that
// failed, verify() fails: state_wrong.
template <class Set, class Backend = Portable>
class LoadedPublicKey {
public:
    Result<void> load(PublicKey<Set> public_key);
    Result<void> verify(Bytes message, Bytes signature, VerifyWorkspace<Set>& workspace) const;

private:
    Poly<Set> h_;  // transformed, in Montgomery form
    bool loaded_ = false;
};

}  // namespace quoin::core::falcon
