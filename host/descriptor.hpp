// A file descriptor with one owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace quoin {

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int adopted) : number_(adopted) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            close();
            number_ = std::exchange(other.number_, -1);
        }
        return *this;
    }
    ~Descriptor() { close(); }

    int number() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

private:
    void close() {
        if (number_ >= 0) ::close(number_);
        number_ = -1;
    }

    int number_ = -1;
};

}  // namespace quoin
