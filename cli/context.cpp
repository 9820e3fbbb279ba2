#include "cli/context.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <utility>

namespace quoin::cli {

void conclude(Context& context, const Result<void>& result) {
    if (result) return;
    const Error& error = result.error();
    context.exit_code = exit_code(error.code);
    if (context.json) {
        const nlohmann::json problem{{"title", code_name(error.code)},
                                     {"status", http_status(error.code)},
                                     {"detail", error.message}};
        fmt::print("{}\n", problem.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
        return;
    }
    std::fflush(stdout);
    fmt::print(stderr, "quoin: {}\n", error.message);
}

void on_run(CLI::App* command, Context& context, std::function<Result<void>()> work) {
    command->callback([&context, work = std::move(work)] { conclude(context, work()); });
}

}  // namespace quoin::cli
