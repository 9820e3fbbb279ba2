// What does quoin-se cost? ML-DSA-65 signatures by a real quoin-se against the same code and
// OpenSSL's in this process, and a bare socket round trip of the same sizes beside it; then the
// emulated buses. Rounds are interleaved; printed are the medians of the rounds and their spread.
// usage: se_bench [--rounds N] [--signatures N] [--bus-signatures N]
#include <openssl/evp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "host/crypto/crypto.hpp"
#include "host/crypto/handles.hpp"
#include "host/keys/se/client.hpp"
#include "secure_element/key.hpp"

namespace {

using namespace quoin;
using keys::se::Algorithm;
using keys::se::Client;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::size_t request_size = 64;
constexpr std::size_t signature_size = 3309;

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::cerr << result.error().message << "\n";
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
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

// One way to do the work: what a call does, and whose processor time it costs beside ours.
struct Way {
    std::string name;
    int count;
    std::function<void(Bytes)> call;
    pid_t other = 0;
    std::vector<double> latency_us{};  // the median of each round
    std::vector<double> cpu{};         // us for one call, the mean of each round
};

void run(Way& way) {
    clockid_t others = 0;
    if (way.other != 0) clock_getcpuclockid(way.other, &others);
    std::vector<double> latencies;
    std::array<std::uint8_t, request_size> message{};
    const double before = cpu_us(CLOCK_PROCESS_CPUTIME_ID) + (way.other != 0 ? cpu_us(others) : 0);
    for (int i = 0; i < way.count; ++i) {
        message[0] = static_cast<std::uint8_t>(i);
        message[1] = static_cast<std::uint8_t>(i >> 8);
        const auto start = Clock::now();
        way.call(message);
        latencies.push_back(
            std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    }
    const double after = cpu_us(CLOCK_PROCESS_CPUTIME_ID) + (way.other != 0 ? cpu_us(others) : 0);
    way.latency_us.push_back(median(latencies));
    way.cpu.push_back((after - before) / way.count);
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
        std::array<std::uint8_t, signature_size + 14> answer{};
        if (::send(socket_.number(), request.data(), request.size(), 0) < 0) std::exit(1);
        if (::recv(socket_.number(), answer.data(), answer.size(), MSG_WAITALL) < 0) std::exit(1);
    }
    pid_t process = 0;

private:
    [[noreturn]] static void serve(int socket) {
        std::array<std::uint8_t, request_size> request{};
        const std::array<std::uint8_t, signature_size + 14> answer{};
        while (::recv(socket, request.data(), request.size(), MSG_WAITALL) > 0) {
            if (::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
        }
        ::_exit(0);
    }
    Descriptor socket_;
};

class Element {
public:
    explicit Element(const std::string& program) {
        std::string name = (fs::temp_directory_path() / "quoin-se-bench-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        int seal[2];
        int log[2];
        if (::pipe(seal) != 0 || ::pipe(log) != 0) std::exit(1);
        const std::string key(32, 'k');
        if (::write(seal[1], key.data(), key.size()) != 32) std::exit(1);
        process = ::fork();
        if (process == 0) {
            ::dup2(log[1], 2);
            ::close(seal[1]);
            ::close(log[0]);
            const std::string descriptor = std::to_string(seal[0]);
            const std::string home = folder_ / "home";
            ::execl(program.c_str(), program.c_str(), "--home", home.c_str(), "--socket",
                    socket().c_str(), "--bus-socket", bus_socket().c_str(), "--seal-key-fd",
                    descriptor.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(seal[0]);
        ::close(seal[1]);
        ::close(log[1]);
        std::string said;
        char c = 0;
        while (!said.contains(" listening ") && ::read(log[0], &c, 1) == 1) said += c;
        log_ = Descriptor(log[0]);
    }
    ~Element() {
        ::kill(process, SIGTERM);
        ::waitpid(process, nullptr, 0);
        fs::remove_all(folder_);
    }
    Element(const Element&) = delete;
    Element& operator=(const Element&) = delete;

    std::string socket() const { return folder_ / "se.sock"; }
    std::string bus_socket() const { return folder_ / "bus.sock"; }
    pid_t process = 0;

private:
    fs::path folder_;
    Descriptor log_;
};

using KeyHandle = crypto::Handle<EVP_PKEY, EVP_PKEY_free>;

std::vector<Way> make_ways(const Element& element, const Echo& echo, int count, int bus_count) {
    std::vector<Way> ways;
    const auto material = must(secure_element::make_material(Algorithm::ml_dsa_65));
    const std::shared_ptr<secure_element::Key> own =
        must(secure_element::load_key(Algorithm::ml_dsa_65, material.expose()));
    ways.push_back({"in this process, core/crypto", count,
                    [own](Bytes message) { must(own->sign(message, {})); }});
    const std::shared_ptr<Client> client = must(Client::open({.socket = element.socket()}));
    const keys::se::Policy policy{.operations = keys::se::may_sign};
    must(client->generate("bench", Algorithm::ml_dsa_65, policy));
    ways.push_back({"quoin-se", count,
                    [client](Bytes message) { must(client->sign("bench", message, {})); },
                    element.process});
    ways.push_back({"bare socket round trip", count,
                    [&echo](Bytes message) { echo.round_trip(message); }, echo.process});
    const std::shared_ptr<EVP_PKEY> openssl(EVP_PKEY_Q_keygen(nullptr, nullptr, "ML-DSA-65"),
                                            EVP_PKEY_free);
    ways.push_back({"in this process, OpenSSL", count, [openssl](Bytes message) {
                        const crypto::DigestContextHandle context(EVP_MD_CTX_new());
                        std::array<std::uint8_t, signature_size> signature{};
                        std::size_t size = signature.size();
                        EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr,
                                              openssl.get(), nullptr);
                        EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                                       message.size());
                    }});
    for (const auto& bus : keys::se::bus_profiles()) {
        const std::shared_ptr<Client> slow =
            must(Client::open({.socket = element.bus_socket(), .bus = &bus}));
        ways.push_back({fmt::format("quoin-se, {} (emulated)", bus.name), bus_count,
                        [slow](Bytes message) { must(slow->sign("bench", message, {})); },
                        element.process});
    }
    return ways;
}

double spread(const std::vector<double>& values) {
    const auto [least, most] = std::ranges::minmax(values);
    return (most - least) / median(values) * 100;
}

}  // namespace

int main(int argc, char** argv) {
    int rounds = 7;
    int count = 1000;
    int bus_count = 5;
    std::string program = fs::read_symlink("/proc/self/exe").parent_path() / "quoin-se";
    CLI::App app("what quoin-se costs");
    app.add_option("--rounds", rounds, "interleaved rounds");
    app.add_option("--signatures", count, "of each round");
    app.add_option("--bus-signatures", bus_count, "of each round, over each emulated bus");
    app.add_option("--quoin-se", program, "the program");
    CLI11_PARSE(app, argc, argv);
    ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);  // the emulated buses wait to the microsecond
    const Echo echo;                         // before there are threads or keys
    const Element element(program);
    std::vector<Way> ways = make_ways(element, echo, count, bus_count);
    for (int round = 0; round < rounds; ++round) {
        for (Way& way : ways) run(way);
    }
    std::cout << "| ML-DSA-65 signature | median latency us | spread | CPU us | spread |\n"
                 "|---|---|---|---|---|\n";
    for (const Way& way : ways) {
        std::cout << fmt::format("| {} | {:.1f} | {:.0f} % | {:.1f} | {:.0f} % |\n", way.name,
                                 median(way.latency_us), spread(way.latency_us), median(way.cpu),
                                 spread(way.cpu));
    }
    std::vector<double> latency;
    std::vector<double> cpu;
    for (std::size_t i = 0; i < ways[0].cpu.size(); ++i) {
        latency.push_back(ways[1].latency_us[i] - ways[0].latency_us[i]);
        cpu.push_back(ways[1].cpu[i] - ways[0].cpu[i]);
    }
    std::cout << fmt::format(
        "\nquoin-se adds {:.1f} us of median latency and {:.1f} us of CPU "
        "(medians of {} rounds)\n",
        median(latency), median(cpu), rounds);
    return 0;
}
