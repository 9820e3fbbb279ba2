// K-PKE: FIPS 203, section 5. The one source for all sets and backends; for kem.hpp only.
#pragma once

#include "core/base/constant_time.hpp"
#include "core/crypto/ml_kem/ml_kem.hpp"

namespace quoin::core::ml_kem {

template <class Set, class Backend>
struct Pke {
    using Math = Arithmetic<Backend>;
    using Work = Workspace<Set, Backend>;
    using Matrices = Source<Set, Backend>;
    using Noises = Noise<Set, Backend>;
    static constexpr std::size_t k = Set::k;

    // Algorithm 13, from line 3 on: rho || sigma = G(d || k).
    static void generate(std::span<std::uint8_t, 384 * k + 32> encapsulation_key,
                         std::span<std::uint8_t, 384 * k> decapsulation_key,
                         std::span<const std::uint8_t, 32> rho,
                         std::span<const std::uint8_t, 32> sigma, Work& work) {
        Matrices matrix(work);
        matrix.set_matrix(rho, Matrices::Matrix::plain, {});
        const Noises noise(work, sigma, 2 * k, 2 * k);
        for (std::size_t i = 0; i < k; ++i) {  // lines 8-11, 16, 20: s
            noise.template sample<Set::eta1>(work.result, i);
            Math::ntt(work.result);
            Math::encode(part<384>(decapsulation_key, i), work.result);
            Math::prepare(work.vector[i], work.result);
        }
        for (std::size_t i = 0; i < k; ++i) {  // lines 12-15, 17-19: t = A s + e
            work.sum.clear();
            for (std::size_t j = 0; j < k; ++j) work.sum.add(matrix.entry(i, j), work.vector[j]);
            Poly& t = work.result;
            work.sum.finish(t);
            Math::undo_montgomery(t);
            Poly& e = work.operand(0);
            noise.template sample<Set::eta1>(e, k + i);
            Math::ntt(e);
            Math::add(t, e);
            Math::reduce(t);
            Math::encode(part<384>(encapsulation_key, i), t);
        }
        for (std::size_t i = 0; i < 32; ++i) encapsulation_key[384 * k + i] = rho[i];
    }

    // Algorithm 14. Gives emit(offset, bytes) the ciphertext piece by piece.
    template <class Emit>
    static void encrypt(Emit emit, Matrices& transposed, EncapsulationKey<Set> key,
                        std::span<const std::uint8_t, 32> message,
                        std::span<const std::uint8_t, 32> r, Work& work) {
        const Noises noise(work, r, k, 2 * k + 1);
        for (std::size_t i = 0; i < k; ++i) {  // lines 9-12, 18: y
            noise.template sample<Set::eta1>(work.result, i);
            Math::ntt(work.result);
            Math::prepare(work.vector[i], work.result);
        }
        for (std::size_t i = 0; i < k; ++i) {  // lines 13-16, 19, 22: u = A^T y + e1
            work.sum.clear();
            for (std::size_t j = 0; j < k; ++j) {
                work.sum.add(transposed.entry(i, j), work.vector[j]);
            }
            Poly& u = finish_product(work);
            Poly& e1 = work.operand(0);
            noise.template sample<Set::eta2>(e1, k + i);
            Math::add(u, e1);
            emit_compressed<Set::du>(emit, 32 * Set::du * i, u);
        }
        work.sum.clear();
        for (std::size_t j = 0; j < k; ++j) {  // lines 2, 20-21, 23: v = t^T y + e2 + mu
            Poly& t = work.operand(j);
            Math::decode(t, part<384>(key.bytes(), j));
            work.sum.add(t, work.vector[j]);
        }
        Poly& v = finish_product(work);
        Poly& addend = work.operand(0);
        noise.template sample<Set::eta2>(addend, 2 * k);
        Math::add(v, addend);
        Math::template decompress<1>(addend, message);
        Math::add(v, addend);
        emit_compressed<Set::dv>(emit, 32 * Set::du * k, v);
    }

    // Algorithm 15.
    static void decrypt(std::span<std::uint8_t, 32> message,
                        std::span<const std::uint8_t, 384 * k> decapsulation_key,
                        std::span<const std::uint8_t, Set::ciphertext_size> ciphertext,
                        Work& work) {
        work.sum.clear();
        for (std::size_t i = 0; i < k; ++i) {
            Math::template decompress<Set::du>(work.result, part<32 * Set::du>(ciphertext, i));
            Math::ntt(work.result);
            Math::prepare(work.vector[i], work.result);
            Poly& s = work.operand(i);
            Math::decode(s, part<384>(decapsulation_key, i));
            work.sum.add(s, work.vector[i]);
        }
        Poly& w = finish_product(work);
        Poly& v = work.operand(0);
        Math::template decompress<Set::dv>(v, ciphertext.template last<32 * Set::dv>());
        Math::subtract_from(w, v);
        Math::reduce(w);
        Math::template compress<1>(message, w);
    }

private:
    template <std::size_t Size, class Byte, std::size_t Extent>
    static std::span<Byte, Size> part(std::span<Byte, Extent> bytes, std::size_t i) {
        return std::span<Byte, Size>(bytes.data() + Size * i, Size);
    }

    // NTT^-1 of the sum of products: |u| < 2300.
    static Poly& finish_product(Work& work) {
        work.sum.finish(work.result);
        Math::inverse_ntt(work.result);
        return work.result;
    }

    template <std::size_t D, class Emit>
    static void emit_compressed(Emit emit, std::size_t offset, Poly& f) {
        std::array<std::uint8_t, 32 * D> bytes{};
        Math::reduce(f);
        Math::template compress<D>(bytes, f);
        emit(offset, Bytes(bytes));
        ct::wipe(bytes);  // of a rejected ciphertext, they say what was in it
    }
};

}  // namespace quoin::core::ml_kem
