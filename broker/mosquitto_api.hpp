// Mosquitto's plugin interface, and the values of mosquitto.h that it uses: Debian's mosquitto-dev
// has the plugin headers without mosquitto.h. Source: Mosquitto 2.0, include/mosquitto.h (stable
// ABI).
#pragma once

#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

namespace quoin::broker::mosq {

enum Error : int { success = 0, no_memory = 1, invalid = 3, auth = 11, acl_denied = 12 };

enum LogLevel : int { info = 1, notice = 2, warning = 4, error = 8 };

}  // namespace quoin::broker::mosq
