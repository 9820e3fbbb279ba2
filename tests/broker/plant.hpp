// A real Mosquitto with the plugin, quoind's end of its feed, and certificates: what the tests
// need.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/crypto/library.hpp"
#include "host/x509/test_pki.hpp"
#include "server/feed/feed_server.hpp"
#include "tests/broker/process.hpp"

namespace quoin::test {

class Plant : public testing::Test {
protected:
    // Keys and certificates are made once: `a`, `b`, `c` devices; telemetry, verifier services.
    static void SetUpTestSuite();
    static void TearDownTestSuite();
    // Our provider, for programs of others.
    static std::filesystem::path openssl_conf_of_clients() {
        return crypto::provider_file().replace_filename("openssl.cnf");
    }
    void SetUp() override;
    void TearDown() override;

    // Certificate and key files NAME.crt, NAME.key in the folder of the suite.
    static void make_identity(const std::string& name, const x509::test::Pki& pki,
                              const x509::test::LeafRequest& request);

    void start_quoind(std::chrono::milliseconds lifetime = std::chrono::seconds(30));
    void stop_quoind() { server_.reset(); }
    // Writes the configuration at the first time; a later start finds the data of the earlier one.
    void start_broker();
    void stop_broker(int signal);
    std::vector<std::string> broker_environment() const;
    // Changes a device in the "database", then tells the broker.
    void set(const std::string& id, feed::Grant grant, std::string state = "active",
             std::vector<std::string> revoked = {});

    // mosquitto_pub or mosquitto_sub with the certificate of `name`, -i `name` unless given.
    Process client(const std::string& program, const std::string& name,
                   std::vector<std::string> arguments,
                   const std::vector<std::string>& environment = {});
    // A subscriber that has its SUBACK.
    std::unique_ptr<Process> subscribe(const std::string& name, const std::string& topic,
                                       std::vector<std::string> more = {});
    // Publishes at QoS 1 and ends. The exit status.
    int publish(const std::string& name, const std::string& topic, const std::string& payload,
                std::vector<std::string> more = {});

    // Reports of the plugin, as JSON lines.
    bool reported(const std::string& part);
    bool wait_for_report(const std::string& part);
    bool wait_for_log(const std::string& part);
    bool wait_for_link(bool up);
    std::string broker_log() const { return content_of(folder_ / "mosquitto.log"); }
    std::filesystem::path suite_file(const std::string& name) const {
        return *suite_folder_ / name;
    }
    std::string serial_of(const std::string& name) const;
    std::int64_t not_after_ms(const std::string& name) const;

    std::filesystem::path folder_;
    std::uint16_t port_ = 0;
    std::uint64_t epoch_ = 0;
    std::optional<Process> broker_;
    std::unique_ptr<server::FeedServer> server_;

    static std::optional<x509::test::Pki> pki_;
    static std::optional<std::filesystem::path> suite_folder_;

private:
    std::vector<std::string> identity_arguments(const std::string& name) const;

    std::unique_ptr<server::Bus> bus_;
    std::mutex mutex_;
    std::map<std::string, feed::Device> devices_;
    std::vector<std::string> reports_;
    bool link_up_ = false;
    int outputs_ = 0;
};

}  // namespace quoin::test
