// For tests: a quoind in this process, in a temporary home, with a PKI, a maker and real TLS. No
// broker.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

#include "host/files/files.hpp"
#include "host/net/http.hpp"
#include "host/tls/status.hpp"
#include "server/fixture.hpp"
#include "server/pki/birth.hpp"
#include "server/pki/ceremony.hpp"
#include "server/plant_process.hpp"

namespace quoin::server {

inline std::string output_of(const std::string& command) {
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) std::abort();
    std::string output;
    std::array<char, 4096> piece{};
    while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), pipe)) {
        output.append(piece.data(), size);
    }
    ::pclose(pipe);
    return output;
}

class RunningPlant {
public:
    static constexpr tls::Suite suite = tls::Suite::pure;

    RunningPlant()
        : home(folder_.path() / "home"), maker(must(Maker::open(folder_.path() / "maker"))) {
        must(init_pki({.home = home, .site = "test", .suite = suite},
                      crypto::Passphrase("a long passphrase")));
        must(trust_maker(home, folder_.path() / "maker" / "ca.crt"));
        must(files::make_private_folder(home / "conf.d"));
        must(files::write_atomically(home / "conf.d" / "test.toml",
                                     "[listen]\nhttps = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\n"
                                     "[broker]\nport = 1\n",
                                     0600));
        start();
    }

    void start() {
        process = must(PlantProcess::start({.home = home, .telemetry = false, .verifier = false}));
        const auto ports = must(files::read(home / "run" / "ports.json"));
        https = url("https", ports, "https://");
        http = url("http", ports, "http://");
    }
    void restart() {
        process.reset();
        start();
    }

    net::HttpReply local(std::string_view method, std::string_view target,
                         std::string_view body = {}) const {
        return must(
            net::http_request({.base_url = "unix:" + (home / "run" / "quoind.sock").string()},
                              method, target, body, body.empty() ? "" : "application/json"));
    }
    Result<net::HttpReply> secure(const tls::Credentials* who, std::string_view method,
                                  std::string_view target, std::string_view body = {},
                                  std::string_view type = {}) const {
        const std::vector<x509::Certificate> anchors =
            must(x509::Certificate::load(home / "pki" / "root.crt"));
        const tls::Context context =
            must(tls::client_context(suite, anchors, tls::Server::quoind, who));
        must(tls::demand_staple(context.get()));
        return net::http_request({.base_url = https, .tls = context.get()}, method, target, body,
                                 type);
    }

    // A request for a certificate that is bound to its connection, as our agent makes it.
    net::HttpReply enrol(const tls::Credentials& who, std::string_view target,
                         const crypto::PrivateKey& key, const std::string& name) const {
        return bound(who, target, [&](std::string_view challenge_password) {
            return x509::Request::make_der(key, name, challenge_password);
        });
    }
    net::HttpReply bound(
        const tls::Credentials& who, std::string_view target,
        const std::function<Result<std::string>(std::string_view challenge_password)>& make) const {
        const std::vector<x509::Certificate> anchors =
            must(x509::Certificate::load(home / "pki" / "root.crt"));
        const tls::Context context =
            must(tls::client_context(suite, anchors, tls::Server::quoind, &who));
        const net::BoundBody body = [&](Bytes exporter) -> Result<std::string> {
            QUOIN_TRY(const std::string der, make(crypto::to_base64(exporter)));
            return crypto::to_base64(bytes_of(der));
        };
        return must(net::http_request({.base_url = https, .tls = context.get()}, "POST", target,
                                      body, "application/pkcs10"));
    }

    // A device that is born; on the inventory, too, if `known`.
    void birth(const std::string& id, std::string_view device_class, bool known = true,
               bool foreign = false) {
        must(maker.birth(id, device_class, {}, foreign));
        if (!known) return;
        const std::string batch = must(files::read(maker.batch_file()));
        const std::size_t last = batch.rfind('\n', batch.size() - 2);
        const auto reply = local("POST", "/api/v1/devices/import",
                                 batch.substr(last == std::string::npos ? 0 : last + 1));
        EXPECT_EQ(reply.status, 200) << reply.body;
    }
    tls::Credentials birth_credentials(const std::string& id) const {
        return credentials(maker.device_folder(id), "birth");
    }
    tls::Credentials operator_credentials(const std::string& name) const {
        const auto unlock = must(crypto::existing_unlock_key(home / "unlock.key"));
        return {.chain = must(x509::Certificate::load(home / "operator" / (name + ".crt"))),
                .key = must(crypto::PrivateKey::load(home / "operator" / (name + ".key"), unlock))};
    }
    static tls::Credentials credentials(const std::filesystem::path& folder,
                                        const std::string& name) {
        const auto unlock = must(crypto::existing_unlock_key(folder / "unlock.key"));
        return {.chain = must(x509::Certificate::load(folder / (name + ".crt"))),
                .key = must(crypto::PrivateKey::load(folder / (name + ".key"), unlock))};
    }
    const std::filesystem::path& folder() const { return folder_.path(); }

private:
    static std::string url(const std::string& name, const std::string& ports,
                           const std::string& scheme) {
        const std::size_t at = ports.find("\"" + name + "\":") + name.size() + 3;
        return scheme + "127.0.0.1:" + ports.substr(at, ports.find_first_of(",}", at) - at);
    }
    TemporaryFolder folder_;

public:
    std::filesystem::path home;
    Maker maker;
    std::unique_ptr<PlantProcess> process;
    std::string https, http;
};

}  // namespace quoin::server
