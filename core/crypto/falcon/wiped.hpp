// Wipes a value on every exit of its scope.
#pragma once

#include "core/base/constant_time.hpp"

namespace quoin::core::falcon {

template <class T>
class Wiped {
public:
    explicit Wiped(T& object) : object_(object) {}
    Wiped(const Wiped&) = delete;
    Wiped& operator=(const Wiped&) = delete;
    ~Wiped() { ct::wipe_object(object_); }

private:
    T& object_;
};

}  // namespace quoin::core::falcon
