// For tests: looks for the private keys of a store in the memory of processes.
// usage: FOLDER PASSPHRASE_FILE PID...
// FOLDER is a copy of a store's. Prints for each PID how many parts of private keys are in its
// memory (-1: cannot be read): seeds, both halves of a composite's apart, and what ML-DSA expands
// them to first (K of FIPS 204).
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <algorithm>
#include <fstream>
#include <iostream>

#include "host/crypto/handles.hpp"
#include "secure_element/memory_fixture.hpp"
#include "secure_element/store.hpp"

namespace {

using namespace quoin;
using namespace quoin::secure_element;

using KeyHandle = crypto::Handle<EVP_PKEY, EVP_PKEY_free>;

// Bytes 32 to 63 of the private key that FIPS 204 encodes; empty for another algorithm.
ByteVector expanded(const char* algorithm, Bytes seed) {
    const crypto::Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ML_DSA_SEED,
                                          const_cast<std::uint8_t*>(seed.data()), seed.size()),
        OSSL_PARAM_construct_end()};
    EVP_PKEY* made = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, parameters) != 1) {
        return {};
    }
    const KeyHandle key(made);
    ByteVector whole(5000);
    std::size_t size = whole.size();
    if (EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, whole.data(), size,
                                        &size) != 1) {
        return {};
    }
    return {whole.begin() + 32, whole.begin() + 64};
}

std::vector<ByteVector> parts_of(const StoredKey& key) {
    const Bytes whole = key.material.expose();
    // FIPS 205, section 9.1: the second half is the public key.
    const bool hash_based = keys::se::info(key.algorithm).name.starts_with("SLH-DSA");
    const Bytes material = hash_based ? whole.first(whole.size() / 2) : whole;
    std::vector<ByteVector> parts;
    for (std::size_t at = 0; at + 32 <= material.size(); at += 32) {
        const Bytes part = material.subspan(at, 32);
        parts.emplace_back(part.begin(), part.end());
    }
    for (const auto& [name, algorithms] :
         {std::pair{"ML-DSA-44", std::array{Algorithm::ml_dsa_44, Algorithm::ml_dsa_44_ed25519}},
          std::pair{"ML-DSA-65", std::array{Algorithm::ml_dsa_65, Algorithm::ml_dsa_65_ed25519}},
          std::pair{"ML-DSA-87", std::array{Algorithm::ml_dsa_87, Algorithm::ml_dsa_87}}}) {
        if (std::ranges::contains(algorithms, key.algorithm)) {
            parts.push_back(expanded(name, material.first(32)));
        }
    }
    return parts;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) return 2;
    std::ifstream file(argv[2]);
    std::string passphrase;
    std::getline(file, passphrase);
    const Unlock unlock = Passphrase{SecretBytes(
        MutableBytes(reinterpret_cast<std::uint8_t*>(passphrase.data()), passphrase.size()))};
    const auto opened = Store::open(argv[1], unlock);
    if (!opened) {
        // tidy: allow(banned-call) because the test reads it
        std::cerr << opened.error().message << "\n";
        return 1;
    }
    std::vector<ByteVector> parts;
    for (const StoredKey& key : opened->contents.keys.items) {
        for (ByteVector& part : parts_of(key)) {
            if (part.size() != 32) return 3;
            parts.push_back(std::move(part));
        }
    }
    const std::vector<Bytes> needles(parts.begin(), parts.end());
    for (int i = 3; i < argc; ++i) {
        const std::vector<int> counts = counts_in_memory(std::stoi(argv[i]), needles);
        const auto found = std::ranges::count_if(counts, [](int count) { return count > 0; });
        // tidy: allow(banned-call) because the test reads it
        std::cout << argv[i] << " " << (counts.empty() ? -1 : found) << "\n";
    }
    return 0;
}
