// Clients: Unix sockets (and one that speaks the bus framing), and the threads that answer.
//
// All threads wait on one epoll; a connection wakes one of them, which reads, answers and writes
// without handing over to another. A uid that is not allowed gets a refusal and is cut off.
// All threads are there when start() returns, but none answers before release(): the system-call
// filter comes between.
#pragma once

#include <filesystem>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "host/descriptor.hpp"
#include "secure_element/element.hpp"

namespace quoin::secure_element {

inline constexpr std::size_t max_connections = 256;
inline constexpr std::size_t max_connections_of_one_uid = 64;

struct ServerOptions {
    std::filesystem::path socket;
    std::filesystem::path bus_socket;  // empty: none
    std::set<uid_t> allowed;
    unsigned threads = 4;
};

class Server {
public:
    // What lies at the sockets' paths is replaced if it is a socket.
    static Result<std::unique_ptr<Server>> listen(Element& element, ServerOptions options);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    void start();
    void release();
    void stop();

private:
    struct Connection;
    struct Listener {
        Descriptor socket;
        bool is_bus = false;
    };

    Server(Element& element, ServerOptions options);
    Result<void> add_listener(const std::filesystem::path& path, bool is_bus);
    void work();
    void accept_one(Listener& listener);
    void serve(Connection& connection, MutableBytes buffer);
    bool read_and_answer(Connection& connection, MutableBytes buffer);
    bool answer(Connection& connection);
    bool admit(Connection& connection);
    void close(Connection& connection);
    void close_all_but(const Connection& kept);
    bool watch(int descriptor, void* what, int operation) const;

    Element& element_;
    ServerOptions options_;
    std::latch running_;  // all threads are there
    Descriptor epoll_;
    Descriptor stop_event_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::latch released_{1};

    std::mutex mutex_;  // connections_
    std::map<const Connection*, std::unique_ptr<Connection>> connections_;
    std::vector<std::jthread> threads_;
};

}  // namespace quoin::secure_element
