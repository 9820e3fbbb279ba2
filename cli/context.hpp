// What every command of `quoin` shares: the global options, and how a command ends.
//
// --json, --home, --suite, --url, --certificate, --key and --trust belong to the program: a command
// sees them here and adds no options of these names (they may stand before or behind the verb).
// Threads: one; the commands run on the main thread.
#pragma once

#include <functional>
#include <string>

#include "host/error.hpp"

namespace CLI {
class App;
}

namespace quoin::cli {

struct Context {
    bool json = false;
    std::string home = "/var/lib/quoin";  // --home, else $QUOIN_HOME, else /var/lib/quoin
    std::string url;                      // https://host:port; empty: HOME/run/quoind.sock
    std::string certificate;  // PEM, leaf + issuing; with --url; default HOME/operator/admin.crt
    std::string key;          // encrypted PKCS#8; default: beside the certificate
    std::string trust;        // the plant root; default HOME/pki/root.crt
    std::string suite;        // --suite: hybrid or pure; empty: not said (hybrid)
    int exit_code = 0;        // 0 ok, 1 failed, 2 usage
};

// Prints the error (a sentence on stderr; with --json an RFC 9457 problem on stdout) and sets the
// exit code. A good result changes nothing.
void conclude(Context& context, const Result<void>& result);

// Makes `work` what the command does: run when it is chosen, its result given to conclude().
void on_run(CLI::App* command, Context& context, std::function<Result<void>()> work);

}  // namespace quoin::cli
