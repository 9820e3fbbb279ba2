// Makes OpenSSL wipe all memory that it gives back, in this process.
//
// OpenSSL 3.5 frees some copies of private keys as they are (encoders, key generation of Ed25519,
// X25519 and SLH-DSA): they stay on the heap until something else happens to lie there. A program
// that holds keys in software calls this first of all. Threads: before there are others.
#pragma once

namespace quoin::crypto {

// False: OpenSSL has allocated already, and nothing changed.
bool wipe_what_openssl_frees() noexcept;

}  // namespace quoin::crypto
