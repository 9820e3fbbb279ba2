#include "broker/mosquitto_conf.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include "host/x509/identity.hpp"

namespace quoin::broker {
namespace {

// Mosquitto's lines end at a newline and lose blanks at their ends; nothing can be quoted.
bool fits_a_line(std::string_view value) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
    return !value.empty() && value.size() <= 4096 && value.front() != ' ' && value.back() != ' ' &&
           std::ranges::none_of(value, is_control);
}

Result<void> check_path(std::string_view name, const std::filesystem::path& path) {
    if (path.is_absolute() && fits_a_line(path.native())) return {};
    return fail(Code::config_invalid,
                "{}: must be an absolute path without control characters or blanks at its ends",
                name);
}

Result<void> check_address(const std::string& address) {
    std::array<unsigned char, sizeof(in6_addr)> parsed{};
    if (::inet_pton(AF_INET, address.c_str(), parsed.data()) == 1 ||
        ::inet_pton(AF_INET6, address.c_str(), parsed.data()) == 1) {
        return {};
    }
    return fail(Code::config_invalid, "address: is not an IPv4 or IPv6 address");
}

Result<void> check_paths(const MosquittoConf& conf) {
    const std::array<std::pair<std::string_view, const std::filesystem::path*>, 6> paths{
        {{"ca_file", &conf.ca_file},
         {"certificate", &conf.certificate},
         {"key", &conf.key},
         {"plugin", &conf.plugin},
         {"feed_socket", &conf.feed_socket},
         {"data_folder", &conf.data_folder}}};
    for (const auto& [name, path] : paths) QUOIN_CHECK(check_path(name, *path));
    if (conf.log_file) QUOIN_CHECK(check_path("log_file", *conf.log_file));
    if (!conf.second) return {};
    QUOIN_CHECK(check_path("second certificate", conf.second->certificate));
    QUOIN_CHECK(check_path("second key", conf.second->key));
    return {};
}

Result<void> check(const MosquittoConf& conf) {
    QUOIN_CHECK(check_address(conf.address));
    if (conf.port == 0) return fail(Code::config_invalid, "port: 0 is not a port");
    if (conf.second && (conf.second->port == 0 || conf.second->port == conf.port)) {
        return fail(Code::config_invalid, "second port: {} is no other port", conf.second->port);
    }
    if (!x509::is_valid_id(conf.site)) return fail(Code::config_invalid, "site: is not a name");
    if (conf.user && !x509::is_valid_id(*conf.user)) {
        return fail(Code::config_invalid, "user: is not a user name");
    }
    // Below: the largest evidence does not fit. 0 would mean "no limit" to Mosquitto.
    if (conf.max_packet_bytes < 64 * 1024) {
        return fail(Code::config_invalid, "max_packet_bytes: {} is less than 65536",
                    conf.max_packet_bytes);
    }
    if (conf.max_inflight_messages == 0 || conf.max_inflight_messages > 65535) {
        return fail(Code::config_invalid, "max_inflight_messages: {} is not in 1 ... 65535",
                    conf.max_inflight_messages);
    }
    if (conf.max_queued_messages == 0) {
        return fail(Code::config_invalid, "max_queued_messages: 0 would mean no limit");
    }
    if (conf.max_queued_bytes == 0) {
        return fail(Code::config_invalid, "max_queued_bytes: 0 would mean no limit");
    }
    if (conf.autosave_interval_s == 0) {
        return fail(Code::config_invalid, "autosave_interval_s: 0 would mean never");
    }
    return check_paths(conf);
}

std::string general(const MosquittoConf& conf) {
    return fmt::format(
        "# Written by quoin up: changes are lost.\n"
        "per_listener_settings false\n"
        "{user}"
        "sys_interval 0\n"
        "set_tcp_nodelay true\n"
        "check_retain_source true\n"
        "max_packet_size {packet}\n"
        "max_inflight_messages {inflight}\n"
        "max_queued_messages {queued}\n"
        "max_queued_bytes {queued_bytes}\n"
        "persistence true\n"
        "persistence_location {data}/\n"
        "persistence_file mosquitto.db\n"
        "autosave_interval {autosave}\n"
        "autosave_on_changes false\n"
        "log_dest {log}\n"
        "log_timestamp_format %Y-%m-%dT%H:%M:%S\n"
        "log_type error\n"
        "log_type warning\n"
        "log_type notice\n"
        "log_type information\n"
        "connection_messages true\n",
        fmt::arg("user", conf.user ? "user " + *conf.user + "\n" : std::string{}),
        fmt::arg("packet", conf.max_packet_bytes), fmt::arg("inflight", conf.max_inflight_messages),
        fmt::arg("queued", conf.max_queued_messages),
        fmt::arg("queued_bytes", conf.max_queued_bytes),
        fmt::arg("data", conf.data_folder.native()), fmt::arg("autosave", conf.autosave_interval_s),
        fmt::arg("log", conf.log_file ? "file " + conf.log_file->native() : "stdout"));
}

std::string plugin(const MosquittoConf& conf) {
    return fmt::format(
        "allow_anonymous false\n"
        "allow_zero_length_clientid false\n"
        "plugin {}\n"
        "plugin_opt_site {}\n"
        "plugin_opt_feed_socket {}\n"
        "plugin_opt_trust {}\n",
        conf.plugin.native(), conf.site, conf.feed_socket.native(), conf.ca_file.native());
}

// use_identity_as_username stays false: with it Mosquitto 2.0.21 does not ask the plugin. The
// plugin sets a username, so allow_anonymous false does not disconnect its clients on SIGHUP.
std::string listener(const MosquittoConf& conf, std::uint16_t port,
                     const std::filesystem::path& certificate, const std::filesystem::path& key) {
    return fmt::format(
        "listener {port} {address}\n"
        "protocol mqtt\n"
        "tls_version tlsv1.3\n"
        "cafile {ca}\n"
        "certfile {certificate}\n"
        "keyfile {key}\n"
        "require_certificate true\n"
        "use_identity_as_username false\n",
        fmt::arg("port", port), fmt::arg("address", conf.address),
        fmt::arg("ca", conf.ca_file.native()), fmt::arg("certificate", certificate.native()),
        fmt::arg("key", key.native()));
}

}  // namespace

Result<std::string> render(const MosquittoConf& conf) {
    QUOIN_CHECK(check(conf));
    std::string text = general(conf) + plugin(conf);
    text += listener(conf, conf.port, conf.certificate, conf.key);
    if (conf.second) {
        text += listener(conf, conf.second->port, conf.second->certificate, conf.second->key);
    }
    return text;
}

}  // namespace quoin::broker
