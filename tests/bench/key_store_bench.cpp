// What does each key store cost? Signatures, verifications and decapsulations by plain OpenSSL, by
// core/crypto in this process, and by every store that is named; a bare socket round trip of the
// size of a signature beside them. Rounds are interleaved. Printed: one JSON object a line, for
// each way and operation.
//
// usage: key_store_bench [--rounds N] [--budget-ms N] [--store LABEL URI PID]...
//   LABEL "emulated ..." is a store on an emulated bus. PID: the process that holds the keys, whose
//   processor time is counted too; 0 for none.
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <ctime>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"
#include "host/descriptor.hpp"
#include "host/keys/open.hpp"
#include "secure_element/key.hpp"

namespace {

using namespace quoin;
using Clock = std::chrono::steady_clock;
using keys::ByteVector;
using Message = std::array<std::uint8_t, 64>;

constexpr std::size_t reply_size = 3309 + 14;  // an ML-DSA-65 signature in quoin-se's frame

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::cerr << result.error().message << "\n";
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

void must_be_one(int done, const char* doing) {
    if (done == 1) return;
    std::cerr << doing << ": " << crypto::openssl_error() << "\n";
    std::exit(1);
}

double cpu_us(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

double spread(const std::vector<double>& values) {
    const auto [least, most] = std::ranges::minmax(values);
    return (most - least) / median(values);
}

// One way to do one operation, and what the rounds saw.
struct Way {
    std::string store;
    std::string operation;
    std::function<void(Bytes)> call;
    pid_t other = 0;                     // the process that works for us
    std::vector<double> medians_us{};    // latency, of each round
    std::vector<double> per_second{};    // calls in the time of each round
    std::vector<double> cpu_us{};        // for one call, the mean of each round
    std::vector<double> latencies_us{};  // of all rounds
};

void run(Way& way, std::chrono::milliseconds budget) {
    clockid_t others = 0;
    if (way.other != 0 && clock_getcpuclockid(way.other, &others) != 0) {
        std::cerr << way.store << ": no process " << way.other << "\n";
        std::exit(1);
    }
    const auto cpu = [&] {
        return cpu_us(CLOCK_PROCESS_CPUTIME_ID) + (way.other != 0 ? cpu_us(others) : 0);
    };
    constexpr std::size_t least = 3;
    std::vector<double> latencies;
    Message message{};
    const double before = cpu();
    const auto begin = Clock::now();
    const auto end = begin + budget;
    while (latencies.size() < least || Clock::now() < end) {
        message[0] = static_cast<std::uint8_t>(latencies.size());
        message[1] = static_cast<std::uint8_t>(latencies.size() >> 8U);
        const auto start = Clock::now();
        way.call(message);
        latencies.push_back(
            std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    }
    const std::chrono::duration<double> elapsed = Clock::now() - begin;
    way.per_second.push_back(static_cast<double>(latencies.size()) / elapsed.count());
    way.cpu_us.push_back((cpu() - before) / static_cast<double>(latencies.size()));
    way.medians_us.push_back(median(latencies));
    way.latencies_us.insert(way.latencies_us.end(), latencies.begin(), latencies.end());
}

// A process that answers each request with as many bytes as a signature has.
class Echo {
public:
    Echo() {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::exit(1);
        process = ::fork();
        if (process == 0) {
            ::close(ends[0]);
            serve(ends[1]);
        }
        ::close(ends[1]);
        socket_ = Descriptor(ends[0]);
    }
    ~Echo() {
        socket_ = Descriptor();
        ::waitpid(process, nullptr, 0);
    }
    Echo(const Echo&) = delete;
    Echo& operator=(const Echo&) = delete;

    void round_trip(Bytes request) const {
        std::array<std::uint8_t, reply_size> answer{};
        if (::send(socket_.number(), request.data(), request.size(), 0) < 0) std::exit(1);
        if (::recv(socket_.number(), answer.data(), answer.size(), MSG_WAITALL) < 0) std::exit(1);
    }
    pid_t process = 0;

private:
    [[noreturn]] static void serve(int socket) {
        Message request{};
        const std::array<std::uint8_t, reply_size> answer{};
        while (::recv(socket, request.data(), request.size(), MSG_WAITALL) > 0) {
            if (::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
        }
        ::_exit(0);
    }
    Descriptor socket_;
};

using Key = std::shared_ptr<EVP_PKEY>;
using KeyContext = crypto::Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

ByteVector sign(EVP_PKEY* key, const EVP_MD* digest, Bytes message) {
    const crypto::DigestContextHandle context(EVP_MD_CTX_new());
    ByteVector signature(4096);
    std::size_t size = signature.size();
    must_be_one(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key), "sign");
    must_be_one(
        EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()),
        "sign");
    signature.resize(size);
    return signature;
}

void verify(EVP_PKEY* key, const EVP_MD* digest, Bytes message, Bytes signature) {
    const crypto::DigestContextHandle context(EVP_MD_CTX_new());
    must_be_one(EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key), "verify");
    must_be_one(EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                                 message.size()),
                "verify");
}

ByteVector encapsulate(EVP_PKEY* key) {
    const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
    std::size_t size = 0;
    std::size_t secret_size = 0;
    must_be_one(EVP_PKEY_encapsulate_init(context.get(), nullptr), "encapsulate");
    must_be_one(EVP_PKEY_encapsulate(context.get(), nullptr, &size, nullptr, &secret_size),
                "encapsulate");
    ByteVector ciphertext(size);
    ByteVector secret(secret_size);
    must_be_one(
        EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &size, secret.data(), &secret_size),
        "encapsulate");
    return ciphertext;
}

void decapsulate(EVP_PKEY* key, Bytes ciphertext) {
    const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
    ByteVector secret(32);
    std::size_t size = secret.size();
    must_be_one(EVP_PKEY_decapsulate_init(context.get(), nullptr), "decapsulate");
    must_be_one(EVP_PKEY_decapsulate(context.get(), secret.data(), &size, ciphertext.data(),
                                     ciphertext.size()),
                "decapsulate");
}

// OpenSSL's own code: the default library context has no other provider.
void add_openssl(std::vector<Way>& ways) {
    const auto made = [](const char* type, const char* curve = nullptr) {
        return Key(curve != nullptr ? EVP_PKEY_Q_keygen(nullptr, nullptr, type, curve)
                                    : EVP_PKEY_Q_keygen(nullptr, nullptr, type),
                   EVP_PKEY_free);
    };
    const auto signer = [&](const std::string& name, const Key& key, const EVP_MD* digest) {
        ways.push_back({"OpenSSL", name + " sign",
                        [key, digest](Bytes message) { sign(key.get(), digest, message); }});
        const Message message{};
        ways.push_back({"OpenSSL", name + " verify",
                        [key, digest, message, signature = sign(key.get(), digest, message)](
                            Bytes) { verify(key.get(), digest, message, signature); }});
    };
    signer("ML-DSA-65", made("ML-DSA-65"), nullptr);
    signer("ECDSA-P256", made("EC", "P-256"), EVP_sha256());
    signer("Ed25519", made("ED25519"), nullptr);
    const Key kem = made("ML-KEM-768");
    ways.push_back(
        {"OpenSSL", "ML-KEM-768 decapsulate", [kem, ciphertext = encapsulate(kem.get())](Bytes) {
             decapsulate(kem.get(), ciphertext);
         }});
}

// What quoin-se does, without a process of its own; and verification, which needs no store.
void add_core(std::vector<Way>& ways) {
    constexpr auto algorithm = keys::se::Algorithm::ml_dsa_65;
    const auto material = must(secure_element::make_material(algorithm));
    const std::shared_ptr<secure_element::Key> key =
        must(secure_element::load_key(algorithm, material.expose()));
    ways.push_back({"in the process", "ML-DSA-65 sign",
                    [key](Bytes message) { must(key->sign(message, {})); }});
    for (const auto& name : {"ML-DSA-65", "ML-DSA-65+Ed25519"}) {
        const auto own = must(crypto::PrivateKey::generate(must(crypto::algorithm_by_name(name))));
        const Message message{};
        const auto signature = must(own.sign(message));
        ways.push_back({"in the process", std::string(name) + " verify",
                        [own = must(own.public_key()), message, signature](Bytes) {
                            must(own.verify(message, signature));
                        }});
    }
}

void add_store(std::vector<Way>& ways, const std::string& label, const std::string& uri,
               pid_t pid) {
    const std::shared_ptr<keys::SecurityProvider> store = must(keys::open_store(uri));
    const auto algorithms = store->describe().algorithms;
    // Two labels may be one store: the plain socket and the buses of one quoin-se.
    const auto make = [&](const std::string& algorithm) {
        std::string name = "bench-" + algorithm;
        std::ranges::replace(name, '+', '-');
        const auto done = store->generate(name, algorithm, {});
        if (!done && done.error().code != Code::input_conflict) must(done);
        return name;
    };
    for (const std::string algorithm :
         {"ML-DSA-65", "ML-DSA-65+Ed25519", "ECDSA-P256", "Ed25519"}) {
        if (std::ranges::find(algorithms, algorithm) == algorithms.end()) continue;
        if (label.starts_with("emulated") && algorithm != "ML-DSA-65") continue;
        ways.push_back({label, algorithm + " sign",
                        [store, name = make(algorithm)](Bytes message) {
                            must(store->sign(name, message, {}));
                        },
                        pid});
    }
    if (std::ranges::find(algorithms, "ML-KEM-768") == algorithms.end()) return;
    const std::string name = make("ML-KEM-768");
    const ByteVector der = must(store->public_key(name));
    const std::uint8_t* at = der.data();
    const Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())), EVP_PKEY_free);
    ways.push_back({label, "ML-KEM-768 decapsulate",
                    [store, name, ciphertext = encapsulate(key.get())](Bytes) {
                        must(store->decapsulate(name, ciphertext));
                    },
                    pid});
}

nlohmann::json report(const Way& way) {
    std::vector<double> all = way.latencies_us;
    std::ranges::sort(all);
    return {{"store", way.store},
            {"operation", way.operation},
            {"calls", all.size()},
            {"median_us", median(way.medians_us)},
            {"median_spread", spread(way.medians_us)},
            {"p99_us", all[all.size() * 99 / 100]},
            {"per_second", median(way.per_second)},
            {"cpu_us", median(way.cpu_us)},
            {"cpu_spread", spread(way.cpu_us)},
            {"rounds_median_us", way.medians_us},
            {"rounds_cpu_us", way.cpu_us}};
}

}  // namespace

int main(int argc, char** argv) {
    int rounds = 5;
    int budget_ms = 150;
    std::vector<std::tuple<std::string, std::string, pid_t>> stores;
    CLI::App app("what key stores cost");
    app.add_option("--rounds", rounds, "interleaved rounds")->check(CLI::Range(1, 1000));
    app.add_option("--budget-ms", budget_ms, "of each way in each round")
        ->check(CLI::Range(1, 100000));
    app.add_option("--store", stores, "LABEL URI PID");
    CLI11_PARSE(app, argc, argv);
    ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);  // the emulated buses wait to the microsecond
    const Echo echo;                         // before there are threads or keys
    std::vector<Way> ways;
    add_core(ways);
    ways.push_back({"bare socket", "round trip",
                    [&echo](Bytes message) { echo.round_trip(message); }, echo.process});
    add_openssl(ways);
    for (const auto& [label, uri, pid] : stores) add_store(ways, label, uri, pid);
    for (int round = 0; round < rounds; ++round) {
        for (Way& way : ways) run(way, std::chrono::milliseconds(budget_ms));
    }
    for (const Way& way : ways) std::cout << report(way).dump() << "\n";
    return 0;
}
