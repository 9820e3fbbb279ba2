// ADRS, which makes every hash of a key a different function. Source: FIPS 205, section 4.2, and
// 11.2 for the compressed form. Inside core/crypto/slh_dsa only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace quoin::core::slh_dsa {

enum class AddressType : std::uint8_t {
    wots_hash = 0,
    wots_public_key = 1,
    tree = 2,
    fors_tree = 3,
    fors_roots = 4,
    wots_prf = 5,
    fors_prf = 6,
};

class Address {
public:
    static constexpr std::size_t size = 32;
    static constexpr std::size_t compressed_size = 22;

    void set_layer(std::uint32_t layer) { store(0, layer); }
    void set_tree(std::uint64_t tree) {  // of 96 bits, the upper 32 stay zero
        store(8, static_cast<std::uint32_t>(tree >> 32U));
        store(12, static_cast<std::uint32_t>(tree));
    }
    // setTypeAndClear
    void set_type(AddressType type) {
        store(16, static_cast<std::uint8_t>(type));
        for (std::size_t i = 20; i < size; ++i) bytes_[i] = 0;
    }
    void set_key_pair(std::uint32_t i) { store(20, i); }
    void set_chain(std::uint32_t i) { store(24, i); }
    void set_tree_height(std::uint32_t z) { store(24, z); }
    void set_hash(std::uint32_t i) { store(28, i); }
    void set_tree_index(std::uint32_t i) { store(28, i); }

    const std::array<std::uint8_t, size>& bytes() const { return bytes_; }
    std::array<std::uint8_t, compressed_size> compressed() const {
        std::array<std::uint8_t, compressed_size> out{};
        out[0] = bytes_[3];
        for (std::size_t i = 0; i < 8; ++i) out[1 + i] = bytes_[8 + i];
        out[9] = bytes_[19];
        for (std::size_t i = 0; i < 12; ++i) out[10 + i] = bytes_[20 + i];
        return out;
    }

private:
    void store(std::size_t at, std::uint32_t value) {
        for (std::size_t i = 0; i < 4; ++i) {
            bytes_[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
        }
    }

    std::array<std::uint8_t, size> bytes_{};
};

}  // namespace quoin::core::slh_dsa
