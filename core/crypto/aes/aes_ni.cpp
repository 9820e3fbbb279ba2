// The backend AesNi.
#include "core/crypto/aes/gcm.hpp"
#include "core/crypto/target_aes_ni.hpp"
// After the target header: it is compiled for that target.
#include "core/crypto/aes/aes_ni_body.hpp"

namespace quoin::core::aes_gcm {

template <>
void Cipher<Set128, AesNi>::expand(std::span<const std::uint8_t, 16> key) {
    expand_key<Set128>(key, round_keys_);
}
template <>
void Cipher<Set256, AesNi>::expand(std::span<const std::uint8_t, 32> key) {
    expand_key<Set256>(key, round_keys_);
}
template <>
void Cipher<Set128, AesNi>::apply(Counter counter, Bytes input, std::uint8_t* output) const {
    apply_keystream(round_keys_, counter, input, output);
}
template <>
void Cipher<Set256, AesNi>::apply(Counter counter, Bytes input, std::uint8_t* output) const {
    apply_keystream(round_keys_, counter, input, output);
}

template <>
void Ghash<AesNi>::set_key(const Block& h) {
    make_powers(powers_, h);
}
template <>
void Ghash<AesNi>::absorb(Block& y, Bytes data) const {
    store(y.data(), reverse(absorb_all(powers_, reverse(load(y.data())), data)));
}

}  // namespace quoin::core::aes_gcm

#include "core/crypto/target_pop.hpp"

namespace quoin::core::aes_gcm {

template <class Set, class Engine>
void Cipher<Set, Engine>::wipe() {
    ct::wipe({round_keys_[0].data(), sizeof round_keys_});
}

template <class Engine>
void Ghash<Engine>::wipe() {
    ct::wipe({powers_[0].data(), sizeof powers_});
}

template class Ghash<AesNi>;
template class BasicKey<Set128, AesNi>;
template class BasicKey<Set256, AesNi>;

}  // namespace quoin::core::aes_gcm
