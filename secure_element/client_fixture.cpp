// For tests: a client in a process of its own. usage: SOCKET UID KEY COUNT
// Becomes UID, signs COUNT times, prints "done" or the error, and waits for the end of its input.
#include <unistd.h>

#include <iostream>
#include <string>

#include "host/keys/se/client.hpp"

int main(int argc, char** argv) {
    using namespace quoin;
    if (argc != 5) return 2;
    const auto uid = static_cast<uid_t>(std::stoul(argv[2]));
    if (uid != 0 && ::setuid(uid) != 0) return 3;
    const auto work = [&]() -> Result<void> {
        QUOIN_TRY(const auto client, keys::se::Client::open({.socket = argv[1]}));
        for (int i = 0; i < std::stoi(argv[4]); ++i) {
            QUOIN_CHECK(client->sign(argv[3], bytes_of(std::to_string(i)), {}));
        }
        return {};
    };
    const auto result = work();
    // tidy: allow(banned-call) because the test reads it
    std::cout << (result
                      ? "done"
                      : std::string(code_name(result.error().code)) + ": " + result.error().message)
              << '\n'
              << std::flush;
    std::string line;
    std::getline(std::cin, line);
    return result ? 0 : 1;
}
