// The text of a mosquitto.conf that lets in only PQ/TLS clients which the plugin allows. Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "host/error.hpp"

namespace quoin::broker {

// Every path is absolute. Mosquitto reads certificates and key after it has given up root: they
// must be readable by its user. The suite's groups and signatures come by OPENSSL_CONF
// (tls::openssl_conf).
struct MosquittoConf {
    std::string address = "127.0.0.1";  // an IP address
    std::uint16_t port = 8883;
    std::filesystem::path ca_file;  // root and issuing CA (of both suites), nothing else
    std::filesystem::path
        certificate;            // leaf + issuing; a lone leaf makes OpenSSL send the root too
    std::filesystem::path key;  // in clear: /proc/self/fd/N of a memory file
    // Of devices that have moved to another suite, while the plant migrates: one listener has one
    // certificate.
    struct Second {
        std::uint16_t port;
        std::filesystem::path certificate, key;
    };
    std::optional<Second> second = {};
    std::filesystem::path plugin;  // quoin_broker.so
    std::string site;
    std::filesystem::path feed_socket;
    std::filesystem::path data_folder;  // the persistence file; exists, belongs to Mosquitto's user
    std::optional<std::filesystem::path> log_file;  // none: standard output
    std::optional<std::string> user;  // when started as root; none: Mosquitto's own choice
    std::uint32_t max_packet_bytes = 256 * 1024;
    std::uint32_t max_inflight_messages = 1000;  // an agent's unacknowledged samples
    // For one session: what a burst may hold for the data server, bounded in memory too.
    std::uint32_t max_queued_messages = 50'000;
    std::uint32_t max_queued_bytes = 64 << 20;
    std::uint32_t autosave_interval_s = 30;
};

// A value that does not fit on its line as it is (control characters, blanks at its ends, a
// relative path, port 0, ...) is config_invalid and named.
Result<std::string> render(const MosquittoConf& conf);

}  // namespace quoin::broker
