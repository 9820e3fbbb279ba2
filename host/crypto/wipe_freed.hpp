// Wipes memory when it is given back, in this whole process.
//
// OpenSSL 3.5 frees some copies of private keys as they are (encoders, key generation of Ed25519,
// X25519 and SLH-DSA), and tpm2-tss its buffers with what it sealed or unsealed: they stay on the
// heap until something else happens to lie there. OpenSSL's memory is wiped by an allocator of
// ours; everybody else's by glibc (M_PERTURB), which leaves out small blocks (up to 1 KiB) that a
// thread keeps at hand. Threads: before there are others.
#pragma once

namespace quoin::crypto {

// First of all in main() of a program of ours that holds secrets: wipes freed memory, and keeps
// every use of OpenSSL in the process from the machine's configuration (docs/decisions/0006), also
// by libraries that have no library context to give. Ends the process if OpenSSL was used before.
void begin_process() noexcept;

// False: OpenSSL has allocated already, and its memory is not wiped.
bool wipe_freed_memory() noexcept;

}  // namespace quoin::crypto
