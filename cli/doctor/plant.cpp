#include <filesystem>

#include "cli/client.hpp"
#include "cli/doctor/checks.hpp"
#include "cli/output.hpp"
#include "cli/plant/ports.hpp"
#include "cli/supervise/lifetime.hpp"

namespace quoin::cli {
namespace fs = std::filesystem;
namespace {

void check_readiness(const Ports& ports, Findings& findings) {
    const auto reply =
        net::http_request({.base_url = fmt::format("http://127.0.0.1:{}", ports.http),
                           .timeout = std::chrono::seconds(3)},
                          "GET", "/readyz");
    if (!reply) {
        findings.push_back(
            {Health::fail, "quoind", reply.error().message + "; see log/quoind.log"});
    } else if (reply->status != 200) {
        findings.push_back(
            {Health::fail, "quoind",
             fmt::format("/readyz says {}: {}", reply->status, printable(reply->body))});
    } else {
        findings.push_back({Health::pass, "quoind", fmt::format("ready on port {}", ports.https)});
        const std::size_t line = reply->body.find("crypto state=");
        if (line != std::string::npos) {
            findings.push_back(
                {Health::pass, "quoind's self-tests",
                 printable(reply->body.substr(line, reply->body.find('\n', line) - line))});
        }
    }
}

void check_status(const Context& context, Findings& findings) {
    Result<nlohmann::json> status = fail(Code::internal, "not asked");
    if (auto client = Client::open(context); client) {
        client->set_timeout(std::chrono::seconds(3));
        status = client->get("status");
    } else {
        status = std::unexpected(client.error());
    }
    if (!status) {
        findings.push_back({Health::fail, "REST", status.error().message});
        return;
    }
    if (status->value("broker_connected", false)) {
        findings.push_back({Health::pass, "broker", "its plugin holds the link to quoind"});
    } else {
        findings.push_back(
            {Health::fail, "broker",
             "its plugin is not connected to quoind: see log/broker.log; soon it refuses "
             "every connection"});
    }
    const auto devices = status->value("devices", nlohmann::json::object());
    const auto isolated = devices.value("quarantined", std::uint64_t{0});
    findings.push_back({isolated == 0 ? Health::pass : Health::warn, "devices",
                        isolated == 0
                            ? plain(devices)
                            : fmt::format("{} quarantined: see `quoin device list --state "
                                          "quarantined`",
                                          isolated)});
}

}  // namespace

void check_plant(const Context& context, Findings& findings) {
    const fs::path home = context.home;
    if (!context.url.empty()) {
        check_status(context, findings);
        return;
    }
    const auto supervisor = Lifetime::load(home / "run/up.json");
    if (!supervisor || !supervisor->has_value() || !(*supervisor)->is_alive()) {
        findings.push_back({Health::warn, "plant",
                            supervisor
                                ? fmt::format("not running: `quoin up --home {}`", home.string())
                                : supervisor.error().message});
        const auto free = Ports().check_free();
        findings.push_back(free ? Finding{Health::pass, "ports", "8883, 8443 and 8080 are free"}
                                : Finding{Health::warn, "ports", free.error().message});
        return;
    }
    findings.push_back(
        {Health::pass, "plant", fmt::format("supervised by pid {}", (*supervisor)->pid)});
    if (const auto ports = Ports::load(home); ports) {
        check_readiness(*ports, findings);
    } else {
        findings.push_back({Health::fail, "ports", ports.error().message});
    }
    check_status(context, findings);
}

}  // namespace quoin::cli
